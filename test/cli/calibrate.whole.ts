/**
 * `ossicle calibrate` and `ossicle cost --device`: a profile is measured, read back and used.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runProbe } from "../../src/cli/probe-run.ts";
import { probes } from "../../src/cli/probes.ts";
import { runHere, temporaryFolder } from "../support/cli.ts";

test("measures this machine, and the profile gives an estimate", { timeout: 120_000 }, async () => {
  const file = join(temporaryFolder(), "device.json");
  const calibrated = await runHere(["calibrate", "--rounds", "1", "--name", "here", "--out", file, "--json"]);
  expect(calibrated.status, calibrated.stdout).toBe(0);
  const profile = JSON.parse(readFileSync(file, "utf8"));
  expect(JSON.parse(calibrated.stdout).profile).toEqual(profile);
  // Wide enough for any machine, narrow enough to catch a wrong unit.
  const rates = [
    ...Object.values<number>(profile.macsPerSecond),
    ...Object.values<number>(profile.elementsPerSecond),
    profile.weightBytesPerSecond,
    profile.scanBytesPerSecond,
    profile.resultBytesPerSecond,
    ...profile.traffic.map(({ bytesPerSecond }: { bytesPerSecond: number }) => bytesPerSecond),
  ];
  expect(rates).toHaveLength(12);
  expect(Math.min(...rates)).toBeGreaterThan(1e6);
  expect(Math.max(...rates)).toBeLessThan(1e14);
  expect(profile.secondsPerOp).toBeGreaterThan(1e-9);
  expect(profile.secondsPerOp).toBeLessThan(1e-2);

  const { stdout } = await runHere([
    ...["cost", "ossicle/classifiers/audiomae.oss", "--entry", "forward", "--at", "B=1", "--device", file],
  ]);
  expect(stdout).toMatch(/estimated time .* on here\n/);
});

test("probes move what they are to measure", { timeout: 60_000 }, async () => {
  const run = async (wanted: string) => {
    const probe = probes.find(({ name }) => name === wanted);
    if (probe === undefined) throw new Error(`no probe of ${wanted}`);
    return runProbe(probe, { rounds: 1, threads: 1 });
  };
  // 24 heads of 64 × 128 numbers, read and written; x and what comes of it are next to nothing.
  const state = await run("state");
  expect(state.bytes).toBeGreaterThan(2 * 4 * 24 * 64 * 128);
  expect(state.bytes).toBeLessThan(2.1 * 4 * 24 * 64 * 128);
  expect([state.macs, state.weights, state.results]).toEqual([24 * 64 * (2 * 128 + 1), 0, 0]);
  expect(await run("results")).toMatchObject({ results: 4 * 65_536, macs: 0, weights: 0 });
  expect(await run("start")).toMatchObject({ bytes: 64, results: 0 });
});

describe("with a profile", () => {
  const fast = 1e30;
  const profile = {
    profile: 3,
    name: "paper",
    macsPerSecond: { products: fast, attention: fast, scan: fast },
    elementsPerSecond: { softmax: fast, norm: fast, function: fast },
    weightBytesPerSecond: fast,
    scanBytesPerSecond: fast,
    resultBytesPerSecond: fast,
    traffic: [{ bytes: 1e6, bytesPerSecond: fast }],
    secondsPerOp: 1e-30,
  };
  const classifier = [
    ...["cost", "ossicle/classifiers/audiomae.oss", "--model", "AudioMaeAudioSet", "--entry", "forward"],
  ];
  const estimateOf = async (
    entry: readonly string[],
    changes: Partial<typeof profile>,
    ...more: readonly string[]
  ) => {
    const file = join(temporaryFolder(), "device.json");
    writeFileSync(file, JSON.stringify({ ...profile, ...changes }));
    const { stdout, status } = await runHere([...entry, "--device", file, "--json", ...more]);
    const { cost, diagnostics } = JSON.parse(stdout);
    return { status, diagnostics, found: cost?.entries[0].estimate };
  };
  const estimate = (changes: Partial<typeof profile>, ...more: readonly string[]) =>
    estimateOf(classifier, changes, ...more);

  test("that only multiplies, the time is the MACs, each kind at its rate", async () => {
    const rates = { ...profile.macsPerSecond, products: 1e12, attention: 1e11 };
    const { found } = await estimate({ macsPerSecond: rates }, "--at", "B=1");
    // 12 layers of 513 tokens: two products of heads with 768 numbers in all.
    const attention = 12 * 2 * 513 * 513 * 768;
    expect(found.seconds).toBeCloseTo((48_523_277_568 - attention) / 1e12 + attention / 1e11, 9);
    expect(found.secondsByLimit.compute).toBeCloseTo(found.seconds, 6);
  });

  test("that reads slowly, the time is the weights", async () => {
    const { found } = await estimate({ weightBytesPerSecond: 1e9 }, "--at", "B=1");
    expect(found.seconds).toBeGreaterThan(0.3);
    expect(found.seconds).toBeLessThan((86_053_391 * 4) / 1e9);
    expect(found.secondsByLimit.bandwidth).toBeCloseTo(found.seconds, 6);
  });

  describe("a step of Mamba-2 130m", () => {
    const step = ["cost", "ossicle/decoders/mamba2-lm.oss", "--entry", "step", "--at", "B=1"];
    // Of each of 24 layers: what the scan keeps, and the convolution.
    const states = 24 * 4 * (24 * 64 * 128 + 1792 * 4);

    test("gives out its scores and states, at the rate of results", async () => {
      const { found } = await estimateOf(step, { resultBytesPerSecond: 1e9 });
      expect(found.secondsByLimit.results).toBeCloseTo((4 * 50_288 + states) / 1e9, 9);
      expect(found.seconds).toBeCloseTo(found.secondsByLimit.results, 9);
    });

    test("reads and writes its states at the rate of scans", async () => {
      const { found } = await estimateOf(step, { scanBytesPerSecond: 1e9 });
      expect(found.seconds).toBeGreaterThan((2 * states) / 1e9);
      expect(found.seconds).toBeLessThan((2.1 * states) / 1e9);
      expect(found.secondsByLimit.bandwidth).toBeCloseTo(found.seconds, 9);
    });

    test("reads every learned matrix once, the table that is its head too", async () => {
      const { found } = await estimateOf(step, { weightBytesPerSecond: 1e10 });
      expect(found.seconds).toBeCloseTo((4 * 128_989_632) / 1e10, 3);
    });
  });

  test("whose caches are small, large ops are slower", async () => {
    const one = [{ bytes: 1e3, bytesPerSecond: 1e9 }];
    const falling = [{ bytes: 1e8, bytesPerSecond: 1e8 }, ...one];
    const [flat, steep] = [
      await estimate({ traffic: one }, "--at", "B=1"),
      await estimate({ traffic: falling }, "--at", "B=1"),
    ];
    expect(steep.found.seconds).toBeGreaterThan(2 * flat.found.seconds);
    expect(steep.found.seconds).toBeLessThan(10 * flat.found.seconds);
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
    const { diagnostics } = await estimate({ weightBytesPerSecond: -1 }, "--at", "B=1");
    expect(diagnostics[0]).toMatchObject({ code: "bad-profile" });
    expect(diagnostics[0].message).toContain("`weightBytesPerSecond` is no positive number");
    for (const version of [1, 2]) {
      const older = await estimate({ profile: version }, "--at", "B=1");
      expect(older.status).toBe(1);
      expect(older.diagnostics[0].message).toContain("another version of ossicle measured it");
      expect(older.diagnostics[0].hint).toContain("again: `ossicle calibrate --out FILE`");
    }
    const scanless = await estimate({ macsPerSecond: { ...profile.macsPerSecond, scan: 0 } }, "--at", "B=1");
    expect(scanless.diagnostics[0].message).toContain("`macsPerSecond.scan` is no positive number");
  });
});
