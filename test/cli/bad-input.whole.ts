/**
 * What a user can get wrong, about a real model: a message that says what and what to do, the right
 * exit status, no stack trace, and nothing left half-written. bad-files.whole.ts asks the program as built.
 */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Finished, root, runBinary, runHere, temporaryFolder } from "../support/cli.ts";

const ast = "models/classifiers/ast.oss";
const golden = join(root, "test/golden/ast-tiny");
const weights = join(golden, "weights.safetensors");
const inputs = join(golden, "inputs.safetensors");
const sizes = "frames=128 bins=64 width=48 depth=4 heads=4 hidden=192 labels=7 at=[1,2,3]";
const small = sizes.split(" ").flatMap((setting) => ["--set", setting]);
const forward = ["run", ast, "-e", "forward", ...small];

/** A failure as a user sees it: this status, this code, readable, and nothing on standard output. */
function expectFailure(finished: Finished, code: string, words: RegExp): void {
  expect(finished.stderr).toContain(`error[${code}]`);
  expect(finished.stderr).toMatch(words);
  expect(finished.stderr).not.toMatch(/^\s+at .*:\d+/m);
  expect(finished.stderr).not.toContain("internal-error");
  expect(finished.stdout).toBe("");
  expect(finished.status).toBe(1);
}

function write(folder: string, name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** A safetensors file with this header and so many bytes after it. */
function safetensors(header: unknown, dataBytes: number, headerLength?: number): Uint8Array {
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerLength ?? text.length), true);
  bytes.set(text, 8);
  return bytes;
}

function wav(samples: number, claims: { dataBytes?: number; rate?: number } = {}): Uint8Array {
  const bytes = new Uint8Array(44 + samples * 2);
  const view = new DataView(bytes.buffer);
  const put = (at: number, text: string) => bytes.set(new TextEncoder().encode(text), at);
  put(0, "RIFF");
  view.setUint32(4, bytes.length - 8, true);
  put(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, claims.rate ?? 16000, true);
  view.setUint32(28, (claims.rate ?? 16000) * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  put(36, "data");
  view.setUint32(40, claims.dataBytes ?? samples * 2, true);
  for (let i = 0; i < samples; i++) view.setInt16(44 + 2 * i, 8000 * Math.sin(i / 5), true);
  return bytes;
}

describe("weights", () => {
  const tensor = { dtype: "F32", shape: [2], data_offsets: [0, 8] };
  const cases: readonly [string, Uint8Array, string, RegExp][] = [
    [
      "that end early",
      readFileSync(weights).subarray(0, 100_000),
      "safetensors",
      /incomplete|ends|truncated/i,
    ],
    [
      "whose header is longer than the file",
      safetensors({ a: tensor }, 8, 10_000),
      "safetensors-truncated",
      /header/,
    ],
    ["whose header is no JSON", safetensors("{nonsense", 8), "safetensors", /JSON|header/],
    [
      "whose tensors overlap",
      safetensors({ a: tensor, b: { ...tensor, data_offsets: [4, 12] } }, 12),
      "safetensors",
      /overlap/,
    ],
    [
      "whose tensors lie outside",
      safetensors({ a: { ...tensor, data_offsets: [8, 16] } }, 8),
      "safetensors",
      /outside|beyond|past|gap|ends/i,
    ],
    ["of an unknown type", safetensors({ a: { ...tensor, dtype: "Q4" } }, 8), "safetensors", /Q4/],
    [
      "that are something else",
      new TextEncoder().encode("PK\u0003\u0004 this is no checkpoint at all"),
      "zip-damaged",
      /archive/,
    ],
  ];
  test.each(cases)("%s", async (_, bytes, code, words) => {
    const file = write(temporaryFolder(), "bad.safetensors", bytes);
    const finished = await runHere([...forward, "--weights", file, "--in", `input_values=${inputs}`]);
    expect(finished.stderr).toContain(`error[${code}`);
    expect(finished.stderr).toMatch(words);
    expect(finished.stderr).not.toMatch(/^\s+at .*:\d+/m);
    expect([finished.status, finished.stdout]).toEqual([1, ""]);
  });

  test("of another model: what is missing, what has another shape, what comes close", async () => {
    const wider = ["run", ast, "-e", "forward", ...small, "--set", "classifier=1"];
    expect((await runHere(wider)).status).toBe(1);
    const finished = await runHere([
      ...["run", ast, "-e", "forward", ...small.map((text) => text.replace("labels=7", "labels=9"))],
      ...["--weights", weights, "--in", `input_values=${inputs}`],
    ]);
    expectFailure(finished, "weights-misshapen", /classifier\.dense\.weight/);
    expect(finished.stderr).toMatch(/\[9, 48\]/);
    expect(finished.stderr).toMatch(/\[7, 48\]/);
  });

  test("that are not there, are a folder, or are not given", async () => {
    const at = (path: string) => [...forward, "--weights", path, "--in", `input_values=${inputs}`];
    expectFailure(await runHere(at("nowhere.safetensors")), "file-not-found", /nowhere/);
    expectFailure(await runHere(at(golden)), "not-a-file", /directory/);
    expectFailure(
      await runHere([...forward, "--in", `input_values=${inputs}`]),
      "weights-missing",
      /random:1/,
    );
    expectFailure(await runHere(at("random:x")), "bad-seed", /random:1/);
  });
});

describe("settings", () => {
  test.each([
    ["keep=nan", /nan/],
    ["keep=1.3", /ratio/],
    ["keep=130%", /ratio/],
    ["keep=-0.1", /ratio/],
    ["depth=1.5", /integer/],
    ["order=sideways", /score/],
    ["kep=0.7", /keep/],
    ["keep=0.5 0.6", /keep/],
  ])("--set %s", async (setting, words) => {
    const finished = await runHere(["check", ast, "--set", setting]);
    expect(finished.stderr).toMatch(/^error\[/m);
    expect(finished.stderr).toMatch(words);
    expect(finished.stderr).not.toMatch(/^\s+at .*:\d+/m);
    expect([finished.status, finished.stdout]).toEqual([1, ""]);
  });

  test("that keep nothing, or prune where there is no layer", async () => {
    expectFailure(
      await runHere(["check", ast, "--set", "keep=0"]),
      "requirement-failed",
      /at least one token/,
    );
    const beyond = await runHere(["check", ast, "--set", "keep=0.5", "--set", "at=[3, 12]"]);
    expectFailure(beyond, "site-out-of-range", /0 to 11/);
  });
});

describe("recordings", () => {
  const classify = (audio: string) => ["classify", ast, ...small, "--audio", audio, "--weights", "random:1"];

  test("that are empty, no sound, too short, or missing", async () => {
    const folder = temporaryFolder();
    expectFailure(
      await runHere(classify(write(folder, "empty.wav", wav(0)))),
      "audio-empty",
      /no samples|empty/,
    );
    expectFailure(await runHere(classify(write(folder, "zero.wav", ""))), "audio-empty", /no sound/);
    expectFailure(await runHere(classify(write(folder, "text.wav", "not a sound"))), "audio-format", /./);
    expectFailure(await runHere(classify(write(folder, "short.wav", wav(300)))), "guard-failed", /400/);
    expectFailure(await runHere(classify(join(folder, "none.wav"))), "file-not-found", /none\.wav/);
  });

  test("whose header promises more than there is", async () => {
    const lying = write(temporaryFolder(), "lying.wav", wav(4000, { dataBytes: 4_000_000 }));
    const finished = await runHere(classify(lying));
    // Either read as far as it goes or refused with a reason, never read as garbage.
    expect(finished.stderr).not.toMatch(/^\s+at .*:\d+/m);
    if (finished.status !== 0) expect(finished.stderr).toMatch(/error\[audio/);
    else expect(finished.stdout).toContain("class");
  });
});

describe("inputs", () => {
  test("that are missing, unknown, misshapen, of another type, or not finite lists", async () => {
    const run = (...arguments_: string[]) => runHere([...forward, "--weights", weights, ...arguments_]);
    expectFailure(await run(), "input-missing", /--in input_values/);
    expectFailure(await run("--in", `inputs=${inputs}:input_values`), "unknown-input", /input_values/);
    expectFailure(await run("--in", `input_values=${inputs}:nothing`), "input-missing", /holds input_values/);
    expectFailure(await run("--in", "input_values=[[1,2],[3,4]]"), "input-shape", /\[2, 2\]/);
    expectFailure(await run("--in", "input_values=[[1,2],[3]]"), "bad-literal", /differ/);
    expectFailure(
      await run("--in", `input_values=${join(golden, "config.json")}`),
      "input-unreadable",
      /safetensors/,
    );
  });
});

describe("outputs", () => {
  const run = (out: string) =>
    runHere([...forward, "--weights", weights, "--in", `input_values=${inputs}`, "--out", out]);

  test("that can't be written leave nothing", async () => {
    const folder = temporaryFolder();
    expectFailure(await run(join(folder, "no/such/folder.safetensors")), "output-unwritable", /directory/);
    mkdirSync(join(folder, "taken.safetensors"));
    expectFailure(await run(join(folder, "taken.safetensors")), "output-unwritable", /directory/);
    expect(readdirSync(folder)).toEqual(["taken.safetensors"]);
  });

  test("on a full disk are removed", async ({ skip }) => {
    const folder = temporaryFolder();
    const disk = join(folder, "disk");
    mkdirSync(disk);
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], { stdio: "ignore" });
    } catch {
      skip("this system does not let the test mount a small disk");
    }
    try {
      const compile = ["compile", ast, "-e", "forward", ...small, "--weights", weights, "--out"];
      expectFailure(await runHere([...compile, join(disk, "model.onnx")]), "disk-full", /full|space/);
      expect(readdirSync(disk)).toEqual([]);
    } finally {
      execFileSync("umount", [disk]);
    }
  });

  test("of a failed run are not there", async () => {
    const folder = temporaryFolder();
    const out = join(folder, "model.onnx");
    const misfit = small.map((text) => text.replace("labels=7", "labels=9"));
    const finished = await runHere([
      "compile",
      ast,
      "-e",
      "forward",
      ...misfit,
      "--weights",
      weights,
      "--out",
      out,
    ]);
    expect(finished.status).toBe(1);
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe("sources", () => {
  test("that are missing, a folder, unreadable, not text, or lead out of their root", async () => {
    const folder = temporaryFolder();
    const check = (path: string, ...more: string[]) => runHere(["check", path, ...more], { cwd: folder });
    expectFailure(await check("none.oss"), "file-not-found", /none\.oss/);
    mkdirSync(join(folder, "folder.oss"));
    expectFailure(await check("folder.oss"), "not-a-file", /director/);
    write(folder, "binary.oss", Uint8Array.of(0xff, 0xfe, 0x00));
    expectFailure(await check("binary.oss"), "file-not-text", /UTF-8/);
    write(folder, "out.oss", 'import { A } from "../../etc/passwd"\n');
    expectFailure(await check("out.oss"), "import-failed", /leaves the root/);
    write(folder, "link.oss", 'import { A } from "./away.oss"\n');
    symlinkSync("/etc/hostname", join(folder, "away.oss"));
    expectFailure(await check("link.oss"), "import-failed", /link/);
    symlinkSync(join(folder, "b.oss"), join(folder, "a.oss"));
    symlinkSync(join(folder, "a.oss"), join(folder, "b.oss"));
    expectFailure(await check("a.oss"), "file-unreadable", /leads back to itself/);
  });

  test("without the right to read them", async ({ skip }) => {
    const folder = temporaryFolder();
    const path = write(folder, "secret.oss", "let x = 1\n");
    chmodSync(path, 0o000);
    if (process.getuid?.() === 0 && !existsSync("/usr/bin/setpriv")) {
      skip("as root every file can be read, and there is no setpriv to be someone else");
    }
    chmodSync(folder, 0o755);
    const through =
      process.getuid?.() === 0
        ? ["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        : [];
    const finished = await runBinary(["check", path], through.length === 0 ? {} : { through, cwd: "/" });
    if (
      finished.stderr.includes("setpriv") ||
      finished.stderr.includes("EACCES: permission denied, scandir")
    ) {
      skip("another user can't start the program here");
    }
    expect(finished.status).not.toBe(0);
    expect(finished.stderr).not.toMatch(/^\s+at .*:\d+/m);
  });
});

describe("wrong use", () => {
  test.each([
    [["--no-such-option"], /unknown option/],
    [["no-such-command"], /unknown command/],
    [["check"], /missing required argument/],
    [["check", ast, "--set", "keep"], /name=value/],
    [["run", ast, "--target", "gpu"], /Allowed choices/],
    [["compile", ast], /--out/],
    [["classify", ast, "--audio", "x.wav", "--top", "0"], /positive integer/],
  ])("%j is exit status 2 and a hint", async (arguments_, words) => {
    const finished = await runHere(arguments_);
    expect(finished.stderr).toMatch(words);
    expect(finished.stderr).not.toMatch(/^\s+at .*:\d+/m);
    expect(finished.status).toBe(2);
  });

  test("an entry, a model or a value that is not there names those that are", async () => {
    expectFailure(await runHere(["run", ast, "-e", "forwrd", ...small]), "no-entry", /forward/);
    expectFailure(await runHere(["check", ast, "-m", "AstAudioSt"]), "no-model", /AstAudioSet/);
    const tap = [
      ...forward,
      "--weights",
      weights,
      "--in",
      `input_values=${inputs}`,
      "--tap",
      "encoder.nothing",
    ];
    expectFailure(await runHere(tap), "unknown-tap", /audio_spectrogram_transformer/);
  });

  test("with --json is JSON on standard output, with the code", async () => {
    const finished = await runHere(["check", ast, "--set", "keep=1.3", "--json"]);
    const value = JSON.parse(finished.stdout);
    expect([value.ok, value.diagnostics[0].code, finished.status]).toEqual([false, "bad-setting", 1]);
    expect(finished.stderr).toBe("");
  });
});
