/**
 * How long counting takes, and how far an estimate of time is from a run.
 *
 * Owns: the cost of the largest captioner in a process that has counted before, a sweep of a thousand
 * variants after start, and estimates of entries that calibration knows nothing of against their runs on
 * the same machine, in turns with the probes of calibration.
 */

import { profileOf } from "../src/cli/calibrate-command.ts";
import { type OpenProbe, openProbe } from "../src/cli/probe-run.ts";
import { probes } from "../src/cli/probes.ts";
import { compileEntry, openProgram } from "../src/cli/program.ts";
import { terminalProgress } from "../src/cli/progress.ts";
import { openWeights } from "../src/cli/weights.ts";
import { nothingGiven } from "../src/compiler/cost/bindings.ts";
import { countGraph } from "../src/compiler/cost/count.ts";
import { estimate } from "../src/compiler/cost/latency.ts";
import { costModel } from "../src/compiler/cost/model-cost.ts";
import { reportCost } from "../src/compiler/cost/report.ts";
import { reportLines } from "../src/compiler/cost/report-text.ts";
import { sweepModel } from "../src/compiler/cost/sweep.ts";
import type { Elaboration } from "../src/compiler/elaborate.ts";
import type { Graph } from "../src/compiler/graph.ts";
import type { HostTensor } from "../src/compiler/host-tensor.ts";
import { DiagnosticSink } from "../src/lang/diagnostic.ts";
import { printSpread, type Spread, spread } from "./measure.ts";
import { compileModel, encoders, openSessions, quiet } from "./models.ts";
import { noise } from "./products.ts";

/** Seconds; what others do on the machine can only add to them. */
export interface Counted {
  readonly clock: Spread;
  /** The least of the rounds, of all threads together. */
  readonly processor: number;
}

export interface AccountingResult {
  /** Seconds to count every entry of the largest captioner and write the report. */
  readonly cost: Counted;
  /** Seconds for a thousand variants, the layouts included, and their number. */
  readonly sweep: Counted;
  readonly variants: number;
  /** Estimated seconds over measured ones. */
  readonly estimates: readonly {
    readonly name: string;
    readonly estimated: number;
    readonly measured: Spread;
  }[];
}

const captioner = "models/captioners/sam.oss";
/** Rounds until the compiler of JavaScript has done its work. */
const warming = 15;

/** `print` is given each line as soon as it is known: the whole takes minutes. */
type Print = (line: string) => void;

export async function measureAccounting(rounds: number, print: Print): Promise<AccountingResult> {
  print("Counting");
  const options = { color: false, set: new Map<string, string>() };
  const program = openProgram(captioner, options, new DiagnosticSink());
  const count = (): readonly string[] => {
    const sink = new DiagnosticSink();
    const model = costModel(program, { model: "Sam2b7", settings: new Map() }, sink);
    if (model === undefined) throw new Error("the captioner can't be counted");
    const settings = { settings: new Map(), convention: "core", by: "path", depth: 3 } as const;
    return reportLines(reportCost(model, { given: nothingGiven, ...settings }));
  };
  const cost = repeat(rounds, count, warming);
  print(
    `  cost of the captioner with 2.7b, every entry: ${printSpread(cost.clock, 0, 1000)} ms in a warm process, ${(1000 * cost.processor).toFixed(0)} ms of the processor at best (aim 300)`,
  );
  const sizes = ["130m", "370m", "780m", "1.3b", "2.7b"];
  const numbers = (count: number, of: (i: number) => number) =>
    Array.from({ length: count }, (_, i) => ({ text: String(of(i)), value: of(i) }));
  const axes = [
    { name: "size", kind: "parameter", values: sizes.map((text) => ({ text, value: undefined })) },
    { name: "keep", kind: "parameter", values: numbers(20, (i) => (50 + 2 * i) / 100) },
    { name: "P", kind: "binding", values: numbers(10, (i) => 1 + i) },
  ] as const;
  const declaration = program.root.unit.declarations.find(
    (one) => one.kind === "block" && one.name.name === "Sam",
  );
  const parameters = declaration?.kind === "block" ? declaration.parameters : [];
  let variants = 0;
  const sweep = repeat(Math.min(rounds, 3), () => {
    const swept = sweepModel(program, parameters, {
      model: "Sam",
      entries: ["prefill", "step"],
      settings: new Map([["arrangement", "each"]]),
      given: { at: new Map(), seconds: 10 },
      tokens: 30,
      axes,
      measures: ["macs", "params"],
      convention: "core",
    });
    variants = swept.variants.length;
    return swept;
  });
  print(
    `  sweep of ${variants} variants of it: ${printSpread(sweep.clock, 2)} s, ${sweep.processor.toFixed(2)} s of the processor at best (aim 2)`,
  );
  return { cost, sweep, variants, estimates: await measureEstimates(rounds, print) };
}

/** Entries that no probe of the calibration is part of. */
interface Estimated {
  readonly name: string;
  readonly elaboration: Elaboration;
  readonly bindings: ReadonlyMap<string, number>;
}

function estimatedEntries(): Estimated[] {
  const classifiers = encoders.flatMap((choice) =>
    [1, 0.5].map((keep) => ({
      name: `${choice.name}, keep ${keep}`,
      elaboration: compileModel(choice, keep),
      bindings: new Map([["B", 1]]),
    })),
  );
  const options = { set: new Map([["size", "130m"]]), color: false };
  const decoders = ["prefill", "step"].map((entry) => ({
    name: `Mamba-2 130m, ${entry === "step" ? "a step" : "256 tokens read"}`,
    elaboration: compileEntry("models/decoders/mamba2-lm.oss", options, { entry }, quiet()),
    bindings: new Map([["B", 1], ...(entry === "step" ? [] : [["L", 256] as const])]),
  }));
  return [...classifiers, ...decoders];
}

/** A short entry runs more often: for so many seconds at least. */
const atLeast = 1;

/**
 * The entry and every probe take turns, on one thread, and all are taken by the medians of the processor's
 * own time: others that read memory slow down an entry as they do the probes.
 */
async function measureEstimates(rounds: number, print: Print): Promise<AccountingResult["estimates"]> {
  const opened = new Map<string, OpenProbe>();
  for (const probe of probes) {
    opened.set(probe.name, await openProbe(probe, { threads: 1, clock: "processor" }));
  }
  const results: AccountingResult["estimates"][number][] = [];
  for (const { name, elaboration, bindings } of estimatedEntries()) {
    const times = await takeTurns(elaboration, bindings, [...opened.values()], rounds);
    const shown = new Map([...opened].map(([probe, { result }]) => [probe, result()]));
    const profile = profileOf(shown, "this machine");
    const { seconds } = estimate(countGraph(elaboration.graph), bindings, profile);
    const measured = spread(times);
    const error = (100 * (seconds - measured.median)) / measured.median;
    print(
      `  ${name}: estimated ${seconds.toFixed(3)} s, took ${printSpread(measured, 3)} s of the processor (one thread): ${error > 0 ? "+" : ""}${error.toFixed(0)} % (aim 25)`,
    );
    results.push({ name, estimated: seconds, measured });
  }
  for (const probe of opened.values()) await probe.release();
  return results;
}

/** Seconds of the entry, after a turn of all that is not counted. What it is given is drawn before. */
async function takeTurns(
  elaboration: Elaboration,
  bindings: ReadonlyMap<string, number>,
  others: readonly OpenProbe[],
  rounds: number,
): Promise<readonly number[]> {
  const { graph } = elaboration;
  const weights = await openWeights("random:1", [graph], elaboration, quiet());
  const opened = await openSessions([graph], weights.source, terminalProgress(false), "portable", 1);
  const inputs = inputsOf(graph, bindings);
  const times: number[] = [];
  let passed = 0;
  for (let round = 0; round <= rounds || passed < atLeast; round++) {
    // A call behind another of its kind, as steps come: the first one also pays for what ran before it.
    await opened.sessions[0]?.run(inputs);
    const used = process.cpuUsage();
    await opened.sessions[0]?.run(inputs);
    const { user, system } = process.cpuUsage(used);
    for (const probe of others) await probe.round();
    if (round === 0) {
      for (const probe of others) probe.result();
      continue;
    }
    const taken = (user + system) / 1e6;
    times.push(taken);
    passed += taken;
  }
  await opened.release();
  return times;
}

function inputsOf(graph: Graph, bindings: ReadonlyMap<string, number>): ReadonlyMap<string, HostTensor> {
  return new Map(
    graph.inputs.map(({ name, value: { type } }) => {
      const shape = type.shape.map((dim) => dim.evaluate(bindings));
      const drawn = noise(shape, 0.5);
      if (type.dtype !== "i64") return [name, drawn];
      return [
        name,
        { dtype: "i64", shape, data: Float64Array.from(drawn.data, (_, i) => (i * 7919) % 50_000) },
      ];
    }),
  );
}

/** @param before rounds that only warm the process up */
function repeat(rounds: number, run: () => unknown, before = 1): Counted {
  const clock: number[] = [];
  const processor: number[] = [];
  for (let round = -before; round < rounds; round++) {
    const started = performance.now();
    const used = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(used);
    if (round < 0) continue;
    clock.push((performance.now() - started) / 1000);
    processor.push((user + system) / 1e6);
  }
  return { clock: spread(clock), processor: Math.min(...processor) };
}
