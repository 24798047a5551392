/** What a start leaves for the next one: it makes starts faster, and nothing else. */
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runBinary, temporaryFolder } from "../support/cli.ts";

const command = ["check", "models/encoders/ast.oss"];

/** Runs `arguments_` with a cache of its own below `folder`. */
async function run(folder: string, arguments_: readonly string[] = command) {
  return await runBinary(arguments_, { environment: { XDG_CACHE_HOME: folder } });
}

function cached(folder: string): string[] {
  try {
    return readdirSync(join(folder, "ossicle/code")).sort();
  } catch {
    return [];
  }
}

test("the code of a command is kept, for its user alone, and taken", async () => {
  const folder = temporaryFolder();
  const first = await run(folder);
  expect(first).toMatchObject({ status: 0, stderr: "" });
  expect(cached(folder)).toEqual([expect.stringMatching(/^check-\d+-[0-9a-f]{16}$/)]);
  const path = join(folder, "ossicle/code", cached(folder)[0] ?? "");
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(join(folder, "ossicle/code")).mode & 0o777).toBe(0o700);
  const written = statSync(path, { bigint: true }).mtimeNs;
  expect(await run(folder)).toEqual(first);
  expect(statSync(path, { bigint: true }).mtimeNs).toBe(written);
  // Another command has its own.
  expect(await run(folder, ["--version"])).toMatchObject({ status: 0, stderr: "" });
  expect(cached(folder).map((name) => name.replace(/-\d+-[0-9a-f]+$/, ""))).toEqual(["--version", "check"]);
});

test("packages that are loaded when wanted are found from kept code", async () => {
  const folder = temporaryFolder();
  const sizes = ["depth=1", "at=[0]", "width=8", "heads=2", "hidden=8"].flatMap((size) => ["--set", size]);
  const from = ["--weights", "random:1", "--audio", "test/fixtures/audio/tone.flac"];
  const classify = ["classify", "models/classifiers/ast.oss", ...sizes, ...from];
  const first = await run(folder, classify);
  expect(first).toMatchObject({ status: 0, stderr: "" });
  expect(cached(folder)).toEqual([expect.stringMatching(/^classify-/)]);
  expect(await run(folder, classify)).toEqual(first);
});

test("what is damaged, or of an earlier build, is replaced", async () => {
  const folder = temporaryFolder();
  const first = await run(folder);
  const [name = ""] = cached(folder);
  const path = join(folder, "ossicle/code", name);
  const sound = readFileSync(path).length;
  for (const damaged of [
    new Uint8Array(0),
    new Uint8Array(4096).fill(7),
    readFileSync(path).subarray(0, sound / 2),
  ]) {
    writeFileSync(path, damaged);
    expect(await run(folder)).toEqual(first);
    expect(readFileSync(path).length).toBeGreaterThan(0.9 * sound);
  }
  const earlier = name.replace(/[0-9a-f]{16}$/, "0123456789abcdef");
  const [other, old] = ["check-1-0123456789abcdef", "cost-1-0123456789abcdef"];
  for (const each of [earlier, other, old]) writeFileSync(join(folder, "ossicle/code", each), "");
  const longAgo = Date.now() / 1000 - 61 * 24 * 3600;
  utimesSync(join(folder, "ossicle/code", old), longAgo, longAgo);
  writeFileSync(path, "");
  await run(folder);
  // Another Node's stays for two months.
  expect(cached(folder)).toEqual([other, name].sort());
});

test("a start that fails, help, and a user who wants none leave nothing", async () => {
  const folder = temporaryFolder();
  expect(await run(folder, ["check", "missing.oss"])).toMatchObject({ status: 1 });
  expect(await run(folder, ["check", "--help"])).toMatchObject({ status: 0 });
  const environment = { XDG_CACHE_HOME: folder, NODE_DISABLE_COMPILE_CACHE: "1" };
  expect(await runBinary(command, { environment })).toMatchObject({ status: 0 });
  expect(cached(folder)).toEqual([]);
});

test("without a place to write, a command does what it does", async () => {
  const folder = temporaryFolder();
  const first = await run(folder);
  const file = join(folder, "file");
  writeFileSync(file, "");
  expect(await run(file)).toEqual(first);
  const closed = join(folder, "closed");
  mkdirSync(closed);
  chmodSync(closed, 0o500);
  expect(await run(closed)).toEqual(first);
});
