/**
 * The header of a safetensors file.
 *
 * Owns: turning its bytes into entries that can be believed. Every byte of the data belongs to exactly
 * one tensor, each length is what dtype and shape say, and no name is given twice: a reader that is
 * lenient here reads one tensor's bytes as another's.
 */
import { countOf, failure } from "./failure.ts";
import { findRepeatedKey } from "./json-keys.ts";

/** Element types that can be read, and their size in bytes. */
export const storageBytes = {
  F64: 8,
  I64: 8,
  F32: 4,
  I32: 4,
  U32: 4,
  F16: 2,
  BF16: 2,
  I16: 2,
  U16: 2,
  U8: 1,
  I8: 1,
  BOOL: 1,
} as const;

export type Storage = keyof typeof storageBytes;

export interface TensorEntry {
  readonly storage: Storage;
  readonly shape: readonly number[];
  /** Byte range within the data that follows the header. */
  readonly begin: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  /** In the order of the header. */
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  readonly metadata: ReadonlyMap<string, string>;
}

const damaged = "The file is damaged or was written by a faulty program; write or download it again.";

/** The limit that other readers of the format set. */
export const largestHeader = 100_000_000;

/**
 * @param dataLength bytes after the header, where that is known before they have been read
 * @throws DiagnosticError with a code `safetensors-…`
 */
export function parseSafetensorsHeader(
  label: string,
  bytes: Uint8Array,
  dataLength: number | undefined,
): SafetensorsHeader {
  const parsed = parseJson(label, bytes);
  const tensors = new Map<string, TensorEntry>();
  let metadata: ReadonlyMap<string, string> = new Map();
  for (const [name, value] of Object.entries(parsed)) {
    if (name === "__metadata__") metadata = parseMetadata(label, value);
    else tensors.set(name, parseEntry(label, name, value));
  }
  checkCoverage(label, tensors, dataLength);
  return { tensors, metadata };
}

function parseJson(label: string, bytes: Uint8Array): Record<string, unknown> {
  let parsed: unknown;
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    parsed = JSON.parse(text);
  } catch {
    throw failure("safetensors-header", `The header of ${label} is not JSON text in UTF-8.`, {
      hint: "The file is damaged, or not a safetensors file.",
    });
  }
  if (!isRecord(parsed)) {
    throw failure("safetensors-header", `The header of ${label} is not a JSON object.`, { hint: damaged });
  }
  const repeated = findRepeatedKey(text);
  if (repeated !== undefined) {
    throw failure("safetensors-duplicate", `The header of ${label} names '${repeated}' twice.`, {
      hint: damaged,
    });
  }
  return parsed;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parseMetadata(label: string, value: unknown): ReadonlyMap<string, string> {
  const metadata = new Map<string, string>();
  const entries = isRecord(value) ? Object.entries(value) : [["__metadata__", undefined] as const];
  for (const [key, text] of entries) {
    if (typeof text !== "string") {
      throw failure("safetensors-header", `The metadata '${key}' of ${label} is not text.`, {
        hint: damaged,
      });
    }
    metadata.set(key, text);
  }
  return metadata;
}

function parseEntry(label: string, name: string, value: unknown): TensorEntry {
  const of = `'${name}' of ${label}`;
  if (!isRecord(value))
    throw failure("safetensors-header", `${of} is not described by an object.`, { hint: damaged });
  const { dtype, shape, data_offsets: offsets } = value;
  if (!isStorage(dtype)) {
    throw failure(
      "safetensors-dtype",
      `${of} has the element type ${JSON.stringify(dtype)}, which cannot be read.`,
      {
        notes: [`readable are ${Object.keys(storageBytes).join(", ")}`],
        hint: "Convert the tensor to one of these types.",
      },
    );
  }
  if (!Array.isArray(shape) || !shape.every(isCount) || !isCount(product(shape, storageBytes[dtype]))) {
    throw failure("safetensors-shape", `${of} has the shape ${JSON.stringify(shape)}.`, {
      notes: ["a shape is a list of whole numbers, none negative, that one file can hold"],
      hint: damaged,
    });
  }
  const [begin, end] = Array.isArray(offsets) && offsets.length === 2 ? offsets : [];
  if (!isCount(begin) || !isCount(end) || begin > end) {
    throw failure("safetensors-offsets", `${of} has the data offsets ${JSON.stringify(offsets)}.`, {
      notes: ["they are the first byte and the one after the last"],
      hint: damaged,
    });
  }
  const length = product(shape, storageBytes[dtype]);
  if (length !== end - begin) {
    throw failure(
      "safetensors-length",
      `${of} takes ${countOf(end - begin, "byte")} where its shape needs ${length}.`,
      {
        notes: [`${dtype} ${JSON.stringify(shape)}`],
        hint: damaged,
      },
    );
  }
  return { storage: dtype, shape, begin, end };
}

function isStorage(value: unknown): value is Storage {
  return typeof value === "string" && Object.hasOwn(storageBytes, value);
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** An empty axis makes the whole empty, however large the others are. */
function product(shape: readonly number[], unit: number): number {
  return shape.includes(0) ? 0 : shape.reduce((total, size) => total * size, unit);
}

function checkCoverage(
  label: string,
  tensors: ReadonlyMap<string, TensorEntry>,
  dataLength: number | undefined,
): void {
  const ordered = [...tensors].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  let reached = 0;
  let previous = "";
  for (const [name, { begin, end }] of ordered) {
    if (begin < reached) {
      throw failure("safetensors-overlap", `'${name}' and '${previous}' of ${label} share bytes.`, {
        notes: [`'${name}' starts at ${begin}, '${previous}' ends at ${reached}`],
        hint: damaged,
      });
    }
    if (begin > reached) {
      throw failure(
        "safetensors-gap",
        `No tensor of ${label} covers the bytes from ${reached} to ${begin}.`,
        {
          notes: [`'${name}' is the next one`],
          hint: damaged,
        },
      );
    }
    reached = end;
    previous = name;
  }
  if (dataLength === undefined) return;
  if (reached > dataLength) {
    throw failure("safetensors-truncated", `${label} ends before its tensors do.`, {
      notes: [`they take ${countOf(reached, "byte")}, the file has ${dataLength} after the header`],
      hint: "The file is incomplete; download or copy it again.",
    });
  }
  if (reached < dataLength) {
    throw failure(
      "safetensors-gap",
      `${label} has ${countOf(dataLength - reached, "byte")} after its last tensor.`,
      {
        hint: damaged,
      },
    );
  }
}
