/**
 * Recorded cases on WebGPU, one of each kind. All of them run there in the project `device`, which takes
 * longer: a device in software compiles kernels slowly.
 */
import { expect, test } from "vitest";
import { checkAst, checkPruned } from "./support/golden-checks.ts";
import { chooseDriver, describeWebGpu } from "./support/gpu.ts";

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
});
