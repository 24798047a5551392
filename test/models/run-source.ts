/**
 * Running a program written in a test on the reference, with weights drawn as the model says.
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

/** The results of the program's first entry, and what is tapped. */
export async function runSource(
  source: string,
  inputs: Readonly<Record<string, string>>,
  taps: readonly string[] = [],
): Promise<Tensors> {
  const folder = temporaryFolder();
  const file = join(folder, "program.oss");
  const out = join(folder, "out.safetensors");
  writeFileSync(file, source);
  const { status, stderr } = await runHere([
    ...["run", file, "--target", "reference", "--weights", "random:1", "--out", out],
    ...Object.entries(inputs).flatMap(([name, value]) => ["--in", `${name}=${value}`]),
    ...taps.flatMap((tap) => ["--tap", tap]),
  ]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return await readTensors(out);
}
