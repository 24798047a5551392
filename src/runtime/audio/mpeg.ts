/**
 * Headers of MPEG audio frames (ISO 11172-3, 13818-3) and of the ID3v2 tag before them.
 *
 * Owns: telling whether bytes are MP3, which has no magic number of its own, and how many channels it
 * has, which the decoder does not say. Decoding is in compressed.ts.
 */

export interface MpegFrame {
  readonly offset: number;
  readonly length: number;
  readonly sampleRate: number;
  readonly channels: 1 | 2;
}

/** How far a frame may lie behind whatever else the file begins with. */
const searchedBytes = 1 << 16;

/** In kilobits a second, by [version 1 or later][layer - 1][index]. */
const bitRates = {
  one: [
    [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
    [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
    [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  ],
  two: [
    [0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
    [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
    [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
  ],
} as const;

/** Length of the ID3v2 tag that the bytes begin with, 0 without one. */
export function id3Length(bytes: Uint8Array): number {
  if (bytes.length < 10 || bytes[0] !== 0x49 || bytes[1] !== 0x44 || bytes[2] !== 0x33) return 0;
  // Seven bits of each byte count, so that no tag looks like the start of a frame.
  const size = bytes.subarray(6, 10).reduce((total, byte) => total * 128 + (byte & 0x7f), 0);
  const footer = (bytes[5] ?? 0) & 0x10 ? 10 : 0;
  return Math.min(10 + size + footer, bytes.length);
}

/** The first frame that another of its kind follows, or the end of the file. */
export function findMpegFrame(bytes: Uint8Array): MpegFrame | undefined {
  const start = id3Length(bytes);
  const last = Math.min(bytes.length, start + searchedBytes);
  for (let at = start; at < last; at++) {
    const frame = parseFrame(bytes, at);
    if (frame === undefined) continue;
    const next = at + frame.length;
    if (next === bytes.length) return frame;
    if (parseFrame(bytes, next)?.sampleRate === frame.sampleRate) return frame;
  }
  return undefined;
}

function parseFrame(bytes: Uint8Array, at: number): MpegFrame | undefined {
  const [first = 0, second = 0, third = 0, fourth = 0] = bytes.subarray(at, at + 4);
  if (first !== 0xff || (second & 0xe0) !== 0xe0 || at + 4 > bytes.length) return undefined;
  const version = (second >> 3) & 3; // 3: MPEG-1, 2: MPEG-2, 0: MPEG-2.5
  const layer = 4 - ((second >> 1) & 3);
  const rates = version === 3 ? bitRates.one : bitRates.two;
  const kilobits = rates[layer - 1]?.[third >> 4] ?? 0;
  const baseRate = [44100, 48000, 32000][(third >> 2) & 3];
  if (version === 1 || layer === 4 || kilobits === 0 || baseRate === undefined) return undefined;
  const sampleRate = version === 3 ? baseRate : version === 2 ? baseRate / 2 : baseRate / 4;
  const padding = (third >> 1) & 1;
  const samples = layer === 1 ? 384 : layer === 3 && version !== 3 ? 576 : 1152;
  const slots = Math.floor(((samples / 8) * kilobits * 1000) / sampleRate / (layer === 1 ? 4 : 1)) + padding;
  return {
    offset: at,
    length: layer === 1 ? slots * 4 : slots,
    sampleRate,
    channels: fourth >> 6 === 3 ? 1 : 2,
  };
}
