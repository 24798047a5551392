/**
 * FLAC, MP3 and Ogg Vorbis through WebAssembly builds of libFLAC, mpg123 and libvorbis.
 *
 * Owns: loading them when first needed, keeping their faults and their printing from the user, and
 * what they leave unchecked: that nothing was dropped, the number of channels, the scale of integers.
 * Opus is in opus.ts.
 */
import { describeError, failure } from "../failure.ts";
import { findMpegFrame } from "./mpeg.ts";
import { type Recording, truncatedAudio, undecodable } from "./recording.ts";

/** What the decoders return. */
interface Decoded {
  readonly channelData: readonly Float32Array[];
  readonly samplesDecoded: number;
  readonly sampleRate: number;
  readonly errors: readonly { readonly message: string }[];
}

interface Decoder {
  readonly ready: Promise<void>;
  free(): void;
}

/** A decoder that goes on in spite of faults may report one for each byte. */
const mostReports = 1000;

/** `streamInfo` is the STREAMINFO block: RFC 9639, section 8.2. */
export async function decodeFlac(
  bytes: Uint8Array,
  streamInfo: Uint8Array,
  label: string,
): Promise<Recording> {
  const decoded = await runDecoder(
    label,
    "FLAC",
    async () => new (await import("@wasm-audio-decoders/flac")).FLACDecoder(),
    (decoder) => decoder.decodeFile(bytes),
  );
  const expected = ((streamInfo[13] ?? 0) & 0x0f) * 2 ** 32 + readUint32(streamInfo, 14);
  // Zero stands for unknown. The decoder leaves damaged frames out without a word.
  if (expected !== 0 && decoded.samplesDecoded < expected) {
    throw truncatedAudio(label, [
      `it should hold ${expected} samples, ${decoded.samplesDecoded} could be decoded`,
    ]);
  }
  const bits = ((((streamInfo[12] ?? 0) & 1) << 4) | ((streamInfo[13] ?? 0) >> 4)) + 1;
  for (const samples of decoded.channelData) rescaleIntegers(samples, bits);
  return { sampleRate: decoded.sampleRate, channels: decoded.channelData };
}

function readUint32(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at);
}

/**
 * The decoder divides by 2^(b-1) - 1, which no other reader does: back to the integers, then by
 * 2^(b-1) as for WAV. Up to 24 bits the integer is recovered exactly.
 */
function rescaleIntegers(samples: Float32Array, bits: number): void {
  const largest = 2 ** (bits - 1) - 1;
  const fullScale = 2 ** (bits - 1);
  for (let i = 0; i < samples.length; i++) samples[i] = Math.round((samples[i] ?? 0) * largest) / fullScale;
}

export async function decodeMp3(bytes: Uint8Array, label: string): Promise<Recording> {
  const decoded = await runDecoder(
    label,
    "MP3",
    async () => new (await import("mpg123-decoder")).MPEGDecoder(),
    (decoder) => decoder.decode(bytes),
  );
  // The decoder gives two channels whatever there were.
  const channels = findMpegFrame(bytes)?.channels ?? 2;
  return { sampleRate: decoded.sampleRate, channels: decoded.channelData.slice(0, channels) };
}

/** The pages must have been checked (ogg.ts): the decoder does not. */
export async function decodeVorbis(bytes: Uint8Array, label: string): Promise<Recording> {
  const decoded = await runDecoder(
    label,
    "Ogg Vorbis",
    async () => new (await import("@wasm-audio-decoders/ogg-vorbis")).OggVorbisDecoder(),
    (decoder) => decoder.decodeFile(bytes),
  );
  return { sampleRate: decoded.sampleRate, channels: decoded.channelData };
}

/**
 * Runs a decoder from loading to release.
 * @throws DiagnosticError `audio-decoder` when it cannot be loaded, or `audio-undecodable`
 */
export async function runDecoder<D extends Decoder>(
  label: string,
  format: string,
  create: () => Promise<D>,
  decode: (decoder: D) => Decoded | Promise<Decoded>,
): Promise<Decoded> {
  let decoder: D;
  try {
    decoder = await create();
    await decoder.ready;
  } catch (error) {
    throw failure("audio-decoder", `The decoder for ${format} cannot be loaded.`, {
      notes: [describeError(error)],
      hint: "Install the package again, or convert the recording to WAV.",
    });
  }
  let decoded: Decoded;
  try {
    // Each decoder does all its work, and so all its printing, before it returns its promise.
    decoded = await withoutPrinting(() => decode(decoder));
  } catch (error) {
    throw undecodable(label, format, describeError(error));
  } finally {
    release(decoder);
  }
  const [fault] = decoded.errors;
  if (fault !== undefined) throw undecodable(label, format, describeError(fault.message));
  if (decoded.samplesDecoded === 0) throw undecodable(label, format, "it holds no frame that can be decoded");
  return decoded;
}

function release(decoder: Decoder): void {
  try {
    decoder.free();
  } catch {
    // After a trap its memory cannot be freed; it goes with the instance.
  }
}

/** Faults come back as values; the decoders also print them, which only disturbs. */
function withoutPrinting<T>(work: () => T): T {
  const print = console.error;
  let reports = 0;
  console.error = () => {
    reports += 1;
    if (reports > mostReports) throw new Error("it is damaged throughout");
  };
  try {
    return work();
  } finally {
    console.error = print;
  }
}
