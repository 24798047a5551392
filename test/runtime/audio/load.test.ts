import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { loadAudio, mixDown } from "../../../src/runtime/audio/load.ts";
import { fixture } from "../support.ts";

test("the demo's recording is the one that its licence is stated for, and can be read", async () => {
  const path = new URL("../../../examples/demo/recording.wav", import.meta.url);
  const bytes = readFileSync(path);
  const page = readFileSync(new URL("RECORDING.md", path), "utf8");
  expect(page).toContain(createHash("sha256").update(bytes).digest("hex"));
  const { samples, ...facts } = await loadAudio(bytes, "recording.wav", 16000);
  expect(facts).toEqual({ sourceRate: 16000, seconds: 7.1, channels: 1 });
  expect(Math.max(...samples)).toBeGreaterThan(0.3);
});

test("channels are mixed, then the rate is changed", async () => {
  const loaded = await loadAudio(fixture("fixtures/audio/tone.wav"), "tone.wav", 16000);
  expect(loaded).toMatchObject({ sourceRate: 44100, seconds: 0.3, channels: 2 });
  expect(loaded.samples).toHaveLength(4800);
});

test("opposite channels cancel, a single one is left alone", () => {
  const left = Float32Array.of(0.5, -0.25);
  expect([...mixDown([left, left.map((value) => -value)])]).toEqual([0, 0]);
  expect(mixDown([left])).toBe(left);
});
