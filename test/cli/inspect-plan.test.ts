/**
 * `ossicle inspect --stage plan`: for people, as JSON, and used wrongly.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { runHere, temporaryFolder } from "../support/cli.ts";

const source = `
model Small(size: int = 8) {
  input x: f32[B, size]
  input audio: waveform[T] @ 16kHz
  param weight: f32[size, 4] = zeros
  entry scale(x) -> y: f32[B, 4] = softmax(x @ weight)
  entry loudness(audio) -> z: f32[1] = reshape(mean(audio * audio), [1])
}
`;

let file = "";
beforeEach(() => {
  file = join(temporaryFolder(), "small.oss");
  writeFileSync(file, source);
});

const inspect = (...more: readonly string[]) => runHere(["inspect", file, "--stage", "plan", ...more]);

test("prints the first entry, with numbers only where they are given", async () => {
  const { status, stdout, stderr } = await inspect();
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toMatch(/^plan Small: 1 entry, 2 kernels, 1 weight of 128 B\n/);
  expect(stdout).toContain("entry scale(x: f32[B, 8]) -> y: f32[B, 4]\n");
  expect(stdout).toContain("32*B bytes at 0, an input");
  expect((await inspect("--at", "B=3")).stdout).toContain("32*B = 96 bytes at 0, an input");
});

test("a recording's length is given in seconds", async () => {
  const { stdout } = await inspect("-e", "loudness", "--seconds", "2");
  expect(stdout).toContain("at T = 32000");
});

test("prints one kernel, or all", async () => {
  const { stdout } = await inspect("--kernel", "1");
  expect(stdout).toMatch(/^kernel 1: [\s\S]*@compute/);
  expect(stdout).not.toContain("entry scale");
  expect((await inspect("--wgsl")).stdout.match(/@compute/g)).toHaveLength(2);
});

test("JSON holds the plan itself", async () => {
  const { stdout } = await inspect("--json", "--at", "B=2");
  const value: Record<string, unknown> = JSON.parse(stdout);
  expect(value).toMatchObject({
    command: "inspect",
    stage: "plan",
    plan: { format: "ossicle-plan", entries: [{ name: "scale" }] },
    arenas: [{ entry: "scale", at: { B: 2 } }],
  });
});

test.each([
  [
    "a kernel that there is not",
    ["--kernel", "9"],
    1,
    /unknown-kernel.*no kernel 9.*its kernels are 0 to 1/s,
  ],
  ["no kernel at all", ["--kernel", "x"], 2, /count from 0/],
  ["a size of another entry", ["--at", "T=3"], 1, /unknown-symbol.*what is open: B/s],
  ["half an item", ["--at", "B=0.5"], 1, /bad-binding.*no positive integer/s],
  ["seconds without sound", ["--seconds", "2"], 1, /No entry here takes a recording/],
  ["an unknown entry", ["-e", "nothing"], 1, /no-entry.*scale/s],
])("%s is refused", async (_, more, wanted, words) => {
  const { status, stdout, stderr } = await inspect(...more);
  expect({ status, stdout }).toEqual({ status: wanted, stdout: "" });
  expect(stderr).toMatch(words);
});

test("its options are refused for other stages", async () => {
  const { status, stderr } = await runHere(["inspect", file, "--wgsl", "--at", "B=1"]);
  expect(status).toBe(1);
  expect(stderr).toMatch(/--wgsl and --at belong to the kernel plan, not to --stage optimized/);
});
