/**
 * `ossicle sweep`: many variants of one model, measured and held against each other.
 *
 * Owns: which axes there are (the model's own `sweep`, and what `--set`, `--at`, `--seconds` and
 * `--tokens` list), and what is written where. Counting is src/compiler/cost/sweep.ts.
 */
import { type Command, InvalidArgumentError, Option } from "commander";
import { type Axis, axisOfTexts, readAxisValues, readNumericAxis } from "../compiler/cost/axes.ts";
import { nothingGiven } from "../compiler/cost/bindings.ts";
import { generationOf } from "../compiler/cost/clip.ts";
import type { Convention } from "../compiler/cost/conventions.ts";
import { isMeasure, type MeasureName, measures } from "../compiler/cost/measures.ts";
import { drawPlot } from "../compiler/cost/plot.ts";
import { type Sweep, sweepModel } from "../compiler/cost/sweep.ts";
import { sweepPage } from "../compiler/cost/sweep-page.ts";
import {
  type Comparison,
  compare,
  sweepLines,
  sweepToCsv,
  sweepToJson,
} from "../compiler/cost/sweep-text.ts";
import { GraphBuilder } from "../compiler/graph-builder.ts";
import { catalog } from "../compiler/ops/index.ts";
import { DiagnosticError, DiagnosticSink } from "../lang/diagnostic.ts";
import { type ModelOutline, openModel } from "../lang/model.ts";
import type { Program } from "../lang/program.ts";
import { failure } from "../runtime/failure.ts";
import { conventionOption, splitNames } from "./cost-options.ts";
import { collectPairs, type ModelOptions, useColor, withModelOptions } from "./options.ts";
import { Output } from "./output.ts";
import { writeWhole } from "./output-files.ts";
import { openProgram } from "./program.ts";
import type { Run } from "./run-state.ts";

interface SweepOptions extends ModelOptions {
  readonly entry?: readonly string[];
  readonly at: ReadonlyMap<string, string>;
  readonly seconds?: string;
  readonly tokens?: string;
  readonly measure: readonly MeasureName[];
  readonly convention: Convention;
  readonly plot?: readonly [string, string];
  readonly csv?: boolean;
  readonly svg?: string;
  readonly html?: string;
}

export function addSweep(program: Command, run: Run): void {
  withModelOptions(program.command("sweep"))
    .summary("measure many variants of a model")
    .description(
      "Counts every combination of the values that --set lists, or that the model's own `sweep` declares: `--set keep=0.5..1.0:0.1 --set size=130m,2.7b`. The model is laid out as seldom as possible; what can stay open is a formula, evaluated for each variant.",
    )
    .argument("<file>", "an .oss file, or ossicle/… for one of the library")
    .option(
      "-e, --entry <names>",
      "the entries to measure; the first, or those of a clip, by default",
      splitNames,
    )
    .option(
      "--at <name=values>",
      "values for what is open, such as B=1 (repeatable)",
      collectPairs,
      new Map(),
    )
    .option("--seconds <values>", "lengths of the recording, such as 10 or 5..30:5")
    .option("--tokens <values>", "add up one clip: so many tokens after the prompt")
    .option("--measure <names>", `what to measure: ${measures.join(", ")}`, readMeasures, ["macs", "params"])
    .addOption(conventionOption())
    .addOption(
      new Option(
        "--plot <x,y>",
        "two of the columns to hold against each other, such as clip.macs,params or macs,keep+: of keep, more is better",
      ).argParser(readPair),
    )
    .option("--csv", "print the variants as CSV")
    .option("--svg <file>", "also write the plot")
    .option("--html <file>", "also write a page with the plot and the table")
    .action(async (file: string, options: SweepOptions) => {
      run.status = await sweep(file, options);
    });
}

function readMeasures(text: string): MeasureName[] {
  return splitNames(text).map((name) => {
    if (!isMeasure(name))
      throw new InvalidArgumentError(`${name} is no measure: there are ${measures.join(", ")}`);
    return name;
  });
}

function readPair(text: string): readonly [string, string] {
  const [x, y, ...others] = splitNames(text);
  if (x === undefined || y === undefined || others.length > 0) {
    throw new InvalidArgumentError("name two columns, as in clip.macs,params");
  }
  return [x, y];
}

async function sweep(file: string, options: SweepOptions): Promise<number> {
  const output = new Output("sweep", { json: options.json === true, color: useColor(options) });
  const sink = new DiagnosticSink();
  const program = openProgram(file, options, sink);
  const axes = axesOf(program, options, sink);
  const settings = new Map(
    [...axes].filter(isSettled).map(({ name, values }) => [name, values[0]?.text ?? ""]),
  );
  const outline = open(program, options, settings, sink);
  const swept = sweepModel(program, outline.declaration.parameters, {
    model: options.model,
    entries: entriesOf(outline, options),
    settings,
    given: nothingGiven,
    tokens: undefined,
    axes: axes.filter((axis) => !isSettled(axis)),
    measures: options.measure,
    convention: options.convention,
  });
  output.diagnostics(sink.sorted());
  const comparison = comparisonOf(swept, options);
  await writeFiles(swept, comparison, options);
  output.set("sweep", sweepToJson(swept, comparison));
  if (options.csv === true) output.line(sweepToCsv(swept).trimEnd());
  else for (const line of sweepLines(swept, comparison)) output.line(line);
  return output.finish();
}

const isSettled = (axis: Axis): boolean => axis.kind === "parameter" && axis.values.length === 1;

/** What the options list comes before what the model declares. @throws DiagnosticError `empty-sweep` */
function axesOf(program: Program, options: SweepOptions, sink: DiagnosticSink): Axis[] {
  const given = [...options.set].map(
    ([name, text]): Axis => ({ name, kind: "parameter", values: readAxisValues(name, text) }),
  );
  const bound = [
    ...options.at,
    ...(options.seconds === undefined ? [] : [["seconds", options.seconds] as const]),
    ...(options.tokens === undefined ? [] : [["tokens", options.tokens] as const]),
  ].map(([name, text]) => readNumericAxis(name, text));
  const settled = new Map(given.filter(isSettled).map(({ name, values }) => [name, values[0]?.text ?? ""]));
  const { declaration, instance } = open(program, options, settled, sink);
  const declared = instance
    .plans()
    .sweep.filter(({ parameter }) => !given.some(({ name }) => name === parameter))
    .map(({ parameter, values }) =>
      axisOfTexts(
        parameter,
        values.map(({ text }) => text),
      ),
    );
  if (sink.hasErrors) throw new DiagnosticError(sink.sorted());
  const axes = [...declared, ...given, ...bound];
  if (axes.some(({ values }) => values.length > 1)) return axes;
  const names = declaration.parameters.map(({ name }) => name.name);
  const [example = "keep"] = names;
  throw failure(
    "empty-sweep",
    `Nothing varies: ${declaration.name.name} declares no \`sweep\`, and no option lists several values.`,
    {
      hint:
        names.length === 0
          ? "the model has no parameters; --seconds 5..30:5 or --at NAME=1,2,4 vary what is open"
          : `as in --set ${example}=…,…; its parameters are ${names.join(", ")}`,
    },
  );
}

function open(
  program: Program,
  options: SweepOptions,
  settings: ReadonlyMap<string, string>,
  sink: DiagnosticSink,
): ModelOutline {
  const request = { model: options.model, settings };
  const outline = openModel({ program, catalog, sink }, request, new GraphBuilder("sweep"));
  if (outline === undefined || sink.hasErrors) throw new DiagnosticError(sink.sorted());
  return outline;
}

/** Those that are asked for; else those that generate, when tokens are counted; else the first. */
function entriesOf({ instance, declaration }: ModelOutline, options: SweepOptions): readonly string[] {
  const known = instance.entries.map((entry) => entry.name.name);
  for (const name of options.entry ?? []) {
    if (known.includes(name)) continue;
    throw failure("no-such-entry", `${declaration.name.name} has no entry called ${name}.`, {
      hint: `there are ${known.join(", ")}`,
    });
  }
  if (options.entry !== undefined && options.entry.length > 0) return options.entry;
  if (options.tokens === undefined) return known.slice(0, 1);
  const entries = instance.entries.map((entry) => ({
    entry: entry.name.name,
    continues: entry.continues?.name,
  }));
  const generation = generationOf({ plans: instance.plans(), entries });
  return generation === undefined ? known : [generation.first, generation.next];
}

function comparisonOf(swept: Sweep, options: SweepOptions): Comparison | undefined {
  if (options.plot !== undefined) return compare(swept, options.plot);
  if (options.svg === undefined && options.html === undefined) return undefined;
  const [first, second] = swept.columns;
  const varied = swept.axes.find(
    ({ values }) => values.length > 1 && values.every(({ value }) => value !== undefined),
  );
  const x = second === undefined ? varied?.name : first?.name;
  const y = second === undefined ? first?.name : second.name;
  if (x !== undefined && y !== undefined) return compare(swept, [x, y]);
  throw failure("wrong-usage", "A plot needs two measures.", { hint: "as in --plot macs,params" });
}

async function writeFiles(
  swept: Sweep,
  comparison: Comparison | undefined,
  { svg, html }: SweepOptions,
): Promise<void> {
  if (comparison === undefined) return;
  const write = async (path: string, text: string): Promise<void> =>
    await writeWhole(path, (sink) => sink.write(new TextEncoder().encode(text)));
  if (svg !== undefined) await write(svg, drawPlot(swept, comparison));
  if (html !== undefined) await write(html, sweepPage(swept, comparison));
}
