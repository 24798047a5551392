/**
 * The directory of a ZIP archive whose files are stored as they are (APPNOTE 6.3.10).
 *
 * Owns: finding where each file's bytes lie, so that gigabytes are read by range. Compressed and encrypted
 * files are refused: PyTorch writes neither. ZIP64 is read, since checkpoints are larger than 4 GiB.
 */
import type { ByteSource } from "../byte-source.ts";
import { failure } from "../failure.ts";

export interface ZipEntry {
  readonly name: string;
  readonly size: number;
  /** Of the local header, which stands in front of the bytes. */
  readonly headerOffset: number;
}

const endSignature = 0x06054b50;
const end64Signature = 0x06064b50;
const locatorSignature = 0x07064b50;
const centralSignature = 0x02014b50;
const localSignature = 0x04034b50;
/** The end record is 22 bytes and a comment of at most 65535. */
const longestEnd = 22 + 0xffff;
const largestDirectory = 256 * 1024 * 1024;

/** @throws DiagnosticError `zip-damaged` or `zip-unsupported` */
export async function readZipDirectory(source: ByteSource): Promise<ReadonlyMap<string, ZipEntry>> {
  const { offset, length, count } = await findDirectory(source);
  if (length > largestDirectory || offset + length > source.size)
    throw damaged(source, "its directory lies outside");
  const view = viewOf(await source.read(offset, length));
  const entries = new Map<string, ZipEntry>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 46 > length || view.getUint32(at, true) !== centralSignature) {
      throw damaged(source, "its directory is cut short");
    }
    const nameLength = view.getUint16(at + 28, true);
    const extraLength = view.getUint16(at + 30, true);
    const next = at + 46 + nameLength + extraLength + view.getUint16(at + 32, true);
    if (next > length) throw damaged(source, "its directory is cut short");
    const entry = readEntry(source, view, at, nameLength, extraLength);
    if (entries.has(entry.name)) throw damaged(source, `it holds ${JSON.stringify(entry.name)} twice`);
    entries.set(entry.name, entry);
    at = next;
  }
  return entries;
}

/** Where the bytes of a file begin. */
export async function zipDataOffset(
  source: ByteSource,
  { name, size, headerOffset }: ZipEntry,
): Promise<number> {
  const view = viewOf(await source.read(headerOffset, 30));
  if (view.getUint32(0, true) !== localSignature)
    throw damaged(source, `${JSON.stringify(name)} is not where it should be`);
  const start = headerOffset + 30 + view.getUint16(26, true) + view.getUint16(28, true);
  if (start + size > source.size) throw damaged(source, `it ends within ${JSON.stringify(name)}`);
  return start;
}

function readEntry(
  source: ByteSource,
  view: DataView,
  at: number,
  nameLength: number,
  extraLength: number,
): ZipEntry {
  const nameBytes = new Uint8Array(view.buffer, view.byteOffset + at + 46, nameLength);
  const name = new TextDecoder().decode(nameBytes);
  const flags = view.getUint16(at + 8, true);
  const method = view.getUint16(at + 10, true);
  if ((flags & 1) !== 0 || method !== 0) {
    const how = (flags & 1) !== 0 ? "encrypted" : "compressed";
    throw failure("zip-unsupported", `${JSON.stringify(name)} of ${source.label} is ${how}.`, {
      notes: ["PyTorch stores the files of a checkpoint as they are"],
      hint: "This is an archive of another kind; take the checkpoint out of it first.",
    });
  }
  let packed = view.getUint32(at + 20, true);
  let size = view.getUint32(at + 24, true);
  let headerOffset = view.getUint32(at + 42, true);
  // Of what does not fit into 32 bits, the extra field holds 64, in this order.
  let extra = at + 46 + nameLength;
  const extraEnd = extra + extraLength;
  while (extra + 4 <= extraEnd) {
    const id = view.getUint16(extra, true);
    const end = extra + 4 + view.getUint16(extra + 2, true);
    if (id === 1 && end <= extraEnd) {
      let field = extra + 4;
      const wide = (value: number): number => {
        if (value !== 0xffffffff || field + 8 > end) return value;
        field += 8;
        return Number(view.getBigUint64(field - 8, true));
      };
      size = wide(size);
      packed = wide(packed);
      headerOffset = wide(headerOffset);
    }
    extra = end;
  }
  const inside = Number.isSafeInteger(size) && Number.isSafeInteger(headerOffset);
  if (!inside || packed !== size || headerOffset + 30 + size > source.size) {
    throw damaged(source, `${JSON.stringify(name)} lies outside of it`);
  }
  return { name, size, headerOffset };
}

async function findDirectory(source: ByteSource): Promise<{ offset: number; length: number; count: number }> {
  const tailLength = Math.min(source.size, longestEnd);
  const tailStart = source.size - tailLength;
  const tail = viewOf(await source.read(tailStart, tailLength));
  let at = tailLength - 22;
  while (at >= 0 && tail.getUint32(at, true) !== endSignature) at--;
  if (at < 0) throw damaged(source, "it has no directory; it may have been cut short");
  const locator = tailStart + at - 20;
  if (locator >= 0) {
    const view = viewOf(await source.read(locator, 20));
    if (view.getUint32(0, true) === locatorSignature) {
      return await readEnd64(source, Number(view.getBigUint64(8, true)));
    }
  }
  return {
    count: tail.getUint16(at + 10, true),
    length: tail.getUint32(at + 12, true),
    offset: tail.getUint32(at + 16, true),
  };
}

async function readEnd64(
  source: ByteSource,
  at: number,
): Promise<{ offset: number; length: number; count: number }> {
  if (at + 56 > source.size) throw damaged(source, "its directory lies outside");
  const view = viewOf(await source.read(at, 56));
  if (view.getUint32(0, true) !== end64Signature) throw damaged(source, "it has no directory");
  return {
    count: Number(view.getBigUint64(32, true)),
    length: Number(view.getBigUint64(40, true)),
    offset: Number(view.getBigUint64(48, true)),
  };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function damaged(source: ByteSource, why: string): Error {
  return failure("zip-damaged", `${source.label} is not a whole archive: ${why}.`, {
    hint: "Copy or download the checkpoint again.",
  });
}
