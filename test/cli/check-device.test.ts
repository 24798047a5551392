/**
 * `ossicle check --target webgpu`: what fits and for which sizes, what does not and where, and profiles that are
 * none.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { defaultDevice, profileOfAdapter, profileSchema } from "../../src/cli/device-profile.ts";
import { fitEntry } from "../../src/cli/plan-fit.ts";
import type { PlanEntry } from "../../src/compiler/plan.ts";
import { defaultLimits, needsAt } from "../../src/runtime/gpu/needs.ts";
import { layOutSlots } from "../../src/runtime/gpu/slot-layout.ts";
import { runHere, temporaryFolder } from "../support/cli.ts";
import { compilePlanOf } from "../support/compiled-plans.ts";
import { root } from "../support/product-files.ts";

const source = `
model Small(size: int = 8, out: int = 4) {
  input x: f32[B, size]
  input audio: waveform[T] @ 16kHz
  param weight: f32[size, out] = zeros
  entry scale(x) -> y: f32[B, out] = softmax(x @ weight)
  entry loudness(audio) -> z: f32[1] = reshape(mean(audio * audio), [1])
}
`;

let folder = "";
let file = "";
beforeEach(() => {
  folder = temporaryFolder();
  file = join(folder, "small.oss");
  writeFileSync(file, source);
});

const check = (...more: readonly string[]) => runHere(["check", file, "--target", "webgpu", ...more]);

function profile(contents: unknown): string {
  const path = join(folder, "device.json");
  writeFileSync(path, typeof contents === "string" ? contents : JSON.stringify(contents));
  return path;
}

const named = { format: "ossicle-device", version: 1, name: "Small GPU" };

describe("a plan that fits", () => {
  test("is said to, with the sizes for which it does", async () => {
    const { status, stdout, stderr } = await check();
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toContain("Small fits a device of WebGPU's default limits\n");
    expect(stdout).toContain("  weights: 128 bytes in 1 tensor, the largest binding 128 bytes of 128 MiB\n");
    // 32 bytes of a row of x: 128 MiB hold 2^22 rows; products count them along y, one a workgroup.
    expect(stdout).toMatch(/ {2}scale: 2 dispatches, arena .* at B = 1\n {4}fits for B <= 65535\n/);
    // 128 MiB of samples, four bytes each.
    expect(stdout).toMatch(/ {2}loudness: .* at T = 160000\n {4}fits for T <= 33554432\n/);
  });

  test("at given sizes, of one entry, as JSON", async () => {
    const { stdout } = await check("-e", "scale", "--at", "B=100", "--json");
    const { ok, target } = JSON.parse(stdout);
    expect(ok).toBe(true);
    expect(target).toMatchObject({
      target: "webgpu",
      fits: true,
      weights: { tensors: 1, bytes: 128 },
      entries: [{ entry: "scale", at: { B: 100 }, bounds: [] }],
    });
  });
});

describe("a plan that does not fit", () => {
  test("a size: where, both numbers, and the size that would", async () => {
    const { status, stderr } = await check("-e", "scale", "--at", "B=70000");
    expect(status).toBe(1);
    expect(stderr).toContain(
      "error[webgpu-limit]: The dispatch at scale has 70000 workgroups along y, and a device of WebGPU's default limits allows 65535 (maxComputeWorkgroupsPerDimension).",
    );
    expect(stderr).toContain(`${file}:6:`);
    expect(stderr).toContain("= note: at B = 70000\n");
    expect(stderr).toContain("= help: give shorter inputs or a smaller batch: it fits for B <= 65535");
  });

  test("a device that binds too little", async () => {
    const device = profile({ ...named, limits: { maxStorageBuffersPerShaderStage: 2 } });
    const { status, stderr } = await check("--device", device, "-e", "scale");
    expect(status).toBe(1);
    expect(stderr).toMatch(/webgpu-limit.*has 3 storage buffers, and Small GPU allows 2/);
    expect(stderr).toContain("every device of WebGPU allows 8: look at the profile");
  });

  test("a weight that fits in parts is split, one that does not is named", async () => {
    const large = ["-e", "scale", "--set", "out=4096"];
    const parts = profile({ ...named, limits: { maxStorageBufferBindingSize: 65536 } });
    expect((await check("--device", parts, ...large)).stdout).toMatch(/in 2 tensors, .* 64 KiB of 64 KiB/);
    const little = profile({ ...named, limits: { maxStorageBufferBindingSize: 4096 } });
    const { stderr } = await check("--device", little, ...large, "--at", "B=1");
    expect(stderr).toMatch(/64 KiB of the weight .* are bound, and Small GPU allows 4 KiB/);
    expect(stderr).toContain("store the weight with fewer bits");
  });

  test("a model larger than the memory", async () => {
    const device = profile({ ...named, memoryBytes: 200 });
    const { status, stderr } = await check("--device", device, "-e", "scale", "--at", "B=1");
    expect(status).toBe(1);
    expect(stderr).toMatch(/webgpu-memory.*The model takes .*, and Small GPU has 200 bytes \(memoryBytes\)/);
    expect(stderr).toContain("weights 128 bytes, values within a call");
  });
});

describe("profiles that are none", () => {
  test.each<[string, unknown, RegExp]>([
    ["not JSON", "{", /it is not JSON/],
    ["another file", { model: "x" }, /it has no `format`.*it has no `version`.*it has no `name`/s],
    ["a later version", { ...named, version: 2 }, /`version` must be 1/],
    ["an unknown key", { ...named, memory: 1 }, /`memory` is not known; did you mean memoryBytes\?/],
    [
      "an unknown limit",
      { ...named, limits: { maxSpeed: 1 } },
      /`limits.maxSpeed` is not known; what is known: maxStorageBuffersPerShaderStage, .*maxBufferSize/,
    ],
    [
      "a limit in words",
      { ...named, limits: { maxBufferSize: "big" } },
      /`limits.maxBufferSize` is no integer/,
    ],
    ["a limit below 1", { ...named, limits: { maxBufferSize: 0 } }, /`limits.maxBufferSize` must be >= 1/],
    ["features in words", { ...named, features: "all" }, /`features` is no array/],
  ])("%s", async (_, contents, words) => {
    const { status, stdout, stderr } = await check("--device", profile(contents));
    expect(status).toBe(1);
    expect(stdout).not.toContain("fits");
    expect(stderr).toMatch(/error\[bad-profile\]/);
    expect(stderr).toMatch(words);
    expect(stderr).toContain("`ossicle device --out FILE` writes one");
  });

  test("a file that is not there", async () => {
    expect((await check("--device", join(folder, "none.json"))).stderr).toContain("file-not-found");
  });
});

test.each([
  ["an unknown entry", ["--target", "webgpu", "-e", "nothing"], 1, /no-entry.*scale/s],
  ["an unknown size", ["--target", "webgpu", "--at", "Q=1"], 1, /unknown-symbol.*what is open: B, T/s],
  ["a target that there is not", ["--target", "cuda"], 2, /Allowed choices are webgpu/],
  ["a device without a target", ["--device", "default"], 1, /--device say how a target is checked/],
])("%s is refused", async (_, more, wanted, words) => {
  const { status, stderr } = await runHere(["check", file, ...more]);
  expect(status).toBe(wanted);
  expect(stderr).toMatch(words);
});

describe("the largest size that fits", () => {
  const fitsAt = (entry: PlanEntry, at: ReadonlyMap<string, number>): boolean =>
    needsAt(entry, at).every(({ limit, amount }) => amount <= defaultLimits[limit]);

  test("is the largest, also where a formula does not simply rise", () => {
    const [entry] = compilePlanOf("models/decoders/mamba2-lm.oss", "prefill", {
      decoder: "Mamba2(width: 64, depth: 1, head_width: 16, state: 16, vocabulary: 64)",
    }).entries;
    if (entry === undefined) throw new Error("no entry");
    const device = { ...defaultDevice, limits: { ...defaultLimits, maxStorageBufferBindingSize: 2 ** 18 } };
    const fits = (at: ReadonlyMap<string, number>): boolean =>
      needsAt(entry, at).every(({ limit, amount }) => amount <= device.limits[limit]);
    const sizes = { given: new Map([["B", 1]]), open: ["L"], typical: new Map([["L", 64]]) };
    const [found] = fitEntry(entry, sizes, device).symbols;
    const most = Number(found?.most);
    expect(most).toBeGreaterThan(64);
    for (let length = 1; length <= most; length += 7) {
      expect(
        fits(
          new Map([
            ["B", 1],
            ["L", length],
          ]),
        ),
        `L = ${length}`,
      ).toBe(true);
    }
    expect(
      fits(
        new Map([
          ["B", 1],
          ["L", most],
        ]),
      ),
    ).toBe(true);
    expect(
      fits(
        new Map([
          ["B", 1],
          ["L", most + 1],
        ]),
      ),
    ).toBe(false);
  });

  test("agrees with what the runtime lays out", () => {
    const [entry] = compilePlanOf("models/frontends/kaldi-fbank.oss", "fbank").entries;
    if (entry === undefined) throw new Error("no entry");
    const sizes = { given: new Map(), open: ["T"], typical: new Map([["T", 160_000]]) };
    const { symbols, arena } = fitEntry(entry, sizes, defaultDevice);
    expect(arena.bytes).toBe(layOutSlots(entry, sizes.typical).bytes);
    const most = Number(symbols[0]?.most);
    expect(fitsAt(entry, new Map([["T", most]]))).toBe(true);
    expect(fitsAt(entry, new Map([["T", most + 1]]))).toBe(false);
  });
});

test("what an adapter says becomes a profile", () => {
  const adapter = {
    info: { vendor: "acme", architecture: "", device: "", description: "one" },
    limits: { ...defaultLimits, maxBufferSize: 2 ** 30 },
    features: new Set(["subgroups", "shader-f16"]),
  };
  // What is read of an adapter is these three.
  const written = profileOfAdapter(adapter as unknown as GPUAdapter, { memoryBytes: 2 ** 33 });
  expect(written).toEqual({
    ...{ format: "ossicle-device", version: 1, name: "acme one" },
    limits: { ...defaultLimits, maxBufferSize: 2 ** 30 },
    features: ["shader-f16", "subgroups"],
    memoryBytes: 2 ** 33,
  });
});

test("the documented schema is the one that is used", () => {
  expect(JSON.parse(readFileSync(`${root}docs/device-profile-schema.json`, "utf8"))).toEqual(profileSchema);
});
