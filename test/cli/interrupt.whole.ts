/** Ctrl-C while a file is being written, in a process of its own. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const built = mkdtempSync(join(tmpdir(), "ossicle-interrupt-"));
afterAll(() => rmSync(built, { recursive: true }));

beforeAll(() => {
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  const options = [
    "--outDir",
    built,
    "--rootDir",
    join(root, "src"),
    "--module",
    "nodenext",
    "--target",
    "es2023",
  ];
  const more = ["--rewriteRelativeImportExtensions", "--skipLibCheck", "--ignoreConfig", "--types", "node"];
  symlinkSync(join(root, "node_modules"), join(built, "node_modules"));
  writeFileSync(join(built, "package.json"), '{ "type": "module" }');
  execFileSync(process.execPath, [compiler, ...options, ...more, join(root, "src/cli/output-files.ts")], {
    cwd: root,
  });
});

function start(script: string): ChildProcess {
  return spawn(process.execPath, ["--input-type=module", "-e", script], {
    cwd: built,
    stdio: ["ignore", "pipe", "pipe"],
  });
}

const writing = (path: string, after: string) => `
  import { writeWhole } from ${JSON.stringify(join(built, "cli/output-files.js"))};
  await writeWhole(${JSON.stringify(path)}, async (sink) => {
    await sink.write(new Uint8Array(100000));
    console.log("written");
    ${after}
  });`;

test.each(["SIGINT", "SIGTERM"] as const)(
  "%s leaves the old file, and the signal is seen",
  async (signal) => {
    const directory = mkdtempSync(join(tmpdir(), "ossicle-target-"));
    const path = join(directory, "model.onnx");
    writeFileSync(path, "old");
    const child = start(writing(path, "await new Promise((done) => setTimeout(done, 60000));"));
    await new Promise((resolve) => child.stdout?.once("data", resolve));
    expect(readdirSync(directory)).toHaveLength(2);
    const ended = new Promise<NodeJS.Signals | null>((resolve) => child.once("exit", (_, by) => resolve(by)));
    child.kill(signal);
    expect(await ended).toBe(signal);
    expect(readdirSync(directory)).toEqual(["model.onnx"]);
    expect(readFileSync(path, "utf8")).toBe("old");
    rmSync(directory, { recursive: true });
  },
);

test("process.exit in the middle leaves nothing either", async () => {
  const directory = mkdtempSync(join(tmpdir(), "ossicle-target-"));
  const child = start(writing(join(directory, "model.onnx"), "process.exit(3);"));
  const code = await new Promise((resolve) => child.once("exit", resolve));
  expect(code).toBe(3);
  expect(readdirSync(directory)).toEqual([]);
  rmSync(directory, { recursive: true });
});
