/**
 * Running a program written in a test, on the reference unless its options say otherwise, with weights drawn as the model says.
 *
 * Owns: the program's file, and tensors as literals of the command line.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { HostTensor } from "../../src/compiler/host-tensor.ts";
import { runHere, temporaryFolder } from "../support/cli.ts";
import { readTensors, type Tensors } from "../support/tensors.ts";

/** The tensor as `--in name=` takes it. */
export function literal(tensor: HostTensor): string {
  const nested = (axis: number, start: number): unknown => {
    if (axis === tensor.shape.length) return tensor.data[start];
    const size = tensor.shape[axis] ?? 0;
    const step = tensor.shape.slice(axis + 1).reduce((product, next) => product * next, 1);
    return Array.from({ length: size }, (_, i) => nested(axis + 1, start + i * step));
  };
  return JSON.stringify(nested(0, 0));
}

/** The results of the program's first entry, or of what `options` ask for. */
export async function runSource(
  source: string,
  inputs: Readonly<Record<string, string>>,
  options: readonly string[] = [],
): Promise<Tensors> {
  const folder = temporaryFolder();
  const file = join(folder, "program.oss");
  const out = join(folder, "out.safetensors");
  writeFileSync(file, source);
  const { status, stderr } = await runHere([
    ...["run", file, "--weights", "random:1", "--out", out],
    ...(options.includes("--target") ? [] : ["--target", "reference"]),
    ...Object.entries(inputs).flatMap(([name, value]) => ["--in", `${name}=${value}`]),
    ...options,
  ]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return await readTensors(out);
}
