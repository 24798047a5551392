/**
 * What fuzzing holds the language to.
 *
 * Owns: the sources that are mutated and how often each kind is, and the judgement of one case.
 */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { catalog } from "../../src/compiler/ops/index.ts";
import { checkProgram } from "../../src/lang/check.ts";
import { type Diagnostic, DiagnosticSink } from "../../src/lang/diagnostic.ts";
import { type ParseResult, parse } from "../../src/lang/parse.ts";
import { loadProgram } from "../../src/lang/program.ts";
import { SourceFile } from "../../src/lang/source.ts";
import { faultsOf, library, loader } from "./check-text.ts";
import { errorCases } from "./error-fixtures.ts";
import { mutatedSource } from "./mutated-sources.ts";
import { root } from "./product-files.ts";
import { reducedSources } from "./reduced-sources.ts";

/** How large what a source describes is: a block or two, a few, a model of reduced size, or one as it was published. */
export type SourceKind = "tiny" | "small" | "reduced" | "full-size";

/** As it would stand anywhere else. */
const texts = library.map(({ path, text }) => {
  const folder = path.replace(/^models\//, "ossicle/").replace(/[^/]*$/, "");
  return text.replaceAll('from "../', 'from "ossicle/').replaceAll('from "./', `from "${folder}`);
});
/** Fixtures may import anything. */
const fixtures = errorCases().map(({ path }) => readFileSync(root + path, "utf8"));
const importsModels = /from "ossicle\/(?:captioners|classifiers|decoders|encoders)\//;
const declaresModel = /^model /m;
/** Characters of what is small, and tiny. */
const short = 2300;
const shortest = 500;

const isFullSize = (text: string): boolean =>
  importsModels.test(text) || (declaresModel.test(text) && texts.includes(text));
const isSmall = (text: string): boolean => text.length < short && !isFullSize(text);

/** The library, its models at reduced size, and the fixtures of mistakes. */
export const fuzzSources: Readonly<Record<SourceKind, readonly string[]>> = {
  tiny: [...texts, ...fixtures].filter((text) => isSmall(text) && text.length < shortest),
  small: [...texts, ...fixtures].filter((text) => isSmall(text) && text.length >= shortest),
  reduced: [
    ...reducedSources,
    ...[...texts, ...fixtures].filter((text) => text.length >= short && !isFullSize(text)),
  ],
  "full-size": [...texts, ...fixtures].filter(isFullSize),
};

/** Of a thousand cases. Most are tiny, so that there can be many. */
const weights: Readonly<Record<SourceKind, number>> = { tiny: 920, small: 75, reduced: 4, "full-size": 1 };

interface FuzzCase {
  readonly kind: SourceKind;
  readonly text: string;
}

const kinds: readonly SourceKind[] = ["tiny", "small", "reduced", "full-size"];

const fuzzCase: fc.Arbitrary<FuzzCase> = fc.oneof(
  ...kinds.map((kind) => ({
    weight: weights[kind],
    arbitrary: mutatedSource(fuzzSources[kind]).map((text): FuzzCase => ({ kind, text })),
  })),
);

/**
 * Milliseconds that a case may take of the processor on a machine that does nothing else. Models as they were
 * published take up to this long as they are; a reduced one that lost the setting which made it small is one of them.
 */
const most: Readonly<Record<SourceKind, number>> = {
  tiny: 100,
  small: 100,
  reduced: 300,
  "full-size": 300,
};
/** How often a slow case is looked at: what else the machine does, and the compiler of the first runs, add. */
const looks = 6;

/** The cases of one shard: the same number and seed give the same cases. */
export interface Shard {
  readonly seed: number;
  readonly cases: number;
  /** For a machine that does other things: how many times as long a case may take. */
  readonly patience?: number;
}

/** What a shard took. */
export interface FuzzReport {
  readonly cases: number;
  /** Of the cases, how many had a diagnostic. */
  readonly diagnosed: number;
  /** Of the processor, and by the clock, in all; of the processor for the slowest, by kind. */
  readonly seconds: { readonly processor: number; readonly clock: number };
  readonly slowest: Readonly<Record<SourceKind, number>>;
  /** Cases that took too long for a quiet machine, however often they were looked at. */
  readonly slow: readonly {
    readonly milliseconds: number;
    readonly kind: SourceKind;
    readonly text: string;
  }[];
}

/** Throws for the first case that is not as it should be, made as small as it gets, with how to see it again. */
export function fuzz({ seed, cases, patience = 1 }: Shard): FuzzReport {
  const slowest = { tiny: 0, small: 0, reduced: 0, "full-size": 0 };
  const slow: { milliseconds: number; kind: SourceKind; text: string }[] = [];
  let diagnosed = 0;
  const used = process.cpuUsage();
  const start = performance.now();
  fc.assert(
    fc.property(fuzzCase, (one) => {
      const { problems, milliseconds, isDiagnosed } = judge(one, patience);
      if (isDiagnosed) diagnosed++;
      slowest[one.kind] = Math.max(slowest[one.kind], milliseconds);
      if (milliseconds > most[one.kind]) slow.push({ milliseconds, ...one });
      if (problems.length > 0) throw new Error(problems.join("\n"));
    }),
    { seed, numRuns: cases },
  );
  const { user, system } = process.cpuUsage(used);
  const seconds = { processor: (user + system) / 1e6, clock: (performance.now() - start) / 1000 };
  return { cases, diagnosed, seconds, slowest, slow };
}

interface Judgement {
  readonly problems: readonly string[];
  readonly milliseconds: number;
  readonly isDiagnosed: boolean;
}

/** What is wrong with a case, and the least that it took in several looks. */
export function judge({ kind, text }: FuzzCase, patience: number): Judgement {
  // By the clock first: asking for the time of the processor takes longer than many a case.
  const start = performance.now();
  const diagnostics = check(text);
  let milliseconds = performance.now() - start;
  const problems = faultsOf(diagnostics);
  for (let look = 1; look < looks && milliseconds > most[kind]; look++) {
    const before = process.cpuUsage();
    check(text);
    const { user, system } = process.cpuUsage(before);
    milliseconds = Math.min(milliseconds, (user + system) / 1000);
  }
  if (milliseconds > patience * most[kind]) {
    problems.push(`${kind}: takes ${Math.round(milliseconds)} ms of the processor`);
  }
  return { problems, milliseconds, isDiagnosed: diagnostics.length > 0 };
}

/** The library does not change, and is read once. */
const parsed = new Map<string, ParseResult>();

function check(text: string): readonly Diagnostic[] {
  const file = new SourceFile("models/blocks/case.oss", text);
  const sink = new DiagnosticSink();
  const program = loadProgram(file, loader, sink, (one) => {
    const known = one === file ? undefined : parsed.get(one.path);
    const result = known ?? parse(one);
    if (one !== file) parsed.set(one.path, result);
    return result;
  });
  checkProgram(program, catalog, sink);
  return sink.sorted();
}
