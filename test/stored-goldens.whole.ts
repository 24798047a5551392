/**
 * Recorded cases with weights of 16 and of 8 bits, on ONNX and on WebGPU (all of them there: stored-goldens.full.ts),
 * and the command that measures what they change.
 */
import { expect, test } from "vitest";
import { runHere } from "./support/cli.ts";
import { requestFor, runArguments } from "./support/golden.ts";
import { chooseDriver, describeWebGpu } from "./support/gpu.ts";
import { checkStored, storedCases } from "./support/stored-goldens.ts";

test.each(
  storedCases.flatMap((given) =>
    (["f16", "int8"] as const).map((dtype) => [given.name, dtype, given] as const),
  ),
)("%s with %s on ONNX", (_, dtype, given) => checkStored(given, dtype, "onnx"));

describeWebGpu("weights of 8 bits on WebGPU", () => {
  test.each(
    storedCases.filter(({ name }) => name === "mamba2-tiny").map((given) => [given.name, given] as const),
  )("%s", async (_, given) => {
    await chooseDriver();
    await checkStored(given, "int8", "webgpu");
    expect.hasAssertions();
  });
});

test("ossicle weights accuracy: matrices, bytes, and whether the largest agree", async () => {
  const [, ...rest] = runArguments(requestFor("ast-tiny", "onnx"));
  const { status, stdout } = await runHere([
    "weights",
    "accuracy",
    ...rest,
    "--weights-dtype",
    "int8",
    "--json",
  ]);
  const found: unknown = JSON.parse(stdout);
  expect(status).toBe(0);
  expect(found).toMatchObject({ bytes: 132460, wideBytes: 492864, target: "onnx", top: 5 });
  const { matrices, outputs } = found as Readonly<Record<string, readonly Record<string, unknown>[]>>;
  expect(matrices?.length).toBe(26);
  for (const { relative: error } of matrices ?? []) expect(error).toBeLessThan(0.007);
  expect(outputs).toMatchObject([{ name: "logits", rows: 2, firstAgrees: 2, topAgrees: 2 }]);
});

test("ossicle weights accuracy has nothing to say of a model as it is", async () => {
  const [, ...rest] = runArguments(requestFor("ast-tiny", "onnx"));
  const { status, stderr } = await runHere(["weights", "accuracy", ...rest]);
  expect(status).toBe(1);
  expect(stderr).toContain("No matrix of forward is stored in fewer bits.");
});
