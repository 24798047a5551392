/**
 * `ossicle weights accuracy`: what storing weights in fewer bits changes, of the weights and of what a model gives.
 */
import type { Command } from "commander";
import type { HostTensor } from "../compiler/host-tensor.ts";
import type { OnnxProfile } from "../compiler/onnx/context.ts";
import { type StorageError, storageErrors } from "../compiler/storage-error.ts";
import { failure } from "../runtime/failure.ts";
import { prepare, type Target } from "./execute.ts";
import { readInputs } from "./inputs.ts";
import {
  collectPairs,
  type ModelOptions,
  positiveInteger,
  profileOption,
  storageOption,
  targetOption,
  useColor,
  weightsOption,
  withModelOptions,
} from "./options.ts";
import { Output } from "./output.ts";
import { compileEntry } from "./program.ts";
import { terminalProgress } from "./progress.ts";
import type { Run } from "./run-state.ts";
import type { StorageOptions } from "./storage.ts";
import { openWeights, reportWeights } from "./weights.ts";

interface AccuracyOptions extends ModelOptions, StorageOptions {
  readonly entry?: string;
  readonly in: ReadonlyMap<string, string>;
  readonly weights?: string;
  readonly target: Target;
  readonly profile: OnnxProfile;
  readonly top: number;
}

export function addAccuracy(weights: Command, run: Run): void {
  withModelOptions(weights.command("accuracy"))
    .summary("say what storing weights in fewer bits changes")
    .description(
      "Measures every matrix that is stored in fewer bits against what it was; with inputs, also runs the entry both ways and compares its results.",
    )
    .argument("<file>", "an .oss file, or ossicle/… for one of the library")
    .option("-e, --entry <name>", "the entry; the first of the model by default")
    .addOption(weightsOption())
    .addOption(storageOption())
    .option(
      "-i, --in <name=source>",
      "an input, as `ossicle run` takes it (repeatable)",
      collectPairs,
      new Map(),
    )
    .addOption(targetOption())
    .addOption(profileOption())
    .option("-n, --top <count>", "how many of the largest results to compare", positiveInteger, 5)
    .action(async (file: string, options: AccuracyOptions) => {
      run.status = await accuracy(file, options);
    });
}

/** Matrices that are printed; --json gives all. */
const printed = 8;

async function accuracy(file: string, options: AccuracyOptions): Promise<number> {
  const output = new Output("weights", { json: options.json === true, color: useColor(options) });
  const progress = terminalProgress(!output.json);
  const elaboration = compileEntry(file, options, { entry: options.entry }, output);
  const { graph, entry } = elaboration;
  const inputs = options.in.size === 0 ? undefined : await readInputs(graph, options.in);
  const weights = await openWeights(options.weights, [graph], elaboration, output, undefined, options);
  try {
    const { count, measure } = storageErrors([graph], weights.storage, weights.source);
    if (count === 0) {
      throw failure("nothing-stored", `No matrix of ${entry.entry} is stored in fewer bits.`, {
        hint: "give --weights-dtype int8, or say it in the program: with Quantize(int8, on: …)",
      });
    }
    progress.start("measuring", count);
    const errors: StorageError[] = [];
    for await (const error of measure()) {
      errors.push(error);
      progress.advance();
    }
    progress.stop();
    errors.sort((a, b) => b.relative - a.relative);
    output.set("model", entry.model);
    output.set("entry", entry.entry);
    reportWeights(weights, output);
    reportErrors(errors, output);
    if (inputs !== undefined) {
      const run = async (storage: typeof weights.storage): Promise<ReadonlyMap<string, HostTensor>> => {
        const prepared = await prepare(graph, { ...weights, storage }, options, progress);
        try {
          return (await prepared.run(inputs)).outputs;
        } finally {
          await prepared.release();
        }
      };
      const wide = await run(() => undefined);
      reportDifferences(wide, await run(weights.storage), options, output);
    }
    if (weights.random) output.line(`The weights are random (${options.weights}), not a trained model's.`);
  } finally {
    progress.stop();
    await weights.close();
  }
  return output.finish();
}

function reportErrors(errors: readonly StorageError[], output: Output): void {
  const sum = (of: (error: StorageError) => number): number =>
    errors.reduce((total, each) => total + of(each), 0);
  const [bytes, wideBytes] = [sum((each) => each.bytes), sum((each) => each.wideBytes)];
  output.set("matrices", errors);
  output.set("bytes", bytes);
  output.set("wideBytes", wideBytes);
  const width = Math.max(...errors.slice(0, printed).map(({ paths }) => (paths[0] ?? "").length));
  output.line(
    `${errors.length} matrices, ${bytes} bytes in place of ${wideBytes}; relative error (RMS), the worst first:`,
  );
  for (const { paths, shape, as, relative } of errors.slice(0, printed)) {
    const name = (paths[0] ?? "").padEnd(width);
    output.line(`  ${(100 * relative).toFixed(3).padStart(7)}%  ${name}  ${as}[${shape.join(", ")}]`);
  }
  if (errors.length > printed) output.line(`  … ${errors.length - printed} more`);
}

interface Difference {
  readonly name: string;
  readonly largest: number;
  /** Root mean square of the difference, and of what the weights as f32 give. */
  readonly rms: number;
  readonly wideRms: number;
  /** Rows whose largest element is at the same place, and whose largest `top` are at the same places. */
  readonly rows: number;
  readonly firstAgrees: number;
  readonly topAgrees: number;
}

function reportDifferences(
  wide: ReadonlyMap<string, HostTensor>,
  stored: ReadonlyMap<string, HostTensor>,
  { top, target }: AccuracyOptions,
  output: Output,
): void {
  const differences = [...wide].flatMap(([name, tensor]) => {
    const other = stored.get(name);
    return tensor.dtype !== "f32" || other === undefined ? [] : [differenceOf(name, tensor, other, top)];
  });
  output.set("target", target);
  output.set("top", top);
  output.set("outputs", differences);
  for (const { name, largest, rms, wideRms, rows, firstAgrees, topAgrees } of differences) {
    output.line(
      `${name}: off by ${largest.toPrecision(3)} at most, ${rms.toPrecision(3)} in the mean square of ${wideRms.toPrecision(3)}`,
    );
    output.line(`  the largest agrees in ${firstAgrees} of ${rows} rows, the ${top} largest in ${topAgrees}`);
  }
}

function differenceOf(name: string, wide: HostTensor, stored: HostTensor, top: number): Difference {
  let [largest, squares, wideSquares] = [0, 0, 0];
  wide.data.forEach((value, at) => {
    const off = Math.abs(value - (stored.data[at] ?? Number.NaN));
    largest = Math.max(largest, off);
    squares += off * off;
    wideSquares += value * value;
  });
  const length = wide.shape.at(-1) ?? 1;
  const rows = length === 0 ? 0 : wide.data.length / length;
  let [firstAgrees, topAgrees] = [0, 0];
  for (let row = 0; row < rows; row++) {
    const best = [wide, stored].map(({ data }) =>
      largestPlaces(data.subarray(row * length, (row + 1) * length), top),
    );
    const [a = [], b = []] = best;
    if (a[0] === b[0]) firstAgrees++;
    if (a.every((place) => b.includes(place))) topAgrees++;
  }
  const mean = (sum: number): number => Math.sqrt(sum / Math.max(1, wide.data.length));
  return { name, largest, rms: mean(squares), wideRms: mean(wideSquares), rows, firstAgrees, topAgrees };
}

function largestPlaces(row: HostTensor["data"], count: number): readonly number[] {
  return Array.from(row, (value, place) => ({ value, place }))
    .sort((a, b) => b.value - a.value || a.place - b.place)
    .slice(0, count)
    .map(({ place }) => place);
}
