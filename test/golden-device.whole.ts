/**
 * Recorded cases on WebGPU, one of each kind. All of them run there in the project `device`, which takes
 * longer: a device in software compiles kernels slowly.
 */
import { join } from "node:path";
import { expect, test } from "vitest";
import { root, runHere } from "./support/cli.ts";
import { goldenFile, goldenInputs, goldenOutputs } from "./support/golden.ts";
import { checkAst, checkPruned } from "./support/golden-checks.ts";
import { describeWebGpu } from "./support/gpu.ts";
import { tiny } from "./support/mamba2.ts";
import { chooseDriver } from "./support/software-driver.ts";
import { tensorOf } from "./support/tensors.ts";

describeWebGpu("recorded cases on WebGPU", () => {
  test("AST: every recorded value", async () => {
    await chooseDriver();
    await checkAst("webgpu");
    expect.hasAssertions();
  });

  test("AudioMAE, pruned: logits, states, scores and indices", async () => {
    await chooseDriver();
    await checkPruned("prune-audiomae-tiny", "0.7", "webgpu");
    expect.hasAssertions();
  });

  test.each([
    [
      "Mamba-2",
      tiny.name,
      ["ossicle/decoders/mamba2-lm.oss", "--set", `decoder=Mamba2(depth: ${tiny.depth}, ${tiny.decoder})`],
      "greedy.prompt_ids",
      "greedy.new_ids",
    ],
    [
      "a captioner",
      "e2e-tiny",
      [
        join(root, "test/fixtures/models/captioners.oss"),
        ...["-m", "Tiny", "--in", `input_values=${goldenFile("e2e-tiny/inputs.safetensors")}`],
      ],
      "text_ids",
      "index_order.new_ids",
    ],
  ] as const)("%s: the ids that the device chooses", async (_, name, model, prompt, ids) => {
    await chooseDriver();
    const given = [...tensorOf(await goldenInputs(name), prompt).data];
    const want = [...tensorOf(await goldenOutputs(name), ids).data];
    const weights = ["--weights", goldenFile(`${name}/weights.safetensors`)];
    const { status, stdout } = await runHere([
      ...["generate", ...model, ...weights, "--prompt-ids", given.join(), "-n", `${want.length}`],
      ...["--target", "webgpu", "--stop-id", "100000", "--json"],
    ]);
    expect(status).toBe(0);
    expect(JSON.parse(stdout).ids).toEqual(want);
  });
});
