/**
 * SAM with its smallest decoder at full size on a recording, with random weights: both ONNX profiles choose the
 * same ids, and the reference the same first ones.
 */
import { join } from "node:path";
import { expect, test } from "vitest";
import { root, runHere } from "./support/cli.ts";

async function caption(count: number, ...how: string[]): Promise<readonly number[]> {
  const { status, stdout } = await runHere([
    ...["caption", join(root, "models/captioners/sam.oss"), "-m", "Sam130m"],
    ...["--audio", join(root, "examples/demo/recording.wav"), "--weights", "random:1"],
    ...["--prompt-ids", "5,1,2", "--max-tokens", String(count), "--json", ...how],
  ]);
  expect(status).toBe(0);
  const found: { ids: readonly number[] } = JSON.parse(stdout);
  expect(found.ids).toHaveLength(count);
  return found.ids;
}

test("the same ids on every target", async () => {
  const portable = await caption(12, "--profile", "portable");
  expect(await caption(12, "--profile", "ort")).toEqual(portable);
  expect(await caption(2, "--target", "reference")).toEqual(portable.slice(0, 2));
});
