/**
 * Output files that appear whole or not at all.
 *
 * Owns: writing under a temporary name in the target's directory, flushing to disk, renaming, and
 * removing what is unfinished when the work fails or the process is interrupted. Several files that
 * belong together appear together: when one cannot be put in place, the others are put back.
 */
import {
  constants,
  linkSync,
  lstatSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  unlinkSync,
} from "node:fs";
import { access, type FileHandle, mkdir, open, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import type { ByteSink } from "../runtime/byte-source.ts";
import { failure } from "../runtime/failure.ts";
import { attempt, undoOnExit } from "./cleanup.ts";
import { systemCode, writeFailure } from "./file-failure.ts";

/** Bytes for one system call. */
const largestWrite = 1 << 26;

/** Unfinished files of this process, and what to call once they are finished. */
const unfinished = new Map<string, () => void>();
let created = 0;

interface Target {
  /** As the user wrote it, for messages. */
  readonly path: string;
  /** With symbolic links resolved: a rename would replace the link, not what it points to. */
  readonly place: string;
  /** Undefined for a device or a pipe, which is written directly and cannot be replaced. */
  readonly temporary: string | undefined;
  readonly handle: FileHandle;
}

/**
 * Writes one file.
 * @throws DiagnosticError `output-unwritable` or `disk-full`, or what `produce` throws; then nothing
 * is left behind and a file that was there before is as it was.
 */
export async function writeWhole(path: string, produce: (sink: ByteSink) => Promise<void>): Promise<void> {
  await writeTogether([path], async (sinks) => {
    for (const sink of sinks) await produce(sink);
  });
}

/**
 * Writes files that belong together; `produce` gets one sink for each path, in their order. They are
 * put in place in that order too: name last the one that refers to the others.
 */
export async function writeTogether(
  paths: readonly string[],
  produce: (sinks: readonly ByteSink[]) => Promise<void>,
): Promise<void> {
  const targets: Target[] = [];
  try {
    for (const path of paths) targets.push(await openTarget(path));
    requireDistinct(targets);
    await produce(targets.map(sinkInto));
    for (const target of targets) await finish(target);
    putInPlace(targets);
  } finally {
    for (const target of targets) {
      await target.handle.close().catch(() => undefined);
      if (target.temporary !== undefined) discard(target.temporary);
    }
  }
}

/**
 * Fails where `writeWhole` would, so that it is known before the work is done.
 * @throws DiagnosticError `output-unwritable`
 */
export async function requireWritable(path: string): Promise<void> {
  try {
    const existing = await stat(path).catch(ignoreMissing);
    if (existing?.isDirectory()) throw Object.assign(new Error("a directory"), { code: "EISDIR" });
    if (existing === undefined || existing.isFile()) {
      const place = existing === undefined ? path : realpathSync(path);
      await access(dirname(place), constants.W_OK | constants.X_OK);
    }
  } catch (error) {
    throw writeFailure(path, error);
  }
}

/**
 * Makes a folder and those above it for what `produce` writes there. When that fails or is
 * interrupted, the folders that were made go again.
 * @throws DiagnosticError `output-unwritable` or `disk-full`, or what `produce` throws
 */
export async function inFolder(folder: string, produce: () => Promise<void>): Promise<void> {
  const made: string[] = [];
  const first = await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw writeFailure(folder, error);
  });
  if (first !== undefined) {
    for (let place = resolve(folder); place.length >= first.length; place = dirname(place)) made.push(place);
  }
  // One that holds something by now stays.
  const undo = (): void => {
    for (const place of made) attempt(() => rmdirSync(place));
  };
  const forget = undoOnExit(undo);
  try {
    await produce();
  } catch (error) {
    undo();
    throw error;
  } finally {
    forget();
  }
}

function requireDistinct(targets: readonly Target[]): void {
  const places = new Set<string>();
  for (const { path, place } of targets) {
    if (places.has(place)) throw failure("output-unwritable", `Two outputs have the same path ${path}.`);
    places.add(place);
  }
}

async function openTarget(path: string): Promise<Target> {
  if (path === "" || path.includes("\0"))
    throw failure("output-unwritable", "The output has no usable path.");
  try {
    const existing = await stat(path).catch(ignoreMissing);
    if (existing?.isDirectory()) throw directoryInTheWay();
    if (existing !== undefined && !existing.isFile()) {
      return { path, place: path, temporary: undefined, handle: await open(path, "w") };
    }
    const place = existing === undefined ? path : realpathSync(path);
    created += 1;
    const temporary = join(dirname(place), `.${basename(place).slice(0, 100)}.${process.pid}-${created}.tmp`);
    guard(temporary);
    try {
      return {
        path,
        place,
        temporary,
        handle: await open(temporary, "wx", (existing?.mode ?? 0o666) & 0o777),
      };
    } catch (error) {
      release(temporary);
      throw error;
    }
  } catch (error) {
    throw writeFailure(path, error);
  }
}

function ignoreMissing(error: unknown): undefined {
  if (systemCode(error) !== "ENOENT") throw error;
}

function sinkInto({ handle, path }: Target): ByteSink {
  return {
    async write(bytes) {
      try {
        let done = 0;
        while (done < bytes.length) {
          const { bytesWritten } = await handle.write(
            bytes,
            done,
            Math.min(bytes.length - done, largestWrite),
          );
          done += bytesWritten;
        }
      } catch (error) {
        throw writeFailure(path, error);
      }
    },
  };
}

async function finish({ handle, path, temporary }: Target): Promise<void> {
  try {
    // Without this a crash soon after the rename can leave an empty file under the final name.
    if (temporary !== undefined) await handle.sync();
    await handle.close();
  } catch (error) {
    throw writeFailure(path, error);
  }
}

/** Synchronous from first to last, so that no signal is handled between two renames. */
function putInPlace(targets: readonly Target[]): void {
  const undo: (() => void)[] = [];
  const backups: string[] = [];
  try {
    for (const { path, place, temporary } of targets) {
      if (temporary === undefined) continue;
      try {
        if (!unfinished.has(temporary)) throw failure("interrupted", `${path} was not written: interrupted.`);
        if (targets.length > 1) {
          // A lone rename is all or nothing by itself.
          const backup = keepCopy(place, `${temporary}.old`);
          if (backup !== undefined) backups.push(backup);
          undo.push(() => (backup === undefined ? unlinkSync(place) : renameSync(backup, place)));
        }
        renameSync(temporary, place);
        release(temporary);
      } catch (error) {
        throw writeFailure(path, error);
      }
    }
  } catch (error) {
    for (const step of undo.reverse()) attempt(step);
    throw error;
  } finally {
    for (const backup of backups) attempt(() => rmSync(backup, { force: true }));
  }
}

/** A second name for the file at `place`, if there is one. */
function keepCopy(place: string, backup: string): string | undefined {
  const found = lstatSync(place, { throwIfNoEntry: false });
  if (found === undefined) return undefined;
  // Moving a directory aside would succeed, and with it all that it holds.
  if (found.isDirectory()) throw directoryInTheWay();
  try {
    linkSync(place, backup);
  } catch {
    // No hard links on this file system: moved aside instead.
    renameSync(place, backup);
  }
  return backup;
}

function directoryInTheWay(): Error {
  return Object.assign(new Error("a directory"), { code: "EISDIR" });
}

function guard(temporary: string): void {
  unfinished.set(
    temporary,
    undoOnExit(() => discard(temporary)),
  );
}

/** The file is whole, or gone. */
function release(temporary: string): void {
  unfinished.get(temporary)?.();
  unfinished.delete(temporary);
}

function discard(temporary: string): void {
  if (!unfinished.has(temporary)) return;
  attempt(() => unlinkSync(temporary));
  release(temporary);
}
