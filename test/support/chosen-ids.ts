/**
 * Recorded ids of a text, against those that a device chooses.
 */
import { expect } from "vitest";
import { runHere } from "./cli.ts";
import { goldenFile, goldenInputs, goldenOutputs } from "./golden.ts";
import { chooseDriver } from "./software-driver.ts";
import { tensorOf } from "./tensors.ts";

/** @param model the arguments of `generate` that name the model and what it hears */
export async function checkChosen(
  name: string,
  model: readonly string[],
  prompt: string,
  ids: string,
): Promise<void> {
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
}
