/** What every command takes and gives: help, JSON with stable keys, and the forms of inputs. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { writeNpy } from "../../src/runtime/npy.ts";
import { root, runHere, temporaryFolder } from "../support/cli.ts";
import { wavFile } from "../support/damaged-files.ts";

const source = `
/// Scales and adds.
model Small(size: int = 3) {
  /// Rows to scale.
  input x: f32[B, size]
  /// Mono.
  input audio: waveform[T] @ 16kHz
  input ids: tokens[L]
  param weight: f32[size] = ones

  /// Each column by its weight.
  entry scale(x) -> y: f32[B, size] {
    let doubled = x * 2
    doubled * weight
  }
  entry loudness(audio) -> z: f32[1, 2] = expand(reshape(mean(audio * audio), [1, 1]), [1, 2])
  entry next(ids) -> following: i64[L] = ids + 1
}
`;

let folder = "";
let file = "";
beforeEach(() => {
  folder = temporaryFolder();
  file = join(folder, "small.oss");
  writeFileSync(file, source);
});

async function json(...arguments_: string[]): Promise<Record<string, unknown>> {
  const { status, stdout, stderr } = await runHere([...arguments_, "--json"]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  const value: Record<string, unknown> = JSON.parse(stdout);
  expect(value).toMatchObject({ ossicle: 1, command: arguments_[0], ok: true, diagnostics: [] });
  return value;
}

const common = ["ossicle", "command", "ok", "diagnostics"];
const reference = ["--weights", "random:1", "--target", "reference"];

describe("help", () => {
  const commands = ["check", "inspect", "compile", "run", "classify", "generate", "caption"];

  test("is printed on standard output, and names every command", async () => {
    const { status, stdout, stderr } = await runHere(["--help"]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    for (const command of commands) expect(stdout).toMatch(new RegExp(`^  ${command} `, "m"));
  });

  test.each(commands)("of %s explains every option", async (command) => {
    const { status, stdout, stderr } = await runHere([command, "--help"]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toMatch(new RegExp(`^Usage: ossicle ${command} `));
    for (const option of ["--json", "--no-color", "--root", "--model", "--set"])
      expect(stdout).toContain(option);
    // An option without a description has nothing after its name but the end of the line.
    expect(stdout).not.toMatch(/^ {2}-.*>\n {2}-/m);
    expect(await runHere(["help", command])).toMatchObject({ status: 0, stdout });
  });

  test("without arguments is shown as wrong usage", async () => {
    const { status, stdout, stderr } = await runHere([]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(/^Usage: ossicle/);
  });

  test("the version is the package's", async () => {
    const { status, stdout } = await runHere(["--version"]);
    expect([status, stdout]).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+\n$/)]);
  });
});

describe("JSON", () => {
  test("check: entries with their types, guards and parameters", async () => {
    const value = await json("check", file);
    expect(Object.keys(value)).toEqual([...common, "entries", "unset"]);
    const entries = value["entries"];
    if (!Array.isArray(entries)) throw new Error("entries is no list");
    expect(entries.map(({ model, entry }) => `${model}.${entry}`)).toEqual([
      "Small.scale",
      "Small.loudness",
      "Small.next",
    ]);
    expect(entries[0]).toEqual({
      model: "Small",
      entry: "scale",
      doc: "Each column by its weight.",
      symbols: ["B"],
      inputs: [{ name: "x", dtype: "f32", shape: ["B", "3"], sampleRate: null }],
      outputs: [{ name: "y", dtype: "f32", shape: ["B", "3"] }],
      parameters: { tensors: 1, elements: "3" },
      guards: [],
    });
    expect(entries[1]).toMatchObject({ inputs: [{ name: "audio", shape: ["T"], sampleRate: 16000 }] });
  });

  test("check: a model that waits for values", async () => {
    writeFileSync(file, "model Open(size: int) { input x: f32[size] entry f(x) -> y: f32[size] = x + 1 }");
    expect(await json("check", file)).toMatchObject({
      entries: [],
      unset: [{ model: "Open", parameters: ["size"] }],
    });
    expect((await runHere(["check", file])).stdout).toBe(
      "Open: no mistakes found; it has entries once values are set for size\n",
    );
    expect(await json("check", file, "--set", "size=4")).toMatchObject({
      entries: [{ model: "Open" }],
      unset: [],
    });
  });

  test("inspect: a stage", async () => {
    const value = await json("inspect", file, "-e", "scale");
    expect(Object.keys(value)).toEqual([...common, "stage", "text"]);
    expect(value["text"]).toContain("weight");
    const tree = await json("inspect", file, "--stage", "ast");
    expect(Object.keys(tree)).toEqual([...common, "stage", "ast"]);
    expect(tree["ast"]).toMatchObject({ declarations: [{ kind: "block", name: { name: "Small" } }] });
  });

  test("run: results with their types", async () => {
    const value = await json("run", file, "-e", "scale", "--in", "x=[[1, 2, 3]]", ...reference);
    const keys = ["model", "entry", "target", "weights", "randomWeights", "seconds", "outputs"];
    expect(Object.keys(value)).toEqual([...common, ...keys]);
    expect(value).toMatchObject({
      model: "Small",
      entry: "scale",
      target: "reference",
      weights: "random weights, seed 1",
      randomWeights: true,
      outputs: { y: { dtype: "f32", shape: [1, 3], data: [2, 4, 6] } },
    });
  });

  test("compile: the files", async () => {
    const out = join(folder, "scale.onnx");
    const value = await json("compile", file, "-e", "scale", "--weights", "random:1", "--out", out);
    expect(Object.keys(value)).toEqual([...common, "weights", "randomWeights", "files"]);
    expect(value["files"]).toEqual([{ path: out, bytes: expect.any(Number) }]);
  });

  test("classify: labels, the best first", async () => {
    const audio = join(folder, "a.wav");
    writeFileSync(audio, wavFile(800));
    const labels = join(folder, "labels.json");
    writeFileSync(labels, JSON.stringify({ id2label: { 1: "loud", 0: "quiet" } }));
    const files = ["--audio", audio, "--labels", labels];
    const value = await json("classify", file, "-e", "loudness", ...files, "--target", "reference");
    expect(Object.keys(value)).toEqual([...common, "model", "weights", "randomWeights", "seconds", "labels"]);
    expect(value).toMatchObject({
      randomWeights: false,
      labels: [
        { index: 0, label: "quiet", logit: 0 },
        { index: 1, label: "loud", logit: 0 },
      ],
    });
  });
});

describe("inputs", () => {
  const scale = (...more: string[]) => json("run", file, "-e", "scale", ...reference, ...more);

  test("literals", async () => {
    expect(await scale("--in", "x=[[0.5, -1, 2e1], [1, 2, 3]]")).toMatchObject({
      outputs: { y: { shape: [2, 3], data: [1, -2, 40, 2, 4, 6] } },
    });
    expect(
      await json("run", file, "-e", "next", "--in", "ids=[7, 8]", "--target", "reference"),
    ).toMatchObject({
      outputs: { following: { dtype: "i64", shape: [2], data: [8, 9] } },
    });
  });

  test("arrays of NumPy", async () => {
    const path = join(folder, "x.npy");
    writeFileSync(path, writeNpy({ dtype: "f32", shape: [1, 3], data: Float32Array.of(1, 2, 3) }));
    expect(await scale("--in", `x=${path}`)).toMatchObject({ outputs: { y: { data: [2, 4, 6] } } });
    writeFileSync(path, writeNpy({ dtype: "i64", shape: [1], data: Float64Array.of(41) }));
    expect(
      await json("run", file, "-e", "next", "--in", `ids=${path}`, "--target", "reference"),
    ).toMatchObject({
      outputs: { following: { data: [42] } },
    });
  });

  test("results of an earlier run, by the name of the tensor", async () => {
    const out = join(folder, "first.safetensors");
    await scale("--in", "x=[[1, 2, 3]]", "--out", out);
    expect(await scale("--in", `x=${out}:y`)).toMatchObject({ outputs: { y: { data: [4, 8, 12] } } });
  });

  test("recordings, when the input is a waveform", async () => {
    const path = join(folder, "sound.WAV");
    writeFileSync(path, wavFile(800));
    const loudness = ["run", file, "-e", "loudness", "--target", "reference", "--in", `audio=${path}`];
    expect(await json(...loudness)).toMatchObject({ outputs: { z: { data: [0, 0] } } });
  });

  test("values on the way, by path", async () => {
    expect(await scale("--in", "x=[[1, 2, 3]]", "--tap", "doubled")).toMatchObject({
      outputs: { y: { data: [2, 4, 6] }, doubled: { data: [2, 4, 6] } },
    });
  });

  test("numbers that JSON has no name for are strings", async () => {
    writeFileSync(file, "model M() { input x: f32[N] entry f(x) -> y: f32[N] = log(x) }");
    expect(await json("run", file, "--in", "x=[0, -1, 1]", "--target", "reference")).toMatchObject({
      outputs: { y: { data: ["-Infinity", "NaN", 0] } },
    });
  });
});

test("the library is found by its name", async () => {
  expect(await runHere(["check", "ossicle/frontends/kaldi-fbank.oss"])).toMatchObject({
    status: 0,
    stdout: expect.stringContaining("Fbank"),
  });
  expect(await runHere(["check", join(root, "models/frontends/kaldi-fbank.oss")])).toMatchObject({
    status: 0,
  });
  const missing = await runHere(["check", "ossicle/none.oss"]);
  expect(missing).toMatchObject({ status: 1, stderr: expect.stringContaining("file-not-found") });
});
