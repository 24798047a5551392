/**
 * A recorded captioner on WebGPU: the ids that the device chooses.
 */
import { join } from "node:path";
import { expect, test } from "vitest";
import { checkChosen } from "./support/chosen-ids.ts";
import { root } from "./support/cli.ts";
import { goldenFile } from "./support/golden.ts";
import { describeWebGpu } from "./support/gpu.ts";

describeWebGpu("a recorded captioner on WebGPU", () => {
  test("the ids that the device chooses", async () => {
    const model = [
      join(root, "test/fixtures/models/captioners.oss"),
      ...["-m", "Tiny", "--in", `input_values=${goldenFile("e2e-tiny/inputs.safetensors")}`],
    ];
    await checkChosen("e2e-tiny", model, "text_ids", "index_order.new_ids");
    expect.hasAssertions();
  });
});
