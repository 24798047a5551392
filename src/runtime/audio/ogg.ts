/**
 * Ogg pages and packets (RFC 3533).
 *
 * Owns: checking every page (checksum, order, completeness), which the decoders behind it do not, and
 * joining pages into packets. What the packets mean is the codecs'.
 */
import { failure } from "../failure.ts";
import { truncatedAudio, undecodable } from "./recording.ts";

export interface OggStream {
  readonly packets: readonly Uint8Array[];
  /** Position at the end of the last page, in samples of the codec's clock. */
  readonly endPosition: number;
}

const pageHeaderBytes = 27;
const continuedFlag = 1;
const firstFlag = 2;

interface Page {
  readonly flags: number;
  readonly position: bigint;
  readonly serial: number;
  readonly sequence: number;
  /** Segment lengths; a packet goes on as long as they are 255. */
  readonly lacing: Uint8Array;
  readonly body: Uint8Array;
  readonly end: number;
}

export function isOgg(bytes: Uint8Array): boolean {
  return bytes[0] === 0x4f && bytes[1] === 0x67 && bytes[2] === 0x67 && bytes[3] === 0x53;
}

/** @throws DiagnosticError `audio-undecodable`, `audio-truncated` or `audio-format` */
export function readOgg(bytes: Uint8Array, label: string): OggStream {
  const packets: Uint8Array[] = [];
  let pending: Uint8Array[] = [];
  let endPosition = 0;
  let previous: Page | undefined;
  for (let at = 0; at < bytes.length; ) {
    const page = readPage(bytes, at, label);
    if (previous !== undefined) checkOrder(page, previous, at, label);
    if ((page.flags & continuedFlag) === 0 && pending.length > 0) {
      throw undecodable(label, "Ogg", `a packet is cut short before byte ${at}`);
    }
    let start = 0;
    for (const length of page.lacing) {
      pending.push(page.body.subarray(start, start + length));
      start += length;
      if (length === 255) continue;
      packets.push(joinParts(pending));
      pending = [];
    }
    // -1 stands for a page on which no packet ends.
    if (page.position >= 0n) endPosition = Number(page.position);
    previous = page;
    at = page.end;
  }
  if (pending.length > 0) throw truncatedAudio(label, ["its last packet is incomplete"]);
  return { packets, endPosition };
}

function readPage(bytes: Uint8Array, at: number, label: string): Page {
  if (at + pageHeaderBytes > bytes.length) throw truncatedAudio(label, ["its last page is incomplete"]);
  const view = new DataView(bytes.buffer, bytes.byteOffset + at);
  if (!isOgg(bytes.subarray(at)) || bytes[at + 4] !== 0) {
    throw undecodable(label, "Ogg", `no page starts at byte ${at}, where the one before ends`);
  }
  const bodyStart = at + pageHeaderBytes + (bytes[at + 26] ?? 0);
  const lacing = bytes.subarray(at + pageHeaderBytes, bodyStart);
  const end = bodyStart + lacing.reduce((total, length) => total + length, 0);
  if (bodyStart > bytes.length || end > bytes.length)
    throw truncatedAudio(label, ["its last page is incomplete"]);
  if (checksum(bytes, at, end) !== view.getUint32(22, true)) {
    throw undecodable(label, "Ogg", `the page at byte ${at} does not match its checksum`);
  }
  return {
    flags: view.getUint8(5),
    position: view.getBigInt64(6, true),
    serial: view.getUint32(14, true),
    sequence: view.getUint32(18, true),
    lacing,
    body: bytes.subarray(bodyStart, end),
    end,
  };
}

function checkOrder(page: Page, previous: Page, at: number, label: string): void {
  if (page.serial !== previous.serial || (page.flags & firstFlag) !== 0) {
    throw failure("audio-format", `${label} holds more than one Ogg stream.`, {
      hint: "Extract the one to be read into a file of its own.",
    });
  }
  if (page.sequence !== previous.sequence + 1) {
    throw undecodable(label, "Ogg", `pages are missing before byte ${at}`);
  }
}

function joinParts(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts;
  if (parts.length === 1 && first !== undefined) return first;
  const joined = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** CRC-32 of polynomial 0x04c11db7, most significant bit first, from zero. */
const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte << 24;
  for (let bit = 0; bit < 8; bit++) value = value & 0x8000_0000 ? (value << 1) ^ 0x04c1_1db7 : value << 1;
  return value >>> 0;
});

/** Of the page as if its checksum field, bytes 22 to 25, were zero. */
function checksum(bytes: Uint8Array, start: number, end: number): number {
  let crc = 0;
  for (let i = start; i < end; i++) {
    const byte = i >= start + 22 && i < start + 26 ? 0 : (bytes[i] ?? 0);
    crc = (crc << 8) ^ (crcTable[((crc >>> 24) ^ byte) & 0xff] ?? 0);
  }
  return crc >>> 0;
}
