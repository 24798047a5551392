/**
 * `ossicle calibrate` and `ossicle cost --device`: a profile is measured, read back and used.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runHere, temporaryFolder } from "../support/cli.ts";

test("measures this machine, and the profile gives an estimate", { timeout: 120_000 }, async () => {
  const file = join(temporaryFolder(), "device.json");
  const calibrated = await runHere(["calibrate", "--rounds", "1", "--name", "here", "--out", file, "--json"]);
  expect(calibrated.status, calibrated.stdout).toBe(0);
  const profile = JSON.parse(readFileSync(file, "utf8"));
  expect(JSON.parse(calibrated.stdout).profile).toEqual(profile);
  // Wide enough for any machine, narrow enough to catch a wrong unit.
  expect(profile.macsPerSecond).toBeGreaterThan(1e8);
  expect(profile.macsPerSecond).toBeLessThan(1e14);
  expect(profile.bytesPerSecond).toBeGreaterThan(1e7);
  expect(profile.bytesPerSecond).toBeLessThan(1e13);
  expect(profile.secondsPerOp).toBeGreaterThan(1e-9);
  expect(profile.secondsPerOp).toBeLessThan(1e-2);

  const { stdout } = await runHere([
    ...["cost", "ossicle/classifiers/audiomae.oss", "--entry", "forward", "--at", "B=1", "--device", file],
  ]);
  expect(stdout).toMatch(/estimated time .* on here\n/);
});

describe("with a profile", () => {
  const profile = {
    name: "paper",
    macsPerSecond: 1e12,
    scalarsPerSecond: 1e30,
    bytesPerSecond: 1e30,
    secondsPerOp: 1e-30,
  };
  const estimate = async (changes: Partial<typeof profile>, ...more: readonly string[]) => {
    const file = join(temporaryFolder(), "device.json");
    writeFileSync(file, JSON.stringify({ ...profile, ...changes }));
    const { stdout, status } = await runHere([
      ...["cost", "ossicle/classifiers/audiomae.oss", "--model", "AudioMaeAudioSet", "--entry", "forward"],
      ...["--device", file, "--json", ...more],
    ]);
    const { cost, diagnostics } = JSON.parse(stdout);
    return { status, diagnostics, found: cost?.entries[0].estimate };
  };

  test("that only multiplies, the time is the MACs", async () => {
    const { found } = await estimate({}, "--at", "B=1");
    expect(found.seconds).toBeCloseTo(48_523_277_568 / 1e12, 9);
    expect(found.secondsByLimit.compute).toBeCloseTo(found.seconds, 6);
  });

  test("that starts slowly, the time is the number of ops", async () => {
    const { found } = await estimate({ secondsPerOp: 1 }, "--at", "B=1");
    expect(Math.round(found.seconds)).toBe(found.ops.length);
    expect(found.ops.every(({ limit }: { limit: string }) => limit === "start")).toBe(true);
  });

  test("an open size is asked for", async () => {
    const { status, diagnostics } = await estimate({});
    expect(status).toBe(1);
    expect(diagnostics[0]).toMatchObject({ code: "unbound-symbol", hint: "give --at B=1" });
  });

  test("a profile that is none is refused", async () => {
    const { diagnostics } = await estimate({ bytesPerSecond: -1 }, "--at", "B=1");
    expect(diagnostics[0]).toMatchObject({ code: "bad-profile" });
    expect(diagnostics[0].message).toContain("`bytesPerSecond` is no positive number");
  });
});
