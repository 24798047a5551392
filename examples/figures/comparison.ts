/**
 * Mamba-2 against the 7B transformer that LTU and GAMA are made with: language models alone, as their
 * encoders cost about the same.
 *
 * Owns: which lengths are compared, and finding the length from which one costs less than the other.
 */
import { Counted } from "./count.ts";
import { digits, giga, markdownTable } from "./markdown.ts";
import { mamba2Sizes } from "./wanted.ts";

type MacsOfText = (length: number) => number;

interface LanguageModel {
  readonly title: string;
  readonly parameters: number;
  /** MACs of reading so many tokens at once, with the scores behind the last. */
  readonly read: MacsOfText;
  /** MACs of one more token behind so many. */
  readonly next: MacsOfText;
  /** Numbers that are kept for the next token behind so many. */
  readonly kept: (length: number) => number;
}

function transformer(): LanguageModel {
  const of = (entry: string) => new Counted({ file: "ossicle/decoders/llama.oss", model: "LlamaLm", entry });
  const [read, next] = [of("prefill"), of("step")];
  const [reading, stepping] = [read.macsAt(), next.macsAt()];
  const present = read.entry.cost.graph.outputs.find(({ name }) => name === "present");
  return {
    title: "LLaMA-2-7B",
    parameters: next.measure("params"),
    read: remembered((L) => reading({ L })),
    next: (P) => stepping({ P }),
    kept: (L) => {
      const sizes = (present?.value.type.shape ?? []).map((size) =>
        size.evaluate(
          new Map([
            ["B", 1],
            ["L", L],
          ]),
        ),
      );
      return sizes.reduce((product, size) => product * size, 1);
    },
  };
}

function mamba2(size: string): LanguageModel {
  const of = (entry: string) =>
    new Counted({ file: "ossicle/decoders/mamba2-lm.oss", model: "Mamba2Lm", entry, settings: { size } });
  const [read, next] = [of("prefill"), of("step")];
  const reading = read.macsAt();
  const step = next.macs();
  const kept = next.stateNumbers("state");
  return {
    title: `Mamba-2 ${size}`,
    parameters: next.measure("params"),
    read: remembered((L) => reading({ L })),
    next: () => step,
    kept: () => kept,
  };
}

const lengths = [64, 256, 1024, 4096];
let known: readonly [LanguageModel, ...LanguageModel[]] | undefined;

function all(): readonly [LanguageModel, ...LanguageModel[]] {
  known ??= [transformer(), ...mamba2Sizes.map(mamba2)];
  return known;
}

/** The function, which is asked for each length once. */
function remembered(of: MacsOfText): MacsOfText {
  const counts = new Map<number, number>();
  return (length) => {
    const count = counts.get(length) ?? of(length);
    counts.set(length, count);
    return count;
  };
}

/** GMACs, and how many times fewer than the transformer's. */
export function comparison(): string {
  const [large, ...small] = all();
  const cell = (model: LanguageModel, of: "read" | "next", length: number): string => {
    const count = model[of](length);
    const times = large[of](length) / count;
    const shown = giga(count, of === "read" ? 0 : 2);
    return model === large ? shown : `${shown} (${times.toFixed(1)} ×)`;
  };
  const rows = [large, ...small].map((model) => [
    model.title,
    digits(model.parameters),
    ...lengths.map((length) => cell(model, "read", length)),
    ...[64, 4096].map((length) => cell(model, "next", length)),
  ]);
  const head = [
    "GMACs (times fewer)",
    "parameters",
    ...lengths.map((length) => `${length} tokens read`),
    "one token behind 64",
    "one token behind 4096",
  ];
  return markdownTable(head, rows);
}

/** Tokens of ten seconds of sound in the captioners of arXiv:2509.15680, section 2, and in LTU and GAMA. */
const arrangements = [
  { title: "64 tokens of sound", tokens: 64 },
  { title: "519 tokens", tokens: 512 + 7 },
  { title: "575 tokens", tokens: 512 + 63 },
] as const;
const systems = [
  { title: "LTU (32)", tokens: 32 },
  { title: "GAMA (96)", tokens: 96 },
] as const;

/** Texts beyond this are not looked at. */
const longest = 4096;

/** From how many tokens of text on, beside those of sound, the small model needs fewer MACs. */
export function crossovers(): string {
  const [large, ...small] = all();
  const pairs = arrangements.flatMap(({ title, tokens }) =>
    systems.map((system) => ({ title: `${title}, ${system.title}`, own: tokens, others: system.tokens })),
  );
  const rows = small.map((model) => [
    model.title,
    ...pairs.map(({ own, others }) =>
      firstLength((text) => model.read(own + text) < large.read(others + text)),
    ),
    firstLength((length) => model.kept(length) < large.kept(length)),
  ]);
  return markdownTable(["from text of", ...pairs.map(({ title }) => title), "state below its cache"], rows);
}

/** The length from which it holds, up to the longest that is looked at. */
export function firstLength(holds: (length: number) => boolean): string {
  if (!holds(longest)) return "never";
  let failing = 0;
  // A prefill in chunks does not grow evenly: nothing below may be skipped near the crossing.
  for (let length = longest; length > 0 && failing === 0; length--) if (!holds(length)) failing = length;
  return digits(failing + 1);
}
