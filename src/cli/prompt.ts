/**
 * What a model is asked, as ids, and where it should stop.
 *
 * Owns: finding the tokenizer, and turning prompts and stops from text into ids, with words for what
 * can't be done without one.
 */
import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { GenerationPlan } from "../compiler/generation-plan.ts";
import type { Generation } from "../lang/plans.ts";
import { failure, failureDiagnostic } from "../runtime/failure.ts";
import { byteTokenizer } from "../runtime/generation/byte-tokenizer.ts";
import { type Stops, stopsFor } from "../runtime/generation/stops.ts";
import { readTokenizer, type Tokenizer } from "../runtime/generation/tokenizer.ts";
import { readFileText } from "./files.ts";
import type { GenerationCommandOptions } from "./generation-options.ts";
import type { Output } from "./output.ts";

const fileName = "tokenizer.json";

/** What `--tokenizer` calls the one that takes bytes. */
const bytes = "bytes";

/** The tokenizer that was named, or the one beside the weights. */
export async function openTokenizer(options: GenerationCommandOptions): Promise<Tokenizer | undefined> {
  if (options.tokenizer === bytes && !existsSync(bytes)) return byteTokenizer;
  const path = tokenizerPath(options);
  return path === undefined ? undefined : await readTokenizer(await readFileText(path), path);
}

/** The file that was named, or the one beside the weights where there is one. */
export function tokenizerPath({
  tokenizer,
  weights,
}: Pick<GenerationCommandOptions, "tokenizer" | "weights">): string | undefined {
  if (tokenizer !== undefined) return isFolder(tokenizer) ? join(tokenizer, fileName) : tokenizer;
  if (weights === undefined) return undefined;
  const beside = join(isFolder(weights) ? weights : dirname(weights), fileName);
  return existsSync(beside) ? beside : undefined;
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** The ids of the prompt; none where the model takes none. */
export function promptIds(
  options: GenerationCommandOptions,
  plan: GenerationPlan,
  declared: Generation | undefined,
  tokenizer: Tokenizer | undefined,
  output: Output,
): readonly number[] {
  if (plan.prompt === undefined) {
    if (options.prompt === undefined && options.promptIds === undefined) return [];
    throw failure("unknown-input", `The entry ${plan.first} takes no prompt.`);
  }
  if (options.prompt !== undefined && options.promptIds !== undefined) {
    throw failure("bad-generation-option", "The prompt is given twice: as text and as ids.");
  }
  if (options.promptIds !== undefined) return options.promptIds;
  const text = options.prompt ?? declared?.prompt;
  if (text === undefined) {
    throw failure("input-missing", `The entry ${plan.first} needs a prompt.`, {
      hint: "give --prompt TEXT, or --prompt-ids 1,2,3",
    });
  }
  const reader = tokenizer ?? (readsBytes(options) ? byteTokenizer : undefined);
  if (tokenizer === undefined && reader !== undefined) {
    const message = "There is no tokenizer: the prompt is read as bytes, and what follows is printed as ids.";
    const hint = "with trained weights give the tokenizer.json that lies beside them: --tokenizer FILE";
    output.diagnostics([failureDiagnostic("tokenizer-missing", message, { severity: "warning", hint })]);
  }
  const ids = needTokenizer(reader, "A prompt is read as text").encode(text);
  if (ids.length === 0)
    throw failure("prompt-empty", "The prompt has no tokens.", { hint: "give --prompt TEXT" });
  return ids;
}

/** Weights that were not trained have no tokenizer of their own: text may be read in any way, as long as it is said. */
function readsBytes({ weights, randomWeights, promptIds }: GenerationCommandOptions): boolean {
  const random = randomWeights === true || weights === "random" || weights?.startsWith("random:") === true;
  return random && promptIds === undefined;
}

/** Ids of the prompt that the model does not have would be read from nowhere. */
export function requireKnownIds(ids: readonly number[], vocabulary: number | undefined, from: string): void {
  const unknown = ids.find((id) => vocabulary !== undefined && id >= vocabulary);
  if (unknown === undefined) return;
  throw failure(
    "unknown-id",
    `The prompt has the id ${unknown}, and the model's vocabulary ends before ${vocabulary}.`,
    {
      hint: `check that ${from} is of this model`,
    },
  );
}

/** Those that the user gives, and those that the model declares. */
export function stopsOf(
  options: GenerationCommandOptions,
  declared: Generation | undefined,
  tokenizer: Tokenizer | undefined,
  output: Output,
): Stops {
  if (options.stop.length > 0) needTokenizer(tokenizer, "A stop text is found in text");
  if (tokenizer !== undefined) {
    const { ids, texts } = stopsFor([...options.stop, ...(declared?.stop ?? [])], tokenizer);
    return { ids: new Set([...options.stopId, ...ids]), texts };
  }
  for (const stop of declared?.stop ?? []) {
    if (options.stopId.length === 0 && !readsBytes(options)) {
      const message = `Without a tokenizer generation can't stop at ${JSON.stringify(stop)}, as the model declares.`;
      const hint = "give --tokenizer tokenizer.json, or --stop-id";
      output.diagnostics([failureDiagnostic("stop-unknown", message, { severity: "warning", hint })]);
    }
  }
  return { ids: new Set(options.stopId), texts: [] };
}

function needTokenizer(tokenizer: Tokenizer | undefined, why: string): Tokenizer {
  if (tokenizer !== undefined) return tokenizer;
  throw failure("tokenizer-missing", `${why}, and there is no tokenizer.`, {
    hint: "give --tokenizer tokenizer.json (it lies beside the checkpoint), or ids: --prompt-ids, --stop-id",
  });
}
