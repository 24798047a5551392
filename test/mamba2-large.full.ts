/**
 * Published sizes beyond the smallest: the largest compiles from a checkpoint of five gigabytes without
 * being held in memory, and those that fit here load into onnxruntime and generate.
 *
 * The checkpoint is a sparse file: almost all of it is a hole, which reads as zeros.
 */
import { closeSync, ftruncateSync, openSync, readSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { measureMemory } from "../bench/memory.ts";
import { Output } from "../src/cli/output.ts";
import { compileEntry } from "../src/cli/program.ts";
import { root, runHere, temporaryFolder } from "./support/cli.ts";

const file = join(root, "models/decoders/mamba2-lm.oss");
const program = join(root, "bin/ossicle.js");
const size = "2.7b";
const parameters = 2_702_599_680;
/** A tensor with numbers in it: f16 bits of 0.5, 1.5, and the same as f32. */
const marked = "backbone.norm_f.weight";
const half = Uint16Array.of(0x3800, 0x3e00);
const single = Float32Array.of(0.5, 1.5);

/** The header of a checkpoint in f16, and where its data starts. */
function headerOf(): { header: Buffer; bytes: number; markedAt: number } {
  const output = new Output("test", { json: true, color: false });
  const { graph } = compileEntry(
    file,
    { set: new Map([["size", size]]), color: false },
    { entry: "prefill" },
    output,
  );
  const tensors: Record<string, unknown> = {};
  let end = 0;
  let markedAt = 0;
  for (const { source, type } of graph.parameters) {
    if (source.kind !== "parameter") continue;
    const shape = type.shape.map((dim) => dim.constant ?? 0);
    const bytes = 2 * shape.reduce((product, length) => product * length, 1);
    if (source.parameter.path === marked) markedAt = end;
    tensors[source.parameter.path] = { dtype: "F16", shape, data_offsets: [end, end + bytes] };
    end += bytes;
  }
  const text = Buffer.from(JSON.stringify(tensors));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return { header: Buffer.concat([length, text]), bytes: end, markedAt };
}

function writeCheckpoint(path: string): void {
  const { header, bytes, markedAt } = headerOf();
  expect(bytes).toBe(2 * parameters);
  const descriptor = openSync(path, "w");
  writeSync(descriptor, header);
  ftruncateSync(descriptor, header.length + bytes);
  writeSync(descriptor, half, 0, half.byteLength, header.length + markedAt);
  closeSync(descriptor);
}

/** Whether the numbers of the marked tensor lie somewhere in the last megabytes of the file. */
function holdsMark(path: string): boolean {
  const wanted = Buffer.from(single.buffer);
  const descriptor = openSync(path, "r");
  onTestFinished(() => closeSync(descriptor));
  const bytes = statSync(path).size;
  const part = Buffer.alloc(1 << 24);
  for (let at = 0; at < bytes; at += part.length - wanted.length) {
    const read = readSync(descriptor, part, 0, part.length, at);
    if (part.subarray(0, read).includes(wanted)) return true;
  }
  return false;
}

test(`${size} compiles in far less memory than its weights take`, async () => {
  const folder = temporaryFolder();
  const checkpoint = join(folder, "model.safetensors");
  const out = join(folder, "out");
  writeCheckpoint(checkpoint);
  const entries = ["-e", "prefill", "-e", "step", "--set", `size=${size}`];
  const measured = await measureMemory(
    "compile",
    ["compile", file, ...entries, "-w", checkpoint, "-o", out],
    0,
    program,
  );
  if (measured !== undefined) expect(measured.peakBytes).toBeLessThan(2e9);
  const data = join(out, "Mamba2Lm.onnx.data");
  expect(statSync(data).size).toBeGreaterThanOrEqual(4 * parameters);
  expect(statSync(data).size).toBeLessThan(4 * parameters * 1.001);
  for (const entry of ["prefill", "step"])
    expect(statSync(join(out, `${entry}.onnx`)).size).toBeLessThan(1e7);
  expect(holdsMark(data)).toBe(true);
});

describe.each(["130m", "370m"])("%s with random weights", (given) => {
  test("generates the same on both profiles", async () => {
    const ids: unknown[] = [];
    for (const profile of ["portable", "ort"]) {
      const { status, stdout } = await runHere([
        ...["generate", file, "--set", `size=${given}`, "--weights", "random:1", "--profile", profile],
        ...["--prompt-ids", "12,7,401", "--max-tokens", "8", "--json"],
      ]);
      expect(status).toBe(0);
      const found: { ids: readonly number[] } = JSON.parse(stdout);
      expect(found.ids).toHaveLength(8);
      ids.push(found.ids);
    }
    expect(ids[1]).toEqual(ids[0]);
  });
});
