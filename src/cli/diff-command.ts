/**
 * `ossicle diff`: what differs between two variants.
 *
 * Owns: which models and entries are compared. What differs is src/compiler/difference.ts, and how
 * that reads difference-text.ts.
 */
import type { Command } from "commander";
import type { Convention } from "../compiler/cost/conventions.ts";
import type { Target } from "../compiler/cost/device-work.ts";
import { compareGraphs, type GraphDifference, isSame, type NamedChange } from "../compiler/difference.ts";
import { type Elaboration, elaborate, entryNames } from "../compiler/elaborate.ts";
import { DiagnosticError, DiagnosticSink } from "../lang/diagnostic.ts";
import { failure } from "../runtime/failure.ts";
import { atOption, conventionOption, givenBy, secondsOption, targetOption } from "./cost-options.ts";
import { diffCosts } from "./diff-cost.ts";
import { differenceLines } from "./difference-text.ts";
import {
  type CommonOptions,
  collect,
  collectPairs,
  positiveInteger,
  useColor,
  withCommonOptions,
} from "./options.ts";
import { Output } from "./output.ts";
import { openProgram } from "./program.ts";
import type { Run } from "./run-state.ts";

interface DiffOptions extends CommonOptions {
  readonly modelA?: string;
  readonly modelB?: string;
  readonly set: ReadonlyMap<string, string>;
  readonly setA: ReadonlyMap<string, string>;
  readonly setB: ReadonlyMap<string, string>;
  readonly entry: readonly string[];
  readonly all?: boolean;
  readonly exitCode?: boolean;
  readonly cost?: boolean;
  readonly at: ReadonlyMap<string, number>;
  readonly seconds?: number;
  readonly tokens?: number;
  readonly convention: Convention;
  readonly target?: Target;
}

/** One of the two: a model with its settings. */
interface Variant {
  readonly file: string;
  readonly model: string | undefined;
  readonly settings: ReadonlyMap<string, string>;
}

interface EntryDifference {
  readonly entry: string;
  /** Absent where only one of the two has the entry. */
  readonly difference: GraphDifference | undefined;
  readonly only?: "A" | "B";
}

export function addDiff(program: Command, run: Run): void {
  const command = program.command("diff");
  withCommonOptions(command)
    .summary("show what differs between two variants of a model")
    .description(
      "Compares two variants by path: inputs and results, learned tensors, ops, sizes, and what they cost. Both are unrolled first, so what counts is what they compute and not how they are written.",
    )
    .argument("<A>", "an .oss file or ossicle/…, alone or with a model of it: file.oss:Model")
    .argument("[B]", "the other; A by default, to compare settings")
    .option("--model-a <name>", "the model of A; the first of the file by default")
    .option("--model-b <name>", "the model of B; that of A by default, when the file is the same")
    .option("-s, --set <name=value>", "a value for a parameter of both (repeatable)", collectPairs, new Map())
    .option("--set-a <name=value>", "a value for a parameter of A (repeatable)", collectPairs, new Map())
    .option("--set-b <name=value>", "a value for a parameter of B (repeatable)", collectPairs, new Map())
    .option("-e, --entry <name>", "an entry to compare (repeatable); all by default", collect, [])
    .option("--all", "show every change, however many there are")
    .option("--cost", "compare what they cost: MACs, parameters, memory")
    .addOption(atOption())
    .addOption(secondsOption())
    .option("--tokens <number>", "with --cost, also add up one clip of so many tokens", positiveInteger)
    .addOption(conventionOption())
    .addOption(targetOption())
    .option("--exit-code", "end with status 1 when there are differences")
    .action((a: string, b: string | undefined, options: DiffOptions) => {
      for (const [written, named] of [
        [a, options.modelA],
        [b ?? a, options.modelB],
      ] as const) {
        const model = splitModel(written).model;
        if (named === undefined || model === undefined || model === named) continue;
        command.error(`error: ${written} names the model ${model}, and an option ${named}`, { exitCode: 2 });
      }
      run.status = diff(a, b, options);
    });
}

function printEntry({ entry, difference, only }: EntryDifference, all: boolean, output: Output): void {
  if (difference === undefined) {
    output.line(`${only === "A" ? "-" : "+"} entry ${entry}\n`);
  } else if (!isSame(difference)) {
    output.line(`entry ${entry}`);
    for (const line of differenceLines(difference, all)) output.line(`  ${line}`);
    output.line();
  }
}

function diff(a: string, b: string | undefined, options: DiffOptions): number {
  const output = new Output("diff", { json: options.json === true, color: useColor(options) });
  const first = variantOf(a, options.modelA, new Map([...options.set, ...options.setA]));
  const second = variantOf(b ?? a, options.modelB, new Map([...options.set, ...options.setB]));
  const sameFile = second.file === first.file;
  const [before, after] = [first, { ...second, model: second.model ?? (sameFile ? first.model : undefined) }];
  if (options.cost === true) {
    const { entry: entries, tokens, convention, target } = options;
    const counting = { given: givenBy(options), tokens, convention, target, entries };
    const isSame = diffCosts(before, after, counting, options, output);
    output.set("same", isSame);
    if (isSame) output.line("The two cost the same.");
    const status = output.finish();
    return !isSame && options.exitCode === true ? 1 : status;
  }
  const differences = compareVariants(before, after, options, output);
  output.set("differences", differences.map(toJson));
  for (const difference of differences) printEntry(difference, options.all === true, output);
  const differs = differences.some(({ difference }) => difference === undefined || !isSame(difference));
  output.set("same", !differs);
  if (!differs) output.line("The two compute the same.");
  const status = output.finish();
  return differs && options.exitCode === true ? 1 : status;
}

/** `file.oss:Model` is a file and a model of it. */
function splitModel(written: string): { readonly file: string; readonly model: string | undefined } {
  const [, file = written, model] = /^(.+\.oss):(\w+)$/.exec(written) ?? [];
  return { file, model };
}

function variantOf(
  written: string,
  named: string | undefined,
  settings: ReadonlyMap<string, string>,
): Variant {
  const { file, model } = splitModel(written);
  return { file, model: named ?? model, settings };
}

function compareVariants(
  before: Variant,
  after: Variant,
  options: DiffOptions,
  output: Output,
): EntryDifference[] {
  const [left, right] = [openVariant(before, options), openVariant(after, options)];
  const known = [...new Set([...left.entries, ...right.entries])];
  for (const name of options.entry) {
    if (known.includes(name)) continue;
    throw failure("no-such-entry", `Neither of the two has an entry called ${name}.`, {
      hint: `there are ${known.join(", ")}`,
    });
  }
  const names = options.entry.length === 0 ? known : known.filter((name) => options.entry.includes(name));
  return names.map((entry) => {
    if (!left.entries.includes(entry)) return { entry, difference: undefined, only: "B" };
    if (!right.entries.includes(entry)) return { entry, difference: undefined, only: "A" };
    const graphs = [left, right].map((side) => side.elaborate(entry, output).graph);
    const [old, now] = graphs;
    if (old === undefined || now === undefined) throw new Error("an entry was not elaborated");
    return { entry, difference: compareGraphs(old, now) };
  });
}

interface OpenVariant {
  readonly entries: readonly string[];
  elaborate(entry: string, output: Output): Elaboration;
}

function openVariant({ file, model, settings }: Variant, options: DiffOptions): OpenVariant {
  const sink = new DiagnosticSink();
  const program = openProgram(file, { ...options, set: settings }, sink);
  const entries = entryNames(program, { model, settings }, sink);
  if (entries === undefined || sink.hasErrors) throw new DiagnosticError(sink.sorted());
  return {
    entries,
    elaborate(entry, output) {
      const problems = new DiagnosticSink();
      const elaboration = elaborate(program, { model, settings, entry }, problems);
      if (elaboration === undefined || problems.hasErrors) throw new DiagnosticError(problems.sorted());
      output.diagnostics(problems.sorted());
      return elaboration;
    },
  };
}

// ---------------------------------------------------------------- for programs

function toJson({ entry, difference, only }: EntryDifference): unknown {
  if (difference === undefined) return { entry, only };
  const { inputs, outputs, parameters, ops, sizes, guards, rewired, totals } = difference;
  const named = ({ name, before, after }: NamedChange) => ({
    ...{ name, before: before ?? null, after: after ?? null },
  });
  const [before, after] = [totals.before, totals.after].map(({ tensors, parameters: learned, macs }) => ({
    tensors,
    parameters: String(learned),
    macs: String(macs),
  }));
  return {
    entry,
    same: isSame(difference),
    inputs: inputs.map(named),
    outputs: outputs.map(named),
    parameters: parameters.map(named),
    ops,
    sizes: sizes.map((size) => ({ path: size.path, before: String(size.before), after: String(size.after) })),
    guards: guards.map(named),
    rewired,
    totals: { before, after },
  };
}
