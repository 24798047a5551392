/**
 * `ossicle trace`: how long every dispatch of an entry takes on WebGPU, and where in the model it is.
 *
 * Owns: from options to measured rounds. What is made of them is trace-report.ts's and chrome-trace.ts's.
 */
import { type Command, Option } from "commander";
import type { Elaboration } from "../compiler/elaborate.ts";
import type { HostTensor } from "../compiler/host-tensor.ts";
import type { PlanEntry, Size } from "../compiler/plan.ts";
import { leastBytes, longestChain } from "../compiler/plan-bounds.ts";
import { compilePlan, type PlanArtefact } from "../compiler/wgsl/compile.ts";
import { readWeightBytes } from "../compiler/wgsl/weight-bytes.ts";
import { failure } from "../runtime/failure.ts";
import { openDawn } from "../runtime/gpu/dawn.ts";
import { GpuModel } from "../runtime/gpu/model.ts";
import type { GpuSession } from "../runtime/gpu/session.ts";
import { evaluateSize, type Symbols } from "../runtime/gpu/sizes.ts";
import { bindSymbols } from "../runtime/gpu/symbols.ts";
import type { DispatchTime } from "../runtime/gpu/trace.ts";
import { weightsFrom } from "../runtime/gpu/weight-streams.ts";
import { type AdapterOptions, adapterChoice, singleUse } from "./adapters.ts";
import { chromeTrace } from "./chrome-trace.ts";
import { readInputs } from "./inputs.ts";
import { median } from "./median.ts";
import {
  inputOption,
  type ModelOptions,
  positiveInteger,
  storageOption,
  useColor,
  weightsOption,
  withModelOptions,
} from "./options.ts";
import { Output } from "./output.ts";
import { requireWritable, writeWhole } from "./output-files.ts";
import { compileEntry } from "./program.ts";
import { type Progress, terminalProgress } from "./progress.ts";
import type { Run } from "./run-state.ts";
import { type StorageOptions, storedGraphs } from "./storage.ts";
import {
  type TracedDispatch,
  type TraceGrouping,
  type TraceReport,
  traceGroupings,
  traceLines,
  traceToJson,
} from "./trace-report.ts";
import { type OpenWeights, openWeights, reportWeights } from "./weights.ts";

interface TraceOptions extends ModelOptions, AdapterOptions, StorageOptions {
  readonly entry?: string;
  readonly in: ReadonlyMap<string, string>;
  readonly weights?: string;
  readonly randomWeights?: boolean;
  readonly rounds: number;
  readonly by: TraceGrouping;
  readonly depth?: number;
  readonly top?: number;
  readonly chrome?: string;
}

export function addTrace(program: Command, run: Run): void {
  withModelOptions(program.command("trace"))
    .summary("time every dispatch of an entry on WebGPU")
    .description(
      "Runs an entry on WebGPU and prints how long its dispatches take, by where they are in the model or by kernel, with what they achieve and what no arrangement could go below.",
    )
    .argument("<file>", "an .oss file, or ossicle/… for one of the library")
    .option("-e, --entry <name>", "the entry; the first of the model by default")
    .addOption(inputOption())
    .addOption(weightsOption())
    .addOption(storageOption())
    .option("--random-weights", "the same as --weights random:1")
    .option(
      "--rounds <number>",
      "how often to measure, after one round that is not counted",
      positiveInteger,
      5,
    )
    .addOption(
      new Option("--by <heading>", "what the rows stand for").choices(traceGroupings).default("path"),
    )
    .option("--depth <segments>", "of a path, so many segments make a row", positiveInteger)
    .option("--top <rows>", "only the rows that take longest", positiveInteger)
    .option("--chrome <file>", "also write a trace that Perfetto and chrome://tracing open")
    .action(async (file: string, options: TraceOptions) => {
      run.status = await trace(file, options);
    });
}

async function trace(file: string, options: TraceOptions): Promise<number> {
  const output = new Output("trace", { json: options.json === true, color: useColor(options) });
  const progress = terminalProgress(!output.json);
  const given = options.randomWeights === true ? (options.weights ?? "random:1") : options.weights;
  const elaboration = compileEntry(file, options, { entry: options.entry, taps: [] }, output);
  if (options.chrome !== undefined) await requireWritable(options.chrome);
  const inputs = await readInputs(elaboration.graph, options.in);
  const adapters = singleUse(adapterChoice(options));
  const weights = await openWeights(given, [elaboration.graph], elaboration, output, adapters, options);
  try {
    const report = await measure(elaboration, weights, inputs, options.rounds, progress);
    reportWeights(weights, output);
    output.set("trace", traceToJson(report, options));
    for (const line of traceLines(report, options)) output.line(line);
    if (options.chrome !== undefined) {
      const text = `${JSON.stringify(chromeTrace(report))}\n`;
      await writeWhole(options.chrome, (sink) => sink.write(new TextEncoder().encode(text)));
      output.line(`written to ${options.chrome}`);
    }
    if (weights.random) output.line(`The weights are random (${given}): only the times mean anything.`);
  } finally {
    progress.stop();
    await weights.close();
  }
  return output.finish();
}

/** What is measured of one round. */
interface Round {
  readonly dispatches: readonly DispatchTime[];
  /** A whole call, results read. */
  readonly callNanoseconds: number;
}

async function measure(
  { graph, entry: { model: name } }: Elaboration,
  weights: OpenWeights,
  inputs: ReadonlyMap<string, HostTensor>,
  rounds: number,
  progress: Progress,
): Promise<TraceReport> {
  const artefact = compilePlan(storedGraphs([graph], weights.storage), { model: name, variants: "known" });
  const [entry] = artefact.plan.entries;
  if (entry === undefined) throw failure("internal-error", "The plan has no entry.");
  const shapes = new Map([...inputs].map(([input, { shape }]) => [input, shape]));
  const symbols = bindSymbols(entry, shapes);
  const model = await load(artefact, weights, progress);
  try {
    const session = model.session();
    progress.start("measuring", rounds + 1);
    const found: Round[] = [];
    for (let round = 0; round <= rounds; round++) {
      const measured = await measureOnce(session, entry, inputs);
      // The first compiles kernels, and caches are empty.
      if (round > 0) found.push(measured);
      progress.advance();
    }
    progress.stop();
    const sizes = new Map(entry.symbols.map((symbol) => [symbol.name, symbols.get(symbol.name) ?? 0]));
    return {
      model: name,
      entry: entry.name,
      adapter: model.adapter,
      clock: found[0]?.dispatches[0]?.clock ?? "host",
      rounds,
      sizes,
      dispatches: joined(found, symbols),
      callNanoseconds: median(found.map(({ callNanoseconds }) => callNanoseconds)),
      chain: longestChain(entry),
      leastBytes: leastBytes(artefact.plan, entry, sizes),
    };
  } finally {
    model.dispose();
  }
}

async function load(artefact: PlanArtefact, weights: OpenWeights, progress: Progress): Promise<GpuModel> {
  // Clocks are rounded against spying by others than the user; short dispatches would take no time at all.
  const gpu = await openDawn({ without: ["timestamp_quantization"] });
  progress.start("loading", Math.max(1, artefact.plan.weights.length));
  const stream = weightsFrom(weights.source.label, async (weight) => {
    const bytes = await readWeightBytes(artefact, weight, weights.source);
    progress.advance();
    return bytes;
  });
  const model = await GpuModel.load(artefact.plan, stream, { gpu, timestamps: true });
  progress.stop();
  return model;
}

async function measureOnce(
  session: GpuSession,
  { name, outputs }: PlanEntry,
  inputs: ReadonlyMap<string, HostTensor>,
): Promise<Round> {
  await session.reset();
  const dispatches = await session.trace(name, inputs);
  await session.reset();
  const read = outputs.filter(({ state }) => state === undefined).map((output) => output.name);
  const started = performance.now();
  await session.call(name, inputs, { read });
  return { dispatches, callNanoseconds: (performance.now() - started) * 1e6 };
}

/** Every dispatch that ran, its times put together, with what the plan says of it. */
function joined(rounds: readonly Round[], symbols: Symbols): TracedDispatch[] {
  const [first] = rounds;
  const value = (size: Size): number => evaluateSize(size, symbols);
  return (first?.dispatches ?? []).map(({ index, dispatch, path, kernel }, at) => {
    const times = rounds.map(({ dispatches }) => dispatches[at]?.nanoseconds ?? 0);
    return {
      index,
      path,
      kernel,
      nanoseconds: Math.round(median(times)),
      least: Math.min(...times),
      most: Math.max(...times),
      executed: value(dispatch.executed),
      declared: value(dispatch.declared),
      bytes: value(dispatch.traffic),
      workgroups: dispatch.workgroups.map(value),
    };
  });
}
