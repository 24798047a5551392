/**
 * Wrong use of the commands that count: what is said, that it lists what is known, and that nothing is
 * written. In this process; that one of its own says the same, usage.whole.ts shows.
 */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runHere, temporaryFolder } from "../support/cli.ts";

const mae = "ossicle/classifiers/audiomae.oss";
const lm = "ossicle/decoders/mamba2-lm.oss";

describe("refused with status 1, as a diagnostic that says what there is", () => {
  test.each([
    ["an unknown symbol", ["cost", mae, "--at", "Q=3"], "unknown-symbol", /what is open: T, B/],
    ["a symbol that is nearly right", ["cost", lm, "--at", "l=3"], "unknown-symbol", /L/],
    ["a keep rate of 1.3", ["cost", mae, "--keep", "1.3"], "bad-setting", /`keep`.*1\.3|1\.3.*`keep`/s],
    [
      "an open keep rate of 1.3",
      ["cost", mae, "--open", "keep", "--at", "keep=1.3"],
      "bad-binding",
      /between 0 and 1/,
    ],
    ["half an item", ["cost", mae, "--at", "B=1.5"], "bad-binding", /positive integer/],
    [
      "seconds where there is no sound",
      ["cost", lm, "--seconds", "3"],
      "unknown-symbol",
      /what is open: .*B, L|L, B/,
    ],
    ["an unknown entry", ["cost", mae, "--entry", "step"], "no-entry", /classify/],
    ["an unknown parameter", ["cost", mae, "--set", "keeep=1"], "bad-setting", /keep/],
    ["a parameter that can't stay open", ["cost", mae, "--open", "score"], "bad-setting", /keep/],
    ["set and open", ["cost", mae, "--open", "keep", "--set", "keep=1"], "wrong-usage", /keep/],
    ["nothing to train", ["cost", mae, "--train", "decoder"], "unknown-parameter", /start with: .*blocks/],
    [
      "adapters where there are none",
      ["cost", mae, "--train", "adapters"],
      "unknown-parameter",
      /no adapters/,
    ],
    ["tokens of a classifier", ["cost", mae, "--tokens", "3"], "no-generation", /AudioMaeClassifier/],
    ["an open size in an estimate", ["cost", mae, "--device", "DEVICE"], "unbound-symbol", /--seconds 10/],
    [
      "a profile that is none",
      ["cost", mae, "--device", "EMPTY"],
      "bad-profile",
      /`name`.*ossicle calibrate/s,
    ],
    ["an empty sweep", ["sweep", mae], "empty-sweep", /its parameters are .*keep/],
    [
      "a range that is none",
      ["sweep", mae, "--set", "keep=0.9..0.5:0.1"],
      "bad-sweep-values",
      /keep=0\.5\.\.1\.0:0\.1/,
    ],
    ["an open size in a sweep", ["sweep", mae, "--set", "keep=0.5,0.6"], "unbound-symbol", /--seconds 10/],
    [
      "two lists of ways to train",
      ["cost", mae, "--train", "compare", "--set", "keep=0.5,1", "--set", "labels=1,2"],
      "wrong-usage",
      /ossicle sweep/,
    ],
  ])("%s", { timeout: 60_000 }, async (_, arguments_, code, says) => {
    const folder = temporaryFolder();
    const files = { DEVICE: join(folder, "device.json"), EMPTY: join(folder, "empty.json") };
    const one = { products: 1, attention: 1, scan: 1, softmax: 1, norm: 1, function: 1 };
    const read = { weightBytesPerSecond: 1, scanBytesPerSecond: 1, resultBytesPerSecond: 1 };
    const rates = { macsPerSecond: one, elementsPerSecond: one, ...read, secondsPerOp: 1 };
    const traffic = [{ bytes: 1, bytesPerSecond: 1 }];
    writeFileSync(files.DEVICE, JSON.stringify({ profile: 3, name: "paper", ...rates, traffic }));
    writeFileSync(files.EMPTY, "{}");
    const page = join(folder, "page.html");
    const given = arguments_.map((word) => (word === "DEVICE" || word === "EMPTY" ? files[word] : word));
    const { status, stdout, stderr } = await runHere([...given, "--html", page]);
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toContain(`error[${code}]`);
    expect(stderr).toMatch(says);
    expect(stderr).not.toMatch(/ {4}at |undefined|NaN/);
    expect(existsSync(page)).toBe(false);
  });

  test.each([
    ["an unknown convention", ["cost", mae, "--convention", "gflops"], /core, torchprofile, fvcore, flops/],
    ["an unknown heading", ["cost", mae, "--by", "layer"], /path, component, block, op, kind/],
    ["an unknown measure", ["sweep", mae, "--measure", "joules"], /macs, scalars, params/],
    ["a number that is none", ["cost", mae, "--seconds", "ten"], /ten is no number/],
    ["a plot of one", ["sweep", mae, "--plot", "macs"], /name two columns/],
    ["no rounds", ["calibrate", "--rounds", "0"], /positive integer/],
  ])("%s is status 2, and lists what is known", { timeout: 60_000 }, async (_, arguments_, says) => {
    const { status, stdout, stderr } = await runHere(arguments_);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(says);
  });
});
