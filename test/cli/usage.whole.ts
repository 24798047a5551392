/** The real program where it matters which folder, terminal or pipe it is started in. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { root, runBinary, runHere, temporaryFolder } from "../support/cli.ts";

const program = join(root, "bin/ossicle.js");

describe("from another folder", () => {
  test("the library is found, and shown by its name", async () => {
    const cwd = temporaryFolder();
    const elsewhere = await runBinary(["check", "ossicle/classifiers/ast.oss", "-m", "AstEsc50"], { cwd });
    expect(elsewhere).toMatchObject({ status: 0, stderr: "" });
    expect(elsewhere.stdout).toContain("forward(input_values: f32[B, 512, 128]) -> logits: f32[B, 50]");
    const wrong = await runBinary(["check", "ossicle/classifiers/ast.oss", "--set", "keep=2"], { cwd });
    expect(wrong.stderr).toContain("--> ossicle/classifiers/ast.oss:");
  });

  test("a folder called ossicle comes before the library", async () => {
    const cwd = temporaryFolder();
    mkdirSync(join(cwd, "ossicle"));
    writeFileSync(
      join(cwd, "ossicle/mine.oss"),
      "model Mine() { input x: f32[N] entry f(x) -> y: f32[N] = x + 1 }",
    );
    const { stdout } = await runBinary(["check", "ossicle/mine.oss"], { cwd });
    expect(stdout).toContain("Mine");
  });

  test("files are named as they were written", async () => {
    const cwd = temporaryFolder();
    mkdirSync(join(cwd, "a/b"), { recursive: true });
    writeFileSync(
      join(cwd, "a/shared.oss"),
      "block Twice() { forward(x: f32[N]) -> f32[N] = x + missing }\n",
    );
    const importing =
      'import { Twice } from "../shared.oss"\nmodel M() { input x: f32[N] entry f(x) -> y: f32[N] = x |> Twice() }\n';
    writeFileSync(join(cwd, "a/b/m.oss"), importing);
    expect((await runBinary(["check", "b/m.oss"], { cwd: join(cwd, "a") })).stderr).toContain(
      "--> shared.oss:1:",
    );
    // From within b the root is b, and the import leads out of it.
    const inside = await runBinary(["check", "m.oss"], { cwd: join(cwd, "a/b") });
    expect(inside).toMatchObject({ status: 1, stderr: expect.stringContaining("import-failed") });
    const wider = await runBinary(["check", "m.oss", "--root", ".."], { cwd: join(cwd, "a/b") });
    expect(wider.stderr).toMatch(/shared\.oss:1:/);
    expect(wider.stderr).not.toContain("import-failed");
  });
});

/** What the program writes when both of its streams are a terminal. */
function onTerminal(
  arguments_: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): string {
  const command = [process.execPath, program, ...arguments_].map((part) => `'${part}'`).join(" ");
  const { NO_COLOR: _, FORCE_COLOR: __, ...inherited } = process.env;
  const env = { ...inherited, TERM: "xterm", ...environment };
  return spawnSync("script", ["-qec", command, "/dev/null"], { env, cwd: root, encoding: "utf8" }).stdout;
}

function hasScript(): boolean {
  try {
    return execFileSync("script", ["--version"], { encoding: "utf8" }).includes("util-linux");
  } catch {
    return false;
  }
}

const escapeCode = "\u001b[";
const wrong = ["check", "models/frontends/kaldi-fbank.oss", "--set", "bins=x"];

describe("colours", () => {
  test("are for terminals, and can be turned off there", ({ skip }) => {
    if (!hasScript()) skip("there is no `script` of util-linux here to make a terminal with");
    expect(onTerminal(wrong)).toContain(escapeCode);
    const plain = [
      onTerminal(wrong, { NO_COLOR: "1" }),
      onTerminal([...wrong, "--no-color"]),
      onTerminal(["check", "none.oss"], { NO_COLOR: "1" }),
      onTerminal(["check", "none.oss", "--no-color"]),
    ];
    for (const text of plain) {
      expect(text).toContain("error[");
      expect(text).not.toContain(escapeCode);
    }
    // An empty NO_COLOR asks for nothing (https://no-color.org).
    expect(onTerminal(wrong, { NO_COLOR: "" })).toContain(escapeCode);
  });

  test("are not in pipes", async () => {
    expect((await runBinary(wrong, { environment: { TERM: "xterm" } })).stderr).not.toContain(escapeCode);
  });
});

describe("progress", () => {
  const compile = [
    "compile",
    "models/classifiers/ast.oss",
    "-e",
    "forward",
    "--set",
    "depth=2",
    "--set",
    "at=[1]",
  ];

  test("shows on a terminal, and not in a pipe", async ({ skip }) => {
    const out = join(temporaryFolder(), "model.onnx");
    const arguments_ = [...compile, "--weights", "random:1", "--out", out];
    expect(await runBinary(arguments_)).toMatchObject({ status: 0, stderr: "" });
    if (!hasScript()) skip("there is no `script` of util-linux here to make a terminal with");
    const shown = onTerminal(arguments_);
    expect(shown).toMatch(/writing/);
    expect(shown).toMatch(/\d+%/);
    // The cursor is not hidden: an interrupt could leave it so.
    expect(shown).not.toContain(`${escapeCode}?25l`);
  });
});

test("a reader that goes away is no error", () => {
  const command = `'${process.execPath}' '${program}' inspect models/classifiers/ast.oss -m AstEsc50 --stage elaborate | head -n 1`;
  const result = spawnSync("bash", ["-o", "pipefail", "-c", command], { cwd: root, encoding: "utf8" });
  expect(result.stderr).toBe("");
  expect(result.stdout.split("\n")).toHaveLength(2);
  expect(result.status).toBe(0);
});

test("the program in a process of its own says what it says here", async () => {
  const arguments_ = ["check", join(root, "models/classifiers/audiomae.oss"), "--json"];
  const apart = await runBinary(arguments_);
  const here = await runHere(arguments_);
  expect({ ...apart, stdout: JSON.parse(apart.stdout) }).toEqual({
    ...here,
    stdout: JSON.parse(here.stdout),
  });
});

test("wrong usage with --json is JSON too", async () => {
  const { status, stdout } = await runBinary(["run", "m.oss", "--target", "tpu", "--json"]);
  expect(status).toBe(2);
  expect(JSON.parse(stdout)).toMatchObject({
    ok: false,
    diagnostics: [{ code: "wrong-usage", message: expect.stringContaining("tpu") }],
  });
});
