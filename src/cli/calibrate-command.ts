/**
 * `ossicle calibrate`: measures this machine, for `ossicle cost --device`.
 *
 * Owns: which probe gives which rate of a device profile, and the file.
 */
import { cpus } from "node:os";
import type { Command } from "commander";
import { type DeviceProfile, profileVersion, trafficAt } from "../compiler/cost/device-profile.ts";
import { layPairs, shortBytes, shortCount, shortTime } from "../compiler/cost/numbers.ts";
import { failure } from "../runtime/failure.ts";
import { type CommonOptions, positiveInteger, useColor } from "./options.ts";
import { Output } from "./output.ts";
import { writeWhole } from "./output-files.ts";
import { type ProbeResult, runProbe } from "./probe-run.ts";
import { probes, trafficProbes } from "./probes.ts";
import { terminalProgress } from "./progress.ts";
import type { Run } from "./run-state.ts";

interface CalibrateOptions extends Pick<CommonOptions, "json" | "color"> {
  readonly out?: string;
  readonly name?: string;
  readonly threads?: number;
  readonly rounds: number;
}

export function addCalibrate(program: Command, run: Run): void {
  program
    .command("calibrate")
    .summary("measure this machine, for estimates of time")
    .description(
      "Measures how fast onnxruntime does each kind of work on this machine (products, attention, scans, softmax, norms, exponentials, weights, states, results, traffic of several sizes, starting ops), and writes a profile that `ossicle cost --device` estimates times with. Do nothing else meanwhile.",
    )
    .option("-o, --out <file>", "where to write the profile")
    .option("--name <name>", "what to call the machine; its processor by default")
    .option(
      "--threads <number>",
      "threads inside one op; as many as there are cores by default",
      positiveInteger,
    )
    .option("--rounds <number>", "how often to measure", positiveInteger, 7)
    .option("--json", "print one JSON value on standard output")
    .option("--no-color", "print without colours")
    .action(async (options: CalibrateOptions) => {
      run.status = await calibrate(options);
    });
}

async function calibrate(options: CalibrateOptions): Promise<number> {
  const output = new Output("calibrate", { json: options.json === true, color: useColor(options) });
  const progress = terminalProgress(process.stderr.isTTY === true && options.json !== true);
  progress.start("measuring", probes.length);
  const measured = new Map<string, ProbeResult>();
  for (const probe of probes) {
    measured.set(probe.name, await runProbe(probe, { rounds: options.rounds, threads: options.threads }));
    progress.advance();
  }
  progress.stop();
  const profile = profileOf(measured, options.name ?? machineName(options.threads));
  output.set("profile", profile);
  for (const line of lines(profile)) output.line(line);
  if (options.out !== undefined) {
    const text = `${JSON.stringify(profile, null, 2)}\n`;
    await writeWhole(options.out, (sink) => sink.write(new TextEncoder().encode(text)));
  }
  return output.finish();
}

function machineName(threads: number | undefined): string {
  const [first] = cpus();
  const count = threads ?? cpus().length;
  return `${first?.model.trim() ?? "unknown processor"}, ${count} ${count === 1 ? "thread" : "threads"}, onnxruntime`;
}

/** The rates that the probes show. @throws DiagnosticError `calibration-failed` */
export function profileOf(measured: ReadonlyMap<string, ProbeResult>, name: string): DeviceProfile {
  const of = (probe: string): ProbeResult => {
    const found = measured.get(probe);
    if (found !== undefined && found.seconds > 0) return found;
    throw failure("calibration-failed", `The probe of ${probe} took no time that can be measured.`, {
      hint: "let the machine do nothing else, and try again with more --rounds",
    });
  };
  const start = of("start").seconds;
  // Starting the op is not part of its work.
  const rate = (probe: string, amount: (result: ProbeResult) => number, others = start): number => {
    const result = of(probe);
    return amount(result) / Math.max(result.seconds - others, result.seconds / 2);
  };
  const macs = (probe: string): number => rate(probe, (result) => result.macs);
  const elements = (probe: string): number => rate(probe, (result) => result.elements);
  const traffic = Array.from({ length: trafficProbes }, (_, at) => ({
    bytes: of(`traffic ${at}`).bytes,
    bytesPerSecond: rate(`traffic ${at}`, ({ bytes }) => bytes),
  }));
  const { bytes } = of("results");
  const written = bytes / trafficAt({ traffic }, bytes);
  return {
    profile: profileVersion,
    name,
    macsPerSecond: { products: macs("products"), attention: macs("attention"), scan: macs("scan") },
    elementsPerSecond: {
      softmax: elements("softmax"),
      norm: elements("norm"),
      function: elements("function"),
    },
    weightBytesPerSecond: rate("weights", ({ weights }) => weights),
    scanBytesPerSecond: rate("state", (result) => result.bytes),
    resultBytesPerSecond: rate("results", ({ results }) => results, written),
    traffic,
    secondsPerOp: start,
  };
}

function lines({ name, macsPerSecond, elementsPerSecond, ...rates }: DeviceProfile): string[] {
  return [
    name,
    ...layPairs([
      ["  products with learned matrices", `${shortCount(macsPerSecond.products)} MACs a second`],
      ["  products of activations", `${shortCount(macsPerSecond.attention)} MACs a second`],
      ["  scans", `${shortCount(macsPerSecond.scan)} MACs a second`],
      ["  softmax", `${shortCount(elementsPerSecond.softmax)} elements a second`],
      ["  norms", `${shortCount(elementsPerSecond.norm)} elements a second`],
      ["  exponentials and their like", `${shortCount(elementsPerSecond.function)} elements a second`],
      ["  learned matrices, read", `${shortBytes(rates.weightBytesPerSecond)} a second`],
      ["  states of scans, read and written", `${shortBytes(rates.scanBytesPerSecond)} a second`],
      ["  results, given out", `${shortBytes(rates.resultBytesPerSecond)} a second`],
      ...rates.traffic.map(
        ({ bytes, bytesPerSecond }) =>
          [`  ops that move ${shortBytes(bytes)}`, `${shortBytes(bytesPerSecond)} a second`] as const,
      ),
      ["  starting an op", shortTime(rates.secondsPerOp)],
    ]),
  ];
}
