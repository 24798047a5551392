/** Recorded cases with weights of 16 and of 8 bits on WebGPU. */
import { expect, test } from "vitest";
import { chooseDriver, describeWebGpu } from "./support/gpu.ts";
import { checkStored, storedCases } from "./support/stored-goldens.ts";

describeWebGpu("weights in fewer bits on WebGPU", () => {
  test.each(
    storedCases.flatMap((given) =>
      (["f16", "int8"] as const).map((dtype) => [given.name, dtype, given] as const),
    ),
  )("%s with %s", async (_, dtype, given) => {
    await chooseDriver();
    await checkStored(given, dtype, "webgpu");
    expect.hasAssertions();
  });
});
