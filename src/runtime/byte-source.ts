/**
 * Bytes that are read by range: a file, a buffer, a blob.
 *
 * Owns: the interface through which readers reach storage, so that a checkpoint of many gigabytes is
 * never in memory whole, and its in-memory form. Files belong to the command line (node:fs).
 */
import { countOf, failure } from "./failure.ts";

export interface ByteSource {
  /** What to call it in messages. */
  readonly label: string;
  /** In bytes. */
  readonly size: number;
  /**
   * Exactly `length` bytes from `offset`. The array is the caller's: it starts its own buffer and
   * shares it with nobody, so that it can be viewed as numbers of any width.
   * @throws DiagnosticError `file-truncated` when the range is not inside the source
   */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** Where bytes are written in order. */
export interface ByteSink {
  write(bytes: Uint8Array): Promise<void>;
}

export function bytesSource(label: string, bytes: Uint8Array): ByteSource {
  return {
    label,
    size: bytes.length,
    async read(offset, length) {
      requireRange(label, bytes.length, offset, length);
      return bytes.slice(offset, offset + length);
    },
  };
}

export function requireRange(label: string, size: number, offset: number, length: number): void {
  if (Number.isSafeInteger(offset) && Number.isSafeInteger(length)) {
    if (offset >= 0 && length >= 0 && offset + length <= size) return;
  }
  throw failure("file-truncated", `${label} ends after ${countOf(size, "byte")}.`, {
    notes: [`${countOf(length, "byte")} at offset ${offset} were to be read`],
    hint: "The file is incomplete or was changed while it was read; copy or download it again.",
  });
}
