/**
 * `ossicle generate` and `ossicle caption`: text from a prompt, and text about a recording.
 *
 * Owns: from options to a session and a printed text. The model's `generate` says which entries run, where
 * to stop and how far to go; without one, an entry that continues another does.
 */
import type { Command } from "commander";
import { describeGeneration, type GenerationPlan, planGeneration } from "../compiler/generation-plan.ts";
import { failure } from "../runtime/failure.ts";
import { type Generated, generate } from "../runtime/generation/generate.ts";
import { checkOptions, type GenerationOptions } from "../runtime/generation/options.ts";
import type { ChoosingSession, GenerationSession } from "../runtime/generation/session.ts";
import { adapterChoice } from "./adapters.ts";
import { prepareTogether, reportArithmetic } from "./execute.ts";
import { choiceOf, type GenerationCommandOptions, withGenerationOptions } from "./generation-options.ts";
import { readInputs } from "./inputs.ts";
import { useColor } from "./options.ts";
import { Output } from "./output.ts";
import { compileGeneration } from "./program.ts";
import { silent, terminalProgress } from "./progress.ts";
import { openTokenizer, promptIds, requireKnownIds, stopsOf } from "./prompt.ts";
import type { Run } from "./run-state.ts";
import { openWeights, reportWeights, requireNoWeights } from "./weights.ts";

/** Where neither the user nor the model says. */
const defaultLimit = 64;

export function addGenerate(program: Command, run: Run): void {
  withGenerationOptions(program.command("generate"))
    .summary("go on from a text")
    .description("Generates text from a prompt, with a model that declares how: `generate text from …`.")
    .argument("<file>", "an .oss file, or ossicle/… for one of the library")
    .action(async (file: string, options: GenerationCommandOptions) => {
      run.status = await generateText("generate", file, options);
    });
}

export function addCaption(program: Command, run: Run): void {
  withGenerationOptions(program.command("caption"))
    .summary("describe a recording")
    .description(
      "Generates text about a recording, with a model that hears: its first entry takes a waveform.",
    )
    .argument("<file>", "an .oss file, or ossicle/… for one of the library")
    .requiredOption("-a, --audio <file>", "the recording: WAV, FLAC, MP3, Ogg Vorbis or Opus, any rate")
    .action(async (file: string, options: GenerationCommandOptions) => {
      run.status = await generateText("caption", file, options);
    });
}

async function generateText(
  command: string,
  file: string,
  options: GenerationCommandOptions,
): Promise<number> {
  const output = new Output(command, { json: options.json === true, color: useColor(options) });
  const progress = terminalProgress(!output.json);
  const adapters = adapterChoice(options);
  const { first, next, declared } = compileGeneration(file, options, output);
  const plan = planGeneration(first.graph, next.graph);
  const given = options.randomWeights === true ? (options.weights ?? "random:1") : options.weights;
  if (given === undefined) requireNoWeights([first.graph, next.graph]);
  const tokenizer = await openTokenizer(options);
  const ids = promptIds(options, plan, declared, tokenizer, output);
  requireKnownIds(ids, vocabularyOf(next.graph, plan), options.tokenizer ?? "the tokenizer");
  const stops = stopsOf(options, declared, tokenizer, output);
  const wanted: GenerationOptions = {
    choice: choiceOf(options),
    limit: options.maxTokens ?? declared?.limit ?? defaultLimit,
    ...(options.repetitionPenalty !== undefined && { repetitionPenalty: options.repetitionPenalty }),
    stopIds: stops.ids,
    stopTexts: stops.texts,
    history: ids,
  };
  checkOptions(wanted);
  const inputs = await readInputs(first.graph, inputSources(options, plan, ids));
  const weights = await openWeights(given, [first.graph, next.graph], first, output, adapters, options);
  try {
    const how = { ...options, generation: describeGeneration(plan, declared) };
    const prepared = await prepareTogether([first.graph, next.graph], weights, how, progress, silent);
    try {
      const texts: Record<string, unknown>[] = [];
      const uses = adapters.use.length === 0 ? [undefined] : adapters.use;
      for (const use of uses) {
        prepared.adapters?.use(use);
        if (uses.length > 1 && !output.json) process.stdout.write(`${use ?? "none"}: `);
        const timed = timedSession(prepared.generation(plan, inputs));
        progress.start("listening", 1);
        const found = await generate(timed.session, wanted, tokenizer, ({ text }) => {
          progress.stop();
          if (!output.json) process.stdout.write(text);
        });
        progress.stop();
        output.line(tokenizer === undefined ? found.ids.join(" ") : "");
        const seconds = { ...timed.seconds, prepare: prepared.prepareSeconds };
        const result = resultOf(found, ids, seconds);
        texts.push(prepared.adapters === undefined ? result : { adapter: use ?? null, ...result });
        if (!output.json && process.stderr.isTTY) process.stderr.write(speedLine(found, seconds));
      }
      output.set("model", first.entry.model);
      output.set("entries", [plan.first, plan.next]);
      output.set("target", options.target);
      reportArithmetic(prepared.entries[0] ?? {}, options, output);
      reportWeights(weights, output);
      if (texts.length > 1) output.set("texts", texts);
      else for (const [name, value] of Object.entries(texts[0] ?? {})) output.set(name, value);
      if (weights.random) output.line(`The weights are random (${given}): this text means nothing.`);
    } finally {
      await prepared.release();
    }
  } finally {
    progress.stop();
    await weights.close();
  }
  return output.finish();
}

/** Where each input of the first entry comes from, as `--in` has it. */
function inputSources(
  options: GenerationCommandOptions,
  plan: GenerationPlan,
  ids: readonly number[],
): Map<string, string> {
  const sources = new Map(options.in);
  if (plan.prompt !== undefined)
    sources.set(plan.prompt.name, JSON.stringify(plan.prompt.rank === 1 ? ids : [ids]));
  if (options.audio !== undefined) {
    if (plan.audio === undefined) {
      throw failure("not-a-captioner", `The entry ${plan.first} does not take one waveform.`, {
        hint: "caption needs an entry such as `prefill(audio, prompt) -> logits`; generate needs none",
      });
    }
    sources.set(plan.audio.name, options.audio);
  }
  return sources;
}

/** The number of scores that an id has, where it is known. */
function vocabularyOf(graph: Parameters<typeof planGeneration>[1], plan: GenerationPlan): number | undefined {
  const scores = graph.outputs.find((output) => output.name === plan.nextScores);
  return scores?.value.type.shape.at(-1)?.constant;
}

interface Seconds {
  /** To compile and load, to read what comes before, and for all steps together. */
  readonly prepare: number;
  readonly first: number;
  readonly steps: number;
}

type Timed = <T>(part: "first" | "steps", work: Promise<T>) => Promise<T>;

function timedSession(session: GenerationSession): {
  readonly session: GenerationSession;
  readonly seconds: Omit<Seconds, "prepare">;
} {
  const seconds = { first: 0, steps: 0 };
  const timed: Timed = async (part, work) => {
    const started = performance.now();
    const result = await work;
    seconds[part] += (performance.now() - started) / 1000;
    return result;
  };
  return {
    seconds,
    session: {
      start: () => timed("first", session.start()),
      step: (ids) => timed("steps", session.step(ids)),
      reorder: (from) => timed("steps", session.reorder(from)),
      ...(session.choosing && { choosing: timedChoosing(session.choosing, timed) }),
    },
  };
}

/** Of ids that are chosen one after another by themselves, the first takes the first entry. */
function timedChoosing(choosing: ChoosingSession, timed: Timed): ChoosingSession {
  return {
    ...choosing,
    start: () => timed("first", choosing.start()),
    step: (id) => timed("steps", choosing.step(id)),
    async *greedy(limit) {
      const ids = choosing.greedy(limit);
      try {
        let next = await timed("first", ids.next());
        while (next.done !== true) {
          yield next.value;
          next = await timed("steps", ids.next());
        }
      } finally {
        await ids.return();
      }
    },
  };
}

function resultOf(found: Generated, prompt: readonly number[], seconds: Seconds): Record<string, unknown> {
  return {
    text: found.text ?? null,
    ids: found.ids,
    promptIds: prompt,
    reason: found.reason,
    logProbability: found.logProbability,
    seconds,
    tokensPerSecond: rateOf(found, seconds) ?? null,
  };
}

/** The first id comes out of the first entry; every other one takes a step. */
function rateOf(found: Generated, seconds: Seconds): number | undefined {
  const steps = found.ids.length - 1;
  return steps > 0 && seconds.steps > 0 ? steps / seconds.steps : undefined;
}

function speedLine(found: Generated, seconds: Seconds): string {
  const rate = rateOf(found, seconds);
  const speed = rate === undefined ? "" : `, ${rate.toFixed(1)} tokens/s`;
  const end = found.reason === "limit" ? "at the limit" : "at a stop";
  return `${found.ids.length} tokens${speed}, ended ${end}; ${seconds.first.toFixed(2)} s to the first\n`;
}
