import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { readFailure, writeFailure } from "../../src/cli/file-failure.ts";
import { openFile, readFileBytes, readFileText } from "../../src/cli/files.ts";
import { codeOf, diagnosticOf } from "../runtime/support.ts";

const directory = mkdtempSync(join(tmpdir(), "ossicle-files-"));
afterAll(() => rmSync(directory, { recursive: true }));
const at = (name: string) => join(directory, name);

describe("reading", () => {
  writeFileSync(at("digits"), "0123456789");

  test("by range", async () => {
    const file = await openFile(at("digits"));
    expect(file.size).toBe(10);
    expect(file.label).toBe(at("digits"));
    expect(new TextDecoder().decode(await file.read(3, 4))).toBe("3456");
    expect(await file.read(10, 0)).toHaveLength(0);
    expect(await codeOf(() => file.read(8, 3))).toBe("file-truncated");
    await file.close();
    await file.close();
  });

  test("whole, and as text without its byte order mark", async () => {
    expect(await readFileBytes(at("digits"))).toHaveLength(10);
    writeFileSync(at("text"), "\ufeffé");
    expect(await readFileText(at("text"))).toBe("é");
    writeFileSync(at("binary"), Uint8Array.of(0xff, 0xfe, 0xfd));
    expect(await codeOf(() => readFileText(at("binary")))).toBe("file-not-text");
  });

  test("a file that becomes shorter while it is read", async () => {
    writeFileSync(at("shrinking"), "0123456789");
    const file = await openFile(at("shrinking"));
    truncateSync(at("shrinking"), 4);
    expect(await codeOf(() => file.read(0, 10))).toBe("file-truncated");
    await file.close();
  });

  test("what is no file", async () => {
    mkdirSync(at("folder"));
    symlinkSync(at("loop"), at("loop"));
    execFileSync("mkfifo", [at("pipe")]);
    expect(await codeOf(() => openFile(at("missing")))).toBe("file-not-found");
    expect(await codeOf(() => openFile(join(at("digits"), "below")))).toBe("file-not-found");
    expect(await codeOf(() => openFile("a\0b"))).toBe("file-not-found");
    expect(await codeOf(() => openFile(at("folder")))).toBe("not-a-file");
    expect(await codeOf(() => openFile(at("pipe")))).toBe("not-a-file");
    expect(await codeOf(() => openFile("/dev/null"))).toBe("not-a-file");
    expect(await codeOf(() => openFile(at("loop")))).toBe("file-unreadable");
    expect(await codeOf(() => openFile(at("x".repeat(300))))).toBe("file-not-found");
  });
});

describe("errors of the system", () => {
  const systemError = (code: string) => Object.assign(new Error(`${code}: in words`), { code });

  test.each([
    ["ENOENT", "file-not-found"],
    ["EACCES", "file-unreadable"],
    ["EISDIR", "not-a-file"],
    ["EMFILE", "file-unreadable"],
    ["EIO", "file-unreadable"],
  ])("reading: %s", async (code, expected) => {
    const { code: found, message } = await diagnosticOf(() =>
      Promise.reject(readFailure("a/b", systemError(code))),
    );
    expect(found).toBe(expected);
    expect(message).toContain("a/b");
  });

  test.each([
    ["ENOSPC", "disk-full"],
    ["EDQUOT", "disk-full"],
    ["ENOENT", "output-unwritable"],
    ["EACCES", "output-unwritable"],
    ["EROFS", "output-unwritable"],
    ["EISDIR", "output-unwritable"],
    ["EIO", "output-unwritable"],
  ])("writing: %s", async (code, expected) => {
    const { code: found, message } = await diagnosticOf(() =>
      Promise.reject(writeFailure("a/b", systemError(code))),
    );
    expect(found).toBe(expected);
    expect(message).toContain("a/b");
  });
});
