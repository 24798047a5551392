/**
 * Files for the command line: reading by range, and reading whole.
 *
 * Owns: opening, what counts as a file, and reading past what one system call gives. Every fault is a
 * diagnostic (file-failure.ts). Writing is in output-files.ts.
 */
import { type FileHandle, open, stat } from "node:fs/promises";
import { type ByteSource, requireRange } from "../runtime/byte-source.ts";
import { failure } from "../runtime/failure.ts";
import { notAFile, readFailure } from "./file-failure.ts";

export interface OpenFile extends ByteSource {
  /** May be called more than once. */
  close(): Promise<void>;
}

/** One system call reads at most 2^31 - 1 bytes; smaller pieces also let other work in between. */
const largestRead = 1 << 28;

/**
 * Opens a regular file for reading by range.
 * @throws DiagnosticError `file-not-found`, `file-unreadable` or `not-a-file`
 */
export async function openFile(path: string): Promise<OpenFile> {
  const { handle, size } = await openRegular(path);
  let closed: Promise<void> | undefined;
  return {
    label: path,
    size,
    async read(offset, length) {
      requireRange(path, size, offset, length);
      return await readRange(handle, path, offset, length);
    },
    close() {
      closed ??= handle.close();
      return closed;
    },
  };
}

/** The whole content. @throws DiagnosticError as openFile */
export async function readFileBytes(path: string): Promise<Uint8Array> {
  const file = await openFile(path);
  try {
    return await file.read(0, file.size);
  } finally {
    await file.close();
  }
}

/** The whole content as UTF-8 text, without a byte order mark. @throws DiagnosticError also `file-not-text` */
export async function readFileText(path: string): Promise<string> {
  const bytes = await readFileBytes(path);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw failure("file-not-text", `${path} is not text in UTF-8.`, {
      hint: "Save it as UTF-8, or check the path.",
    });
  }
}

async function openRegular(path: string): Promise<{ handle: FileHandle; size: number }> {
  if (path.includes("\0")) throw failure("file-not-found", "A path cannot hold a NUL character.");
  let handle: FileHandle | undefined;
  try {
    // Asked before opening: to open a pipe waits for a writer that may never come.
    const found = await stat(path);
    if (found.isDirectory()) throw notAFile(path, "a directory");
    if (!found.isFile()) throw notAFile(path, "a device, a pipe or a socket");
    handle = await open(path, "r");
    return { handle, size: (await handle.stat()).size };
  } catch (error) {
    await handle?.close();
    throw readFailure(path, error);
  }
}

async function readRange(
  handle: FileHandle,
  path: string,
  offset: number,
  length: number,
): Promise<Uint8Array> {
  let done = 0;
  try {
    const bytes = new Uint8Array(length);
    while (done < length) {
      const { bytesRead } = await handle.read(
        bytes,
        done,
        Math.min(length - done, largestRead),
        offset + done,
      );
      if (bytesRead === 0) {
        throw failure("file-truncated", `${path} became shorter while it was read.`, {
          hint: "Run the command again.",
        });
      }
      done += bytesRead;
    }
    return bytes;
  } catch (error) {
    throw readFailure(path, error);
  }
}
