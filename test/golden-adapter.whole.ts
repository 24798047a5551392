/** The recorded adapter of PEFT on Mamba-2, merged by the command, on both targets. */

import { join } from "node:path";
import { expect, test } from "vitest";
import { runHere, temporaryFolder } from "./support/cli.ts";
import { closenessOf, goldenFile, goldenOutputs, targets } from "./support/golden.ts";
import { expectClose, readTensors, tensorOf } from "./support/tensors.ts";

const decoder = "Mamba2(depth: 2, width: 64, head_width: 16, state: 16, vocabulary: 128, chunk: 16)";
const request = [
  ...["run", "ossicle/decoders/mamba2-lm.oss", "-e", "logits", "--set", `decoder=${decoder}`],
  ...["--in", `tokens=${goldenFile("lora-mamba2/inputs.safetensors")}:input_ids`],
];

test.each(targets)("with and without, on %s", async (target) => {
  const want = await goldenOutputs("lora-mamba2");
  for (const [arguments_, name] of [
    [[], "base.logits"],
    [["--adapter", goldenFile("lora-mamba2")], "lora.logits"],
  ] as const) {
    const out = join(temporaryFolder(), "out.safetensors");
    const weights = ["--weights", goldenFile("lora-mamba2/weights.safetensors"), "--target", target];
    const { status, stderr } = await runHere([...request, ...weights, ...arguments_, "--out", out]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expectClose(tensorOf(await readTensors(out), "logits"), tensorOf(want, name), closenessOf(target), name);
  }
});

test("an adapter of another model says what it would have adapted", async () => {
  const smaller = request.map((text) => text.replace("depth: 2", "depth: 1"));
  const adapter = ["--adapter", goldenFile("lora-mamba2"), "--weights", "random:1"];
  const { status, stderr } = await runHere([...smaller, ...adapter]);
  expect(status).toBe(1);
  expect(stderr).toMatch(/adapter-tensor.*backbone\.layers\.1\.mixer\.in_proj.*adapts nothing/);
});
