/**
 * Ogg Opus (RFC 7845) through a WebAssembly build of libopus.
 *
 * Owns: the identification header, and what the container asks of the decoded sound: drop the samples
 * before the start and after the end, and apply the output gain. Sound is always at 48 kHz.
 */
import { runDecoder } from "./compressed.ts";
import type { OggStream } from "./ogg.ts";
import { emptyAudio, type Recording, undecodable } from "./recording.ts";

const sampleRate = 48000;

interface OpusHead {
  readonly channels: number;
  /** Samples that only warm the decoder up. */
  readonly preSkip: number;
  /** Factor on the samples. */
  readonly gain: number;
  readonly streamCount: number;
  readonly coupledStreamCount: number;
  readonly mapping: readonly number[];
}

export async function decodeOpus(stream: OggStream, label: string): Promise<Recording> {
  const [first, , ...packets] = stream.packets;
  const head = parseHead(first ?? new Uint8Array(), label);
  if (packets.length === 0) throw emptyAudio(label);
  const decoded = await runDecoder(
    label,
    "Opus",
    async () =>
      new (await import("opus-decoder")).OpusDecoder({
        sampleRate,
        channels: head.channels,
        streamCount: head.streamCount,
        coupledStreamCount: head.coupledStreamCount,
        channelMappingTable: [...head.mapping],
      }),
    (decoder) => decoder.decodeFrames([...packets]),
  );
  const end = Math.min(decoded.samplesDecoded, stream.endPosition);
  const channels = decoded.channelData.map((samples) => samples.slice(head.preSkip, end));
  if (head.gain !== 1) {
    for (const samples of channels)
      samples.forEach((sample, index) => {
        samples[index] = sample * head.gain;
      });
  }
  return { sampleRate, channels };
}

function parseHead(packet: Uint8Array, label: string): OpusHead {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  if (packet.length < 19) throw undecodable(label, "Opus", "its first packet is too short");
  const channels = view.getUint8(9);
  const family = view.getUint8(18);
  const common = {
    channels,
    preSkip: view.getUint16(10, true),
    // In decibels, as a fixed-point number with eight bits after the point.
    gain: 10 ** (view.getInt16(16, true) / 256 / 20),
  };
  if (family === 0) {
    if (channels !== 1 && channels !== 2) throw undecodable(label, "Opus", `it claims ${channels} channels`);
    const mapping = channels === 1 ? [0] : [0, 1];
    return { ...common, streamCount: 1, coupledStreamCount: channels - 1, mapping };
  }
  if (channels === 0 || packet.length < 21 + channels) {
    throw undecodable(label, "Opus", "its channel mapping is cut short");
  }
  return {
    ...common,
    streamCount: view.getUint8(19),
    coupledStreamCount: view.getUint8(20),
    mapping: [...packet.subarray(21, 21 + channels)],
  };
}
