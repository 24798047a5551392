/**
 * `ossicle device`, `check --target webgpu`, `inspect --stage plan` and `trace` as a user runs them: on a device, and
 * used wrongly. No wrong use shows a stack or leaves a file.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Finished, runBinary, temporaryFolder } from "../support/cli.ts";
import { describeWebGpu } from "../support/gpu.ts";
import { chooseDriver } from "../support/software-driver.ts";
import { expectTraceEvents } from "../support/trace-events.ts";

const source = `
model Small(size: int = 8, out: int = 4) {
  input x: f32[B, size]
  param weight: f32[size, out] = normal(1)
  entry scale(x) -> y: f32[B, out] = softmax(tanh(x @ weight))
  entry sum(x) -> s: f32[B, size] = x + 1
}
`;

let folder = "";
let file = "";
beforeEach(() => {
  folder = temporaryFolder();
  file = join(folder, "small.oss");
  writeFileSync(file, source);
});

function expectRefused({ status, stdout, stderr }: Finished, wanted: number, words: RegExp): void {
  expect({ status, stdout }).toEqual({ status: wanted, stdout: "" });
  expect(stderr).toMatch(words);
  // Dawn's own warnings name its C++ files.
  expect(stderr).not.toMatch(/^\s+at .*\.[jt]s\b/m);
}

const x = ["--in", "x=[[1,2,3,4,5,6,7,8],[8,7,6,5,4,3,2,1]]"];

describeWebGpu("on a device", () => {
  /** A process of its own finds the driver's loader beside the driver. */
  let environment: Record<string, string> = {};
  beforeAll(async () => {
    await chooseDriver();
    const driver = process.env["VK_ICD_FILENAMES"];
    environment = driver === undefined ? {} : { LD_LIBRARY_PATH: dirname(driver) };
  });
  const run = (...words: readonly string[]) => runBinary(words, { environment });

  test("its profile is written, and plans are held to it", async () => {
    const profile = join(folder, "device.json");
    const written = await run("device", "--out", profile, "--name", "this one", "--memory", "1GiB");
    expect(written.status, written.stderr).toBe(0);
    expect(written.stdout).toMatch(
      /^this one\n[\s\S]*maxStorageBuffersPerShaderStage +\d+ \(every device: 8\)/,
    );
    expect(JSON.parse(readFileSync(profile, "utf8"))).toMatchObject({
      ...{ format: "ossicle-device", version: 1, name: "this one", memoryBytes: 2 ** 30 },
    });
    const checked = await run("check", file, "--target", "webgpu", "--device", profile);
    expect(checked.status, checked.stderr).toBe(0);
    expect(checked.stdout).toContain("Small fits this one\n");
    expect(checked.stdout).toContain("weights: 132 bytes of 1 GiB in 2 tensors");
  });

  test("what was computed in is told, which need not be what was asked for", async () => {
    const entry = ["run", file, ...x, "--weights", "random:1", "--target", "webgpu"];
    const tuned = { ...environment, XDG_CACHE_HOME: join(folder, "cache") };
    const asked = ["--arithmetic", "f16", "--tune"];
    const json = await runBinary([...entry, ...asked, "--json"], { environment: tuned });
    expect(json.status, json.stderr).toBe(0);
    const { arithmetic, outputs } = JSON.parse(json.stdout);
    const words = await runBinary([...entry, ...asked], { environment: tuned });
    expect(words.stdout.includes("This device has no f16: f32 was used.")).toBe(arithmetic === "f32");
    const plain = JSON.parse((await run(...entry, "--json")).stdout);
    expect(plain.arithmetic).toBe("f32");
    expect(outputs.y.shape).toEqual(plain.outputs.y.shape);
    for (const [i, value] of outputs.y.data.entries()) expect(value).toBeCloseTo(plain.outputs.y.data[i], 2);
  });

  test("kernels are chosen by measuring them, once, and results stay what they are", async () => {
    // Wide enough for blocks of other sizes.
    writeFileSync(file, source.replace("out: int = 4", "out: int = 64"));
    const tuned = { ...environment, XDG_CACHE_HOME: join(folder, "cache") };
    const entry = ["run", file, ...x, "--weights", "random:1", "--target", "webgpu", "--json"];
    const plain = await run(...entry);
    expect(plain.status, plain.stderr).toBe(0);
    const choices = join(folder, "cache", "ossicle", "tuning");
    expect(existsSync(choices)).toBe(false);
    const outputs = ({ stdout }: Finished): unknown => JSON.parse(stdout).outputs;
    let kept: string | undefined;
    for (let time = 0; time < 2; time++) {
      const { status, stdout, stderr } = await runBinary([...entry, "--tune"], { environment: tuned });
      expect(status, stderr).toBe(0);
      expect(outputs({ ...plain, stdout })).toEqual(outputs(plain));
      const [name = ""] = readdirSync(choices);
      const text = readFileSync(join(choices, name), "utf8");
      expect(Object.keys(JSON.parse(text).choices)).toHaveLength(1);
      expect(text).toBe(kept ?? text);
      kept = text;
    }
    const out = join(folder, "small.json");
    const compiled = await run(
      "compile",
      file,
      "--weights",
      "random:1",
      "--target",
      "webgpu",
      "--tune",
      "--out",
      out,
    );
    expect(compiled.status, compiled.stderr).toBe(0);
    const [dispatch] = JSON.parse(readFileSync(out, "utf8")).entries[0].dispatches;
    expect(dispatch.variants.length).toBeGreaterThan(0);
  });

  test("every dispatch is timed, and written as a trace", async () => {
    const chrome = join(folder, "trace.json");
    const { status, stdout, stderr } = await run(
      ...["trace", file, ...x, "--random-weights", "--rounds", "2", "--by", "dispatch", "--chrome", chrome],
    );
    expect(status, stderr).toBe(0);
    expect(stdout).toMatch(/^Small scale at B = 2, on /);
    expect(stdout).toMatch(/medians of 2 rounds/);
    expect(stdout).toMatch(/^0 scale \(contract .*\) +1 /m);
    expect(stdout).toMatch(/^all +2 /m);
    expect(stdout).toContain("dispatches: 2, of which 2 wait for one another");
    // 128 bytes of weights, two rows of eight in and of four out.
    expect(stdout).toContain("weights, inputs and results alone are 224 B");
    expect(stdout).toContain("The weights are random (random:1): only the times mean anything.");
    const { traceEvents, otherData } = JSON.parse(readFileSync(chrome, "utf8"));
    expectTraceEvents(traceEvents);
    expect(traceEvents.filter(({ cat }: { cat?: string }) => cat === "dispatch")).toHaveLength(2);
    expect(otherData).toMatchObject({ rounds: 2, sizes: { B: 2 } });
  });

  test("a trace as JSON holds every dispatch", async () => {
    const { stdout } = await run("trace", file, ...x, "--weights", "random:3", "--rounds", "1", "--json");
    const { ok, trace } = JSON.parse(stdout);
    expect(ok).toBe(true);
    expect(trace).toMatchObject({ model: "Small", entry: "scale", rounds: 1, chain: 2, leastBytes: 224 });
    expect(trace.dispatches[0]).toMatchObject({ index: 0, executed: 64, declared: 64 });
    expect(trace.dispatches[0].nanoseconds).toBeGreaterThan(0);
  });

  test("an unknown entry, a missing input, no weights, a file that can't be", async () => {
    expectRefused(await run("trace", file, "-e", "nothing"), 1, /no-entry.*scale/s);
    expectRefused(await run("trace", file, "--random-weights"), 1, /input-missing.*--in x=/s);
    expectRefused(await run("trace", file, ...x), 1, /weights/);
    const chrome = join(folder, "none", "trace.json");
    expectRefused(await run("trace", file, ...x, "--random-weights", "--chrome", chrome), 1, /none/);
    expect(existsSync(chrome)).toBe(false);
  });
});

describe("without an adapter", () => {
  const run = (...words: readonly string[]) =>
    runBinary(words, {
      environment: {
        VK_ICD_FILENAMES: join(folder, "none.json"),
        VK_DRIVER_FILES: join(folder, "none.json"),
      },
    });
  const isLinux = process.platform === "linux";

  test.runIf(isLinux)("what needs one says so, and writes nothing", async () => {
    const out = join(folder, "out.json");
    expectRefused(
      await run("device", "--out", out),
      1,
      /error\[webgpu-no-adapter\].*found no adapter.*help: /s,
    );
    expectRefused(
      await run("trace", file, ...x, "--random-weights", "--chrome", out),
      1,
      /error\[webgpu-no-adapter\]/,
    );
    expect(existsSync(out)).toBe(false);
  });

  test("plans are printed and checked all the same", async () => {
    expect((await run("inspect", file, "--stage", "plan")).stdout).toMatch(/^plan Small: 1 entry, 2 kernels/);
    expect((await run("check", file, "--target", "webgpu")).stdout).toContain("Small fits a device of");
  });
});

test.each<[string, readonly string[], number, RegExp]>([
  ["an unknown profile", ["check", "FILE", "--target", "webgpu", "--device", "NONE"], 1, /file-not-found/],
  [
    "a profile that is none",
    ["check", "FILE", "--target", "webgpu", "--device", "FILE"],
    1,
    /bad-profile.*not JSON/s,
  ],
  ["an unknown target", ["check", "FILE", "--target", "metal"], 2, /Allowed choices are webgpu/],
  ["a heading that there is not", ["trace", "FILE", "--by", "colour"], 2, /Allowed choices are path, block/],
  ["no rounds", ["trace", "FILE", "--rounds", "0"], 2, /positive integer/],
  ["memory in words", ["device", "--memory", "much"], 2, /write it as 8GiB/],
  [
    "a kernel that there is not",
    ["inspect", "FILE", "--stage", "plan", "--kernel", "99"],
    1,
    /unknown-kernel/,
  ],
  [
    "a device for ONNX",
    ["compile", "FILE", "--device", "default", "--weights", "random:1", "--out", "NONE"],
    1,
    /--device says what a WebGPU plan is split for/,
  ],
])("%s is refused", async (_, words, status, message) => {
  const given = words.map((word) => (word === "FILE" ? file : word === "NONE" ? join(folder, "none") : word));
  expectRefused(await runBinary(given), status, message);
});
