/**
 * Files that are damaged, elsewhere or out of reach, each in words and as JSON.
 *
 * A small model keeps this quick; what a user gets wrong about a real one is in bad-input.whole.ts.
 */
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { type Finished, type ProcessOptions, runBinary, runHere, temporaryFolder } from "../support/cli.ts";
import { safetensorsFile, type WavFields, wavFile } from "../support/damaged-files.ts";

const source = `
model Small(size: int = 3) {
  input x: f32[B, size]
  input audio: waveform[T] @ 16kHz
  param weight: f32[size] = normal(1)
  entry scale(x) -> y: f32[B, size] = x * weight
  entry loudness(audio) -> z: f32[1, 2] = expand(reshape(mean(audio * audio), [1, 1]), [1, 2])
}
`;

let folder = "";
beforeEach(() => {
  folder = temporaryFolder();
  put("small.oss", source);
});

function put(name: string, content: string | Uint8Array): string {
  writeFileSync(join(folder, name), content);
  return name;
}

/**
 * Fails in words on standard error, and as JSON on standard output; leaves the folder as it was. The words come from
 * the program as built, the JSON from this process where nothing about the process matters.
 */
async function expectFailure(
  arguments_: readonly string[],
  code: string,
  words: RegExp,
  options: ProcessOptions = {},
): Promise<void> {
  const before = readdirSync(folder).toSorted();
  const inWords = await runBinary(arguments_, { cwd: folder, ...options });
  const isAlike = options.environment === undefined && options.through === undefined;
  const asJson = await (isAlike ? runHere : runBinary)([...arguments_, "--json"], {
    cwd: folder,
    ...options,
  });
  expect(inWords.stderr).toMatch(new RegExp(`^error\\[${code}\\]: .*\\S`, "m"));
  expect(inWords.stderr).toMatch(words);
  expect(inWords).toMatchObject({ status: 1, stdout: "" });
  expectJson(asJson, code);
  for (const { stderr, stdout } of [inWords, asJson]) {
    expect(stderr + stdout).not.toMatch(/^\s+at .*:\d+/m);
    expect(stderr + stdout).not.toContain("internal-");
  }
  expect(readdirSync(folder).toSorted()).toEqual(before);
}

function expectJson(finished: Finished, code: string): void {
  expect(finished).toMatchObject({ status: 1, stderr: "" });
  const value = JSON.parse(finished.stdout);
  expect(value).toMatchObject({ ossicle: 1, ok: false });
  expect(value.diagnostics.map((diagnostic: { code: string }) => diagnostic.code)).toContain(code);
}

const scale = ["run", "small.oss", "-e", "scale", "--target", "reference"];
const three = ["--in", "x=[[1, 2, 3]]"];

describe("weights", () => {
  const floats = new Uint8Array(Float32Array.of(1, 2, 3).buffer);
  const tensor = (from: number, to: number, more: object = {}) => ({
    weight: { dtype: "F32", shape: [3], data_offsets: [from, to], ...more },
  });
  const whole = safetensorsFile(tensor(0, 12), floats);
  const twice = `{${[1, 2].map(() => JSON.stringify(tensor(0, 12)).slice(1, -1)).join(",")}}`;
  const other = { dtype: "F32", shape: [3], data_offsets: [4, 16] };

  test("as they should be", async () => {
    put("good.safetensors", whole);
    const { status, stdout } = await runBinary([...scale, ...three, "--weights", "good.safetensors"], {
      cwd: folder,
    });
    expect([status, stdout]).toEqual([0, "y: f32[1, 3] = [1, 4, 9]\n"]);
  });

  const cases: readonly [string, Uint8Array, string, RegExp][] = [
    ["empty", new Uint8Array(), "safetensors-header", /0 bytes/],
    ["cut within the first number", whole.subarray(0, 5), "safetensors-header", /5 bytes/],
    ["cut within the header", whole.subarray(0, 40), "safetensors-truncated", /header/],
    ["cut within a tensor", whole.subarray(0, -4), "safetensors-truncated", /ends before/],
    [
      "a header longer than the file",
      safetensorsFile(tensor(0, 12), floats, 4096),
      "safetensors-truncated",
      /4096/,
    ],
    [
      "a header of an exabyte",
      safetensorsFile(tensor(0, 12), floats, 1n << 60n),
      "safetensors-header",
      /header of/,
    ],
    ["a header that is no JSON", safetensorsFile("{not json", floats), "safetensors-header", /JSON/],
    ["a header that is a list", safetensorsFile([1, 2], floats), "safetensors-header", /JSON object/],
    ["one name twice", safetensorsFile(twice, floats), "safetensors-duplicate", /twice/],
    [
      "tensors that overlap",
      safetensorsFile({ ...tensor(0, 12), other }, new Uint8Array(16)),
      "safetensors-overlap",
      /share bytes/,
    ],
    [
      "a tensor past the end",
      safetensorsFile(tensor(0, 1200, { shape: [300] }), floats),
      "safetensors-truncated",
      /1200/,
    ],
    [
      "offsets that do not fit the shape",
      safetensorsFile(tensor(0, 8), floats),
      "safetensors-length",
      /8 bytes .* 12/,
    ],
    ["offsets backwards", safetensorsFile(tensor(12, 0), floats), "safetensors-offsets", /\[12,0\]/],
    ["negative offsets", safetensorsFile(tensor(-4, 8), floats), "safetensors-offsets", /-4/],
    [
      "bytes before the first tensor",
      safetensorsFile(tensor(4, 16), new Uint8Array(16)),
      "safetensors-gap",
      /0 to 4/,
    ],
    [
      "bytes after the last tensor",
      safetensorsFile(tensor(0, 12), new Uint8Array(20)),
      "safetensors-gap",
      /8 bytes/,
    ],
    [
      "an unknown element type",
      safetensorsFile(tensor(0, 12, { dtype: "F99" }), floats),
      "safetensors-dtype",
      /F99/,
    ],
    [
      "whole numbers for real ones",
      safetensorsFile(tensor(0, 12, { dtype: "I32" }), floats),
      "weights-misshapen",
      /i32/,
    ],
    [
      "another shape",
      safetensorsFile(tensor(0, 12, { shape: [1, 3] }), floats),
      "weights-misshapen",
      /\[1, 3\]/,
    ],
    ["a source file", new TextEncoder().encode(source), "safetensors-header", /not a safetensors file/],
  ];
  test.each(cases)("%s", async (_, bytes, code, words) => {
    put("bad.safetensors", bytes);
    await expectFailure([...scale, ...three, "--weights", "bad.safetensors"], code, words);
  });
});

describe("arrays and literals", () => {
  const cases: readonly [string, string, string | Uint8Array, string, RegExp][] = [
    ["text for NumPy's format", "x.npy", "hello", "npy-header", /NumPy/],
    ["an empty array file", "x.npy", "", "npy-header", /NumPy/],
    ["a cut array file", "x.npy", "\u0093NUMPY", "npy-header", /NumPy/],
    ["text for tensors", "x.safetensors", "hello", "safetensors-header", /safetensors/],
    ["a kind of file that holds no numbers", "x.txt", "1 2 3", "input-unreadable", /literal/],
  ];
  test.each(cases)("%s", async (_, name, content, code, words) => {
    put(name, content);
    await expectFailure([...scale, "--weights", "random:1", "--in", `x=${name}`], code, words);
  });

  test.each([
    ["[1, 2, 3]", "input-shape", /\[3\].*\[B, 3\]/],
    ["[[1, 2]]", "input-shape", /is 2; it must be 3/],
    ["[[1, 2], [3]]", "bad-literal", /differ in length/],
    ['["a"]', "input-unreadable", /literal/],
    ["[[1, 2, 1e999]]", "input-unreadable", /literal/],
    ["[[[]]]", "input-shape", /\[1, 1, 0\]/],
  ])("x=%s", async (literal, code, words) => {
    await expectFailure([...scale, "--weights", "random:1", "--in", `x=${literal}`], code, words);
  });
});

describe("recordings", () => {
  const loudness = ["run", "small.oss", "-e", "loudness", "--target", "reference", "--in", "audio=sound.wav"];
  const damaged = (fields: WavFields) => wavFile(800, fields);

  const cases: readonly [string, Uint8Array | string, string, RegExp][] = [
    ["an empty file", "", "audio-empty", /no sound/],
    ["a header alone", wavFile(0), "audio-empty", /no sound/],
    ["half a header", wavFile(800).subarray(0, 30), "audio-undecodable", /cut short/],
    ["text under the name of a sound", "these are words\n", "audio-format", /WAV, FLAC/],
    ["more promised than there is", damaged({ dataBytes: 50_000 }), "audio-truncated", /50000|50,000/],
    ["no channels", damaged({ channels: 0 }), "audio-undecodable", /contradicts/],
    ["frames of no bytes", damaged({ frameBytes: 0 }), "audio-undecodable", /contradicts/],
    ["samples of 7 bits", damaged({ bits: 7 }), "audio-undecodable", /7 bits/],
    ["no sample rate", damaged({ rate: 0 }), "audio-sample-rate", /0 Hz/],
    ["a sample rate of gigahertz", damaged({ rate: 4_000_000_000 }), "audio-sample-rate", /4000000000/],
    ["a compressed format", damaged({ format: 6 }), "audio-format", /A-law/],
  ];
  test.each(cases)("%s", async (_, content, code, words) => {
    put("sound.wav", content);
    await expectFailure(loudness, code, words);
  });

  test("labels that do not fit, or are none", async () => {
    put("sound.wav", wavFile(800));
    const classify = ["classify", "small.oss", "-e", "loudness", "--audio", "sound.wav", "--labels"];
    put("three.txt", "a\nb\nc\n");
    await expectFailure([...classify, "three.txt"], "labels-mismatch", /3 classes.* 2/);
    put("broken.json", "{ nothing");
    await expectFailure([...classify, "broken.json"], "bad-labels", /one name a line/);
    put("latin.txt", Uint8Array.of(0xe9, 0x0a));
    await expectFailure([...classify, "latin.txt"], "file-not-text", /UTF-8/);
  });
});

describe("places", () => {
  test("a folder, a pipe, a device or nothing where a file is needed", async () => {
    mkdirSync(join(folder, "folder.safetensors"));
    execFileSync("mkfifo", [join(folder, "pipe.safetensors")]);
    const weights = (path: string) => [...scale, ...three, "--weights", path];
    await expectFailure(weights("folder.safetensors"), "not-a-file", /directory/);
    await expectFailure(weights("pipe.safetensors"), "not-a-file", /pipe/);
    await expectFailure(weights("/dev/zero"), "not-a-file", /device/);
    await expectFailure(weights("none.safetensors"), "file-not-found", /none/);
    await expectFailure(weights(`${"long".repeat(100)}.safetensors`), "file-not-found", /too long/);
    await expectFailure(["check", "small.oss/more.oss"], "file-not-found", /small\.oss\/more/);
    await expectFailure(["check", "folder.safetensors"], "not-a-file", /not a file/);
  });

  test("an output that cannot be", async () => {
    mkdirSync(join(folder, "taken"));
    const run = [...scale, ...three, "--weights", "random:1", "--out"];
    await expectFailure([...run, "no/folder/y.safetensors"], "output-unwritable", /does not exist/);
    await expectFailure([...run, "taken"], "output-unwritable", /is a directory/);
    await expectFailure([...run, "small.oss/y.safetensors"], "output-unwritable", /small\.oss/);
    const compile = ["compile", "small.oss", "-e", "scale", "--weights", "random:1", "--out"];
    await expectFailure([...compile, "no/model.onnx"], "output-unwritable", /does not exist/);
    await expectFailure([...compile, "small.oss/folder"], "output-unwritable", /small\.oss/);
    const both = [...compile.slice(0, 2), "-e", "scale", "-e", "loudness", ...compile.slice(4)];
    await expectFailure([...both, "model.onnx"], "output-unwritable", /name a folder/);
  });

  test.runIf(existsSync("/dev/full"))("a device that takes nothing", async () => {
    const run = [...scale, ...three, "--weights", "random:1", "--out", "/dev/full"];
    await expectFailure(run, "disk-full", /room/);
  });

  test("a full disk, for results and for temporary files", async ({ skip }) => {
    const disk = join(folder, "disk");
    mkdirSync(disk);
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], { stdio: "ignore" });
    } catch {
      skip("a small disk can't be mounted here");
    }
    try {
      const large = ["--set", "size=40000", "-e", "scale", "--weights", "random:1"];
      await expectFailure(["compile", "small.oss", ...large, "--out", "disk/a/b"], "disk-full", /room/);
      expect(readdirSync(disk)).toEqual([]);
      const zeros = JSON.stringify([new Array<number>(20_000).fill(0)]);
      const run = ["run", "small.oss", "--set", "size=20000", ...large.slice(2), "--in", `x=${zeros}`];
      await expectFailure(
        [...run, "--target", "reference", "--out", "disk/y.safetensors"],
        "disk-full",
        /room/,
      );
      await expectFailure(run, "disk-full", /room/, { environment: { TMPDIR: disk } });
      expect(readdirSync(disk)).toEqual([]);
    } finally {
      execFileSync("umount", [disk]);
    }
  });

  test("no place for temporary files", async () => {
    const run = ["run", "small.oss", "-e", "scale", ...three, "--weights", "random:1"];
    const environment = { TMPDIR: join(folder, "none") };
    await expectFailure(run, "output-unwritable", /none/, { environment });
  });

  test("files and folders of someone else", async ({ skip }) => {
    const isRoot = process.getuid?.() === 0;
    const through = isRoot ? ["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : [];
    if (isRoot && !existsSync("/usr/bin/setpriv"))
      skip("root may read everything, and there is no setpriv here to be another user");
    chmodSync(folder, 0o755);
    if ((await runBinary(["--version"], { cwd: folder, through })).status !== 0)
      skip("another user may not start the program here");
    mkdirSync(join(folder, "open"));
    mkdirSync(join(folder, "locked"));
    put("secret.oss", source);
    chmodSync(join(folder, "secret.oss"), 0o000);
    put("secret.wav", wavFile(800));
    chmodSync(join(folder, "secret.wav"), 0o000);
    chmodSync(join(folder, "locked"), 0o500);
    await expectFailure(["check", "secret.oss"], "file-unreadable", /may not be read/, { through });
    const sound = ["run", "small.oss", "-e", "loudness", "--in", "audio=secret.wav"];
    await expectFailure(sound, "file-unreadable", /may not be read/, { through });
    const run = [...scale, ...three, "--weights", "random:1", "--out", "locked/y.safetensors"];
    await expectFailure(run, "output-unwritable", /may not be written/, { through });
    const compile = ["compile", "small.oss", "-e", "scale", "--weights", "random:1", "--out"];
    await expectFailure([...compile, "locked/model.onnx"], "output-unwritable", /may not be written/, {
      through,
    });
    await expectFailure([...compile, "locked/folder"], "output-unwritable", /may not be written/, {
      through,
    });
    chmodSync(join(folder, "locked"), 0o700);
    expect(readdirSync(join(folder, "locked"))).toEqual([]);
  });
});

describe("imports", () => {
  const imports = (path: string) => `import { A } from ${JSON.stringify(path)}\n`;

  test("lead to files inside the root, whatever they are written as", async () => {
    mkdirSync(join(folder, "project/inner"), { recursive: true });
    put("outside.oss", "block A() { forward(x: f32[N]) -> f32[N] = x }\n");
    symlinkSync(join(folder, "outside.oss"), join(folder, "project/link.oss"));
    for (const [path, words] of [
      ["../../outside.oss", /leaves the root folder/],
      ["../link.oss", /symbolic link leads out/],
      ["/etc/hostname", /relative/],
      ["..\\..\\outside.oss", /relative/],
      ["ossicle/../package.json", /leaves the root folder of the library/],
      ["./none.oss", /no such file/],
      ["./m", /source files end in \.oss/],
      ["../inner", /./],
    ] as const) {
      put("project/inner/m.oss", imports(path));
      await expectFailure(["check", "project/inner/m.oss", "--root", "project"], "import-failed", words);
    }
    // The same import, from a root that holds both.
    put("project/inner/m.oss", imports("../../outside.oss"));
    const fine = await runBinary(["check", "project/inner/m.oss", "--root", "."], { cwd: folder });
    expect(fine).toMatchObject({ status: 0 });
    await expectFailure(["check", "outside.oss", "--root", "project"], "import-outside-root", /--root/);
  });
});
