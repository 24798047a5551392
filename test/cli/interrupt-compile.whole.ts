/** Ctrl-C in the middle of real work: it ends soon, the parent sees the signal, and nothing is left. */
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Finished, finished, startBinary, temporaryFolder } from "../support/cli.ts";

/** Interrupts the program once `isBusy`; gives what it left and how long it took to end. */
async function interrupt(
  arguments_: readonly string[],
  cwd: string,
  isBusy: () => boolean,
  environment: Readonly<Record<string, string>> = {},
): Promise<Finished & { readonly seconds: number }> {
  const child = startBinary(arguments_, { cwd, environment });
  const ended = finished(child);
  const deadline = performance.now() + 60_000;
  while (!isBusy()) {
    if (child.exitCode !== null || performance.now() > deadline) break;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(child.exitCode, "it ended before it could be interrupted").toBeNull();
  const start = performance.now();
  child.kill("SIGINT");
  const result = await ended;
  return { ...result, seconds: (performance.now() - start) / 1000 };
}

const full = ["ossicle/classifiers/ast.oss", "-e", "forward", "--weights", "random:1"];
const within = (folder: string): string[] => readdirSync(folder, { recursive: true }).map(String);

test.each([
  ["into one file", ["--out", "model.onnx"]],
  ["into a new folder", ["--out", "new/folder"]],
  ["with its weights beside it", ["--out", "model.onnx", "--external-data"]],
])("compiling a full-size AST %s", async (_, out) => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "kept.txt"), "kept");
  const isWriting = (): boolean => within(folder).some((name) => name.endsWith(".tmp"));
  const { status, signal, seconds, stdout, stderr } = await interrupt(
    ["compile", ...full, ...out],
    folder,
    isWriting,
  );
  expect({ status, signal, stdout, stderr }).toEqual({
    status: null,
    signal: "SIGINT",
    stdout: "",
    stderr: "",
  });
  expect(within(folder)).toEqual(["kept.txt"]);
  expect(seconds).toBeLessThan(5);
});

test("before anything is written", async () => {
  const folder = temporaryFolder();
  const start = performance.now();
  const { signal, seconds } = await interrupt(
    ["compile", ...full, "--out", "model.onnx"],
    folder,
    () => performance.now() - start > 400,
  );
  expect(signal).toBe("SIGINT");
  expect(seconds).toBeLessThan(5);
  expect(within(folder)).toEqual([]);
});

test("running a model leaves none of the files that it runs from", async () => {
  const folder = temporaryFolder();
  const sound = join(import.meta.dirname, "../golden/fbank-speech-short/audio.wav");
  const { signal, seconds } = await interrupt(
    ["classify", "ossicle/classifiers/ast.oss", "--audio", sound, "--weights", "random:1"],
    folder,
    () => within(folder).length > 1,
    { TMPDIR: folder },
  );
  expect(signal).toBe("SIGINT");
  expect(seconds).toBeLessThan(10);
  expect(within(folder)).toEqual([]);
});
