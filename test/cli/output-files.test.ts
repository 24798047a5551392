import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { writeTogether, writeWhole } from "../../src/cli/output-files.ts";
import { codeOf } from "../runtime/support.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "ossicle-output-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const at = (name: string) => join(directory, name);
const bytes = (text: string) => new TextEncoder().encode(text);
const content = (name: string) => readFileSync(at(name), "utf8");
const listeners = () =>
  process.listenerCount("SIGINT") + process.listenerCount("SIGTERM") + process.listenerCount("exit");

describe("one file", () => {
  test("appears when it is complete, and not before", async () => {
    const before = listeners();
    await writeWhole(at("a"), async (sink) => {
      await sink.write(bytes("one "));
      expect(existsSync(at("a"))).toBe(false);
      expect(readdirSync(directory)).toHaveLength(1);
      await sink.write(bytes("two"));
      await sink.write(new Uint8Array());
    });
    expect(content("a")).toBe("one two");
    expect(readdirSync(directory)).toEqual(["a"]);
    expect(listeners()).toBe(before);
  });

  test("a failure leaves what was there, and nothing else", async () => {
    const before = listeners();
    writeFileSync(at("a"), "old");
    const work = writeWhole(at("a"), async (sink) => {
      await sink.write(bytes("new"));
      throw new RangeError("something went wrong");
    });
    await expect(work).rejects.toThrow(RangeError);
    expect(content("a")).toBe("old");
    expect(readdirSync(directory)).toEqual(["a"]);
    expect(listeners()).toBe(before);
  });

  test("keeps the permissions of the file it replaces, and writes through a link", async () => {
    writeFileSync(at("real"), "old");
    chmodSync(at("real"), 0o640);
    symlinkSync(at("real"), at("link"));
    await writeWhole(at("link"), (sink) => sink.write(bytes("new")));
    expect(content("real")).toBe("new");
    expect(statSync(at("real")).mode & 0o777).toBe(0o640);
    expect(readdirSync(directory).toSorted()).toEqual(["link", "real"]);
  });

  test("a device is written, not replaced", async () => {
    await writeWhole("/dev/null", (sink) => sink.write(bytes("gone")));
    expect(statSync("/dev/null").isCharacterDevice()).toBe(true);
  });

  test("places that cannot be written", async () => {
    mkdirSync(at("folder"));
    writeFileSync(at("file"), "");
    let produced = 0;
    const produce = async () => {
      produced += 1;
    };
    for (const path of [at("missing/a"), at("folder"), at("file/a"), "", "a\0b", at("x".repeat(300))]) {
      expect(await codeOf(() => writeWhole(path, produce))).toBe("output-unwritable");
    }
    expect(produced).toBe(0);
    expect(readdirSync(directory).toSorted()).toEqual(["file", "folder"]);
  });

  test("a full disk", async ({ skip }) => {
    if (!existsSync("/dev/full")) skip("this system has no /dev/full, which is always full");
    expect(await codeOf(() => writeWhole("/dev/full", (sink) => sink.write(bytes("x"))))).toBe("disk-full");
  });
});

describe("files that belong together", () => {
  test("appear together", async () => {
    await writeTogether([at("data"), at("model")], async ([data, model]) => {
      await model?.write(bytes("m"));
      await data?.write(bytes("d"));
      expect(existsSync(at("data")) || existsSync(at("model"))).toBe(false);
    });
    expect([content("data"), content("model")]).toEqual(["d", "m"]);
    expect(readdirSync(directory).toSorted()).toEqual(["data", "model"]);
  });

  test("when the last cannot be put in place, those before are put back", async () => {
    writeFileSync(at("first"), "old first");
    const work = writeTogether([at("first"), at("second"), at("third")], async (sinks) => {
      for (const sink of sinks) await sink.write(bytes("new"));
      // A directory has come into the way since the outputs were opened.
      mkdirSync(at("third"));
    });
    expect(await codeOf(() => work)).toBe("output-unwritable");
    expect(content("first")).toBe("old first");
    expect(readdirSync(directory).toSorted()).toEqual(["first", "third"]);
  });

  test("when one cannot be opened, none is made", async () => {
    expect(await codeOf(() => writeTogether([at("a"), at("missing/b")], async () => undefined))).toBe(
      "output-unwritable",
    );
    expect(readdirSync(directory)).toEqual([]);
  });

  test("two of one path are refused", async () => {
    const work = () => writeTogether([at("a"), at("a")], async () => undefined);
    expect(await codeOf(work)).toBe("output-unwritable");
    expect(readdirSync(directory)).toEqual([]);
  });
});
