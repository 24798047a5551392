/**
 * Reading WAV: RIFF, RIFX (big-endian), RF64 and BW64.
 *
 * Owns: integer samples of 8 to 32 bits and floating point of 32 or 64, any number of channels. An
 * integer of b bits is divided by 2^(b-1), exactly. Sizes in headers are often wrong, since a program
 * that writes to a pipe does not know them: a size that means "unknown" is replaced by what is there,
 * any other that the file cannot keep is a fault.
 */
import { countOf, failure } from "../failure.ts";
import { emptyAudio, type Recording, truncatedAudio, undecodable } from "./recording.ts";

const integerFormat = 1;
const floatFormat = 3;
const extensibleFormat = 0xfffe;

/** What else a WAV file may hold, by format tag. */
const otherFormats: ReadonlyMap<number, string> = new Map([
  [2, "ADPCM"],
  [6, "A-law"],
  [7, "µ-law"],
  [0x11, "IMA ADPCM"],
  [0x31, "GSM"],
  [0x50, "MPEG layer II"],
  [0x55, "MP3"],
  [0xff, "AAC"],
  [0x161, "Windows Media"],
]);

/** Programs that write to a pipe put a size near 2^31 or 2^32 where they do not know it. */
const smallestUnknownSize = 0x7f00_0000;

interface Chunk {
  readonly id: string;
  readonly start: number;
  /** As the header gives it, which may be more than is there. */
  readonly size: number;
}

interface WavFormat {
  readonly kind: "integer" | "float";
  readonly channels: number;
  readonly sampleRate: number;
  readonly bytesPerSample: number;
}

export function isWav(bytes: Uint8Array): boolean {
  return ["RIFF", "RIFX", "RF64", "BW64"].includes(tag(bytes, 0)) && tag(bytes, 8) === "WAVE";
}

/** @throws DiagnosticError `audio-undecodable`, `audio-format`, `audio-truncated` or `audio-empty` */
export function decodeWav(bytes: Uint8Array, label: string): Recording {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const littleEndian = tag(bytes, 0) !== "RIFX";
  let format: WavFormat | undefined;
  let longSize: number | undefined;
  for (const chunk of chunksOf(bytes, view, littleEndian)) {
    if (chunk.id === "ds64" && chunk.start + 16 <= bytes.length) {
      longSize = Number(view.getBigUint64(chunk.start + 8, littleEndian));
    } else if (chunk.id === "fmt ") {
      format = parseFormat(view, chunk, littleEndian, label);
    } else if (chunk.id === "data") {
      if (format === undefined)
        throw undecodable(label, "WAV", "the format comes after the samples, or not at all");
      const size = dataSize(bytes, chunk, longSize, format, label);
      return readSamples(
        new DataView(view.buffer, view.byteOffset + chunk.start, size),
        format,
        littleEndian,
        label,
      );
    }
  }
  throw undecodable(label, "WAV", "it has no samples (no 'data' chunk)");
}

function tag(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4));
}

function* chunksOf(bytes: Uint8Array, view: DataView, littleEndian: boolean): Generator<Chunk> {
  let at = 12;
  while (at + 8 <= bytes.length) {
    const size = view.getUint32(at + 4, littleEndian);
    yield { id: tag(bytes, at), start: at + 8, size };
    // Chunks start at even offsets, but some writers leave out the byte that pads an odd one.
    const next = at + 8 + size;
    at = next % 2 === 1 && !(bytes[next] !== 0 && looksLikeChunk(bytes, next)) ? next + 1 : next;
  }
}

function looksLikeChunk(bytes: Uint8Array, at: number): boolean {
  return at + 8 <= bytes.length && /^[A-Za-z][A-Za-z0-9 _-]{3}$/.test(tag(bytes, at));
}

function parseFormat(view: DataView, chunk: Chunk, littleEndian: boolean, label: string): WavFormat {
  const { start, size } = chunk;
  if (size < 16 || start + size > view.byteLength) throw undecodable(label, "WAV", "its format is cut short");
  let code = view.getUint16(start, littleEndian);
  const channels = view.getUint16(start + 2, littleEndian);
  const sampleRate = view.getUint32(start + 4, littleEndian);
  const blockBytes = view.getUint16(start + 12, littleEndian);
  const bits = view.getUint16(start + 14, littleEndian);
  // The extensible form has the true code in the first two bytes of a GUID.
  if (code === extensibleFormat && size >= 26) code = view.getUint16(start + 24, littleEndian);
  if (code !== integerFormat && code !== floatFormat) {
    const name = otherFormats.get(code) ?? `the format ${code}`;
    throw failure("audio-format", `${label} is a WAV file that holds ${name}, which cannot be read.`, {
      hint: "Convert it to 16-bit WAV or to FLAC.",
    });
  }
  // Twelve bits in two bytes lie in the upper ones, so that only the size of the container counts.
  const bytesPerSample = Math.ceil(bits / 8);
  const allowed = code === integerFormat ? [1, 2, 3, 4] : [4, 8];
  if (channels === 0 || !allowed.includes(bytesPerSample) || blockBytes !== channels * bytesPerSample) {
    throw undecodable(
      label,
      "WAV",
      `its format contradicts itself: ${countOf(channels, "channel")}, ${bits} bits, ${blockBytes} bytes a frame`,
    );
  }
  return { kind: code === integerFormat ? "integer" : "float", channels, sampleRate, bytesPerSample };
}

/** How many bytes of samples there are; never more than the file holds. */
function dataSize(
  bytes: Uint8Array,
  chunk: Chunk,
  longSize: number | undefined,
  format: WavFormat,
  label: string,
): number {
  const available = bytes.length - chunk.start;
  const promised = chunk.size === 0xffff_ffff && longSize !== undefined ? longSize : chunk.size;
  const isUnknown =
    (promised >= smallestUnknownSize && promised > available) ||
    (promised === 0 && available > 0 && !looksLikeChunk(bytes, chunk.start));
  if (isUnknown) return available;
  // Less than one frame short is a writer's mistake in rounding.
  if (promised - available >= format.channels * format.bytesPerSample) {
    throw truncatedAudio(label, [
      `its header promises ${countOf(promised, "byte")} of samples, ${available} are there`,
    ]);
  }
  return Math.min(promised, available);
}

function readSamples(view: DataView, format: WavFormat, littleEndian: boolean, label: string): Recording {
  const { channels, bytesPerSample, sampleRate } = format;
  const frameBytes = channels * bytesPerSample;
  const frames = Math.floor(view.byteLength / frameBytes);
  if (frames === 0) throw emptyAudio(label);
  const read = sampleReader(view, format, littleEndian);
  const planes: Float32Array[] = [];
  for (let channel = 0; channel < channels; channel++) {
    const plane = new Float32Array(frames);
    let at = channel * bytesPerSample;
    for (let frame = 0; frame < frames; frame++) {
      plane[frame] = read(at);
      at += frameBytes;
    }
    planes.push(plane);
  }
  return { sampleRate, channels: planes };
}

function sampleReader(view: DataView, format: WavFormat, littleEndian: boolean): (at: number) => number {
  if (format.kind === "float") {
    if (format.bytesPerSample === 4) return (at) => view.getFloat32(at, littleEndian);
    return (at) => view.getFloat64(at, littleEndian);
  }
  switch (format.bytesPerSample) {
    case 1:
      // The only unsigned width.
      return (at) => (view.getUint8(at) - 128) / 2 ** 7;
    case 2:
      return (at) => view.getInt16(at, littleEndian) / 2 ** 15;
    case 3: {
      const [low, high] = littleEndian ? [0, 1] : [2, 0];
      return (at) => (view.getInt16(at + high, littleEndian) * 256 + view.getUint8(at + low)) / 2 ** 23;
    }
    default:
      return (at) => view.getInt32(at, littleEndian) / 2 ** 31;
  }
}
