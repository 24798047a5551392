/**
 * From the bytes of a recording to samples.
 *
 * Owns: recognising the format by content, never by file name, and handing over to its decoder.
 * Resampling and mixing down are in load.ts.
 */
import { failure } from "../failure.ts";
import { decodeFlac, decodeMp3, decodeVorbis } from "./compressed.ts";
import { findMpegFrame, id3Length } from "./mpeg.ts";
import { isOgg, readOgg } from "./ogg.ts";
import { decodeOpus } from "./opus.ts";
import { checkRecording, emptyAudio, type Recording, truncatedAudio } from "./recording.ts";
import { decodeWav, isWav } from "./wav.ts";

/** Length of a FLAC STREAMINFO block without its header. */
const streamInfoBytes = 34;

const readable = "WAV, FLAC, MP3, Ogg Vorbis and Opus can be read";

/** Formats that people are likely to try: where the magic is, the magic, the name. */
const otherFormats: readonly (readonly [number, string, string])[] = [
  [4, "ftyp", "an MP4 or M4A file"],
  [0, "FORM", "an AIFF file"],
  [0, "caff", "a Core Audio file"],
  [0, ".snd", "an AU file"],
  [0, "#!AMR", "an AMR file"],
  [0, "\u001aE\u00df\u00a3", "a WebM or Matroska file"],
  [0, "0&\u00b2u", "a Windows Media file"],
  [0, "wvpk", "a WavPack file"],
  [0, "MAC ", "a Monkey's Audio file"],
  [0, "MThd", "a MIDI file, which holds notes and no sound"],
  [8, "AVI ", "a video"],
];

/**
 * @throws DiagnosticError with a code `audio-…`: `audio-format` for what is not known or supported,
 * `audio-undecodable`, `audio-truncated`, `audio-empty`, `audio-not-finite`, `audio-sample-rate`
 */
export async function decodeAudio(bytes: Uint8Array, label: string): Promise<Recording> {
  if (bytes.length === 0) throw emptyAudio(label);
  return checkRecording(await decodeByContent(bytes, label), label);
}

async function decodeByContent(bytes: Uint8Array, label: string): Promise<Recording> {
  if (isWav(bytes)) return decodeWav(bytes, label);
  if (isOgg(bytes)) return await decodeOgg(bytes, label);
  // Some programs put an ID3 tag before FLAC too.
  const content = bytes.subarray(id3Length(bytes));
  if (startsWith(content, 0, "fLaC"))
    return await decodeFlac(content, streamInfoAt(content, 8, label), label);
  const other = otherFormats.find(([at, magic]) => startsWith(bytes, at, magic));
  if (other === undefined && findMpegFrame(bytes) !== undefined) return await decodeMp3(bytes, label);
  throw unsupported(label, other === undefined ? "not in a known audio format" : other[2]);
}

async function decodeOgg(bytes: Uint8Array, label: string): Promise<Recording> {
  const stream = readOgg(bytes, label);
  const first = stream.packets[0] ?? new Uint8Array();
  if (startsWith(first, 0, "\u0001vorbis")) {
    // Identification, comment and setup come before the sound.
    if (stream.packets.length <= 3) throw emptyAudio(label);
    return await decodeVorbis(bytes, label);
  }
  if (startsWith(first, 0, "OpusHead")) return await decodeOpus(stream, label);
  if (startsWith(first, 0, "\u007fFLAC"))
    return await decodeFlac(bytes, streamInfoAt(first, 17, label), label);
  throw unsupported(label, startsWith(first, 0, "Speex") ? "a Speex file" : "an Ogg file of an unknown kind");
}

function streamInfoAt(bytes: Uint8Array, at: number, label: string): Uint8Array {
  if (bytes.length < at + streamInfoBytes) throw truncatedAudio(label, ["its header is incomplete"]);
  return bytes.subarray(at, at + streamInfoBytes);
}

function unsupported(label: string, what: string): Error {
  return failure("audio-format", `${label} is ${what}.`, {
    notes: [readable],
    hint: "Convert it to one of these.",
  });
}

function startsWith(bytes: Uint8Array, at: number, magic: string): boolean {
  for (let i = 0; i < magic.length; i++) if (bytes[at + i] !== magic.charCodeAt(i)) return false;
  return true;
}
