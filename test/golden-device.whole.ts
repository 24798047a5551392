/**
 * Recorded cases on WebGPU, one of an encoder and one of a decoder. All of them run there in the project `device`, which takes
 * longer: a device in software compiles kernels slowly.
 */
import { expect, test } from "vitest";
import { checkChosen } from "./support/chosen-ids.ts";
import { checkPruned } from "./support/golden-checks.ts";
import { describeWebGpu } from "./support/gpu.ts";
import { tiny } from "./support/mamba2.ts";
import { chooseDriver } from "./support/software-driver.ts";

describeWebGpu("recorded cases on WebGPU", () => {
  test("AudioMAE, pruned: logits, states, scores and indices", async () => {
    await chooseDriver();
    await checkPruned("prune-audiomae-tiny", "0.7", "webgpu");
    expect.hasAssertions();
  });

  test("Mamba-2: the ids that the device chooses", async () => {
    const decoder = `decoder=Mamba2(depth: ${tiny.depth}, ${tiny.decoder})`;
    const model = ["ossicle/decoders/mamba2-lm.oss", "--set", decoder];
    await checkChosen(tiny.name, model, "greedy.prompt_ids", "greedy.new_ids");
    expect.hasAssertions();
  });
});
