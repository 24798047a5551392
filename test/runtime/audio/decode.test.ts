import { describe, expect, test, vi } from "vitest";
import { decodeAudio } from "../../../src/runtime/audio/decode.ts";
import { loadAudio } from "../../../src/runtime/audio/load.ts";
import { codeOf, diagnosticOf, fixture, repeatable } from "../support.ts";

const load = (name: string) => fixture(`fixtures/audio/${name}`);
const decode = (bytes: Uint8Array) => decodeAudio(bytes, "a recording");
const original = await decode(load("tone.wav"));

function channel(recording: { channels: readonly Float32Array[] }, index = 0): Float32Array {
  return recording.channels[index] ?? new Float32Array();
}

/** How far the error lies below the signal, in decibels; lossy formats keep the waveform. */
function signalToNoise(signal: Float32Array, found: Float32Array): number {
  let power = 0;
  let error = 0;
  for (let i = 0; i < signal.length; i++) {
    const value = signal[i] ?? 0;
    power += value * value;
    error += (value - (found[i] ?? 0)) ** 2;
  }
  return 10 * Math.log10(power / error);
}

function concatenate(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

describe("lossless", () => {
  test.each(["tone.flac", "tone-ogg-flac.oga"])("%s gives the very samples of tone.wav", async (name) => {
    const found = await decode(load(name));
    expect(found.sampleRate).toBe(44100);
    expect(found.channels).toHaveLength(2);
    for (const index of [0, 1]) expect(channel(found, index)).toEqual(channel(original, index));
  });

  test.each([
    [16, 12345],
    [24, 1234567],
  ])("FLAC of %i bits is divided by a power of two, like WAV", async (bits, last) => {
    const found = channel(await decode(load(`levels-${bits}.flac`)));
    const full = 2 ** (bits - 1);
    expect(found).toHaveLength(512);
    const expected = [-full, full - 1, 0, -1, 1, -full + 1, full - 2, last];
    for (const start of [0, 504]) {
      expect([...found.subarray(start, start + 8)].map((value) => value * full)).toEqual(expected);
    }
  });
});

describe("lossy", () => {
  test.each([
    ["tone.mp3", 25],
    ["tone.ogg", 20],
  ])("%s: as long as the original, and not shifted", async (name, least) => {
    const found = await decode(load(name));
    expect(found.sampleRate).toBe(44100);
    for (const index of [0, 1]) {
      expect(channel(found, index)).toHaveLength(13230);
      expect(signalToNoise(channel(original, index), channel(found, index))).toBeGreaterThan(least);
    }
  });

  test("an MP3 of one channel has one", async () => {
    const found = await loadAudio(load("tone-mono.mp3"), "mono", 44100);
    expect(found.channels).toBe(1);
    const mixed = (await loadAudio(load("tone.wav"), "stereo", 44100)).samples;
    expect(signalToNoise(mixed, found.samples)).toBeGreaterThan(20);
  });

  test("Opus: at 48 kHz, without the samples that warm it up", async () => {
    const found = await decode(load("tone.opus"));
    expect(found.sampleRate).toBe(48000);
    expect(channel(found)).toHaveLength(14400);
    const reference = (await loadAudio(load("tone.wav"), "tone", 48000)).samples;
    const mixed = (await loadAudio(load("tone.opus"), "tone", 48000)).samples;
    expect(signalToNoise(reference, mixed)).toBeGreaterThan(15);
  });
});

describe("tags around the sound", () => {
  const id3 = (length: number) => {
    const tag = new Uint8Array(10 + length);
    tag.set([0x49, 0x44, 0x33, 4, 0, 0, 0, (length >> 14) & 0x7f, (length >> 7) & 0x7f, length & 0x7f]);
    return tag;
  };
  const id3v1 = new Uint8Array(128);
  id3v1.set([0x54, 0x41, 0x47]);

  test.each([0, 100, 200_000])("an ID3 tag of %i bytes before MP3 or FLAC", async (length) => {
    expect(channel(await decode(concatenate(id3(length), load("tone.mp3"))))).toHaveLength(13230);
    expect(channel(await decode(concatenate(id3(length), load("tone.flac"))))).toHaveLength(13230);
  });

  test("tags after MP3", async () => {
    const ape = new Uint8Array(200);
    ape.set(new TextEncoder().encode("APETAGEX"));
    for (const tail of [id3v1, concatenate(ape, id3v1)]) {
      const found = channel(await decode(concatenate(load("tone.mp3"), tail)));
      expect(found.subarray(0, 12000)).toEqual(channel(await decode(load("tone.mp3"))).subarray(0, 12000));
    }
  });
});

describe("refusing", () => {
  const text = (content: string) => new TextEncoder().encode(content.padEnd(64, "\0"));
  test.each([
    ["audio-format", "text", text("This is not a recording.")],
    ["audio-format", "M4A", text("\0\0\0\u0020ftypM4A ")],
    ["audio-format", "AIFF", text("FORM\0\0\0\0AIFF")],
    ["audio-format", "zeros", new Uint8Array(1000)],
    ["audio-format", "one byte", Uint8Array.of(0xff)],
    ["audio-truncated", "the start of FLAC", load("tone.flac").subarray(0, 20)],
    ["audio-truncated", "the start of Ogg", load("tone.ogg").subarray(0, 4)],
  ])("%s: %s", async (code, _, bytes) => {
    const diagnostic = await diagnosticOf(() => decode(bytes));
    expect(diagnostic.code).toBe(code);
    expect(diagnostic.message).toContain("a recording");
  });

  test("FLAC of which frames are missing", async () => {
    expect(await codeOf(() => decode(load("tone.flac").subarray(0, 17000)))).toBe("audio-truncated");
    const damaged = load("tone.flac").fill(0, 12000, 12100);
    expect(await codeOf(() => decode(damaged))).toMatch(/^audio-(truncated|undecodable)$/);
  });

  test.each(["tone.ogg", "tone.opus", "tone-ogg-flac.oga"])("%s of which one bit is wrong", async (name) => {
    const bytes = load(name);
    const middle = Math.floor(bytes.length / 2);
    bytes[middle] = (bytes[middle] ?? 0) ^ 1;
    expect(await codeOf(() => decode(bytes))).toBe("audio-undecodable");
  });

  test("two Ogg streams in one file", async () => {
    expect(await codeOf(() => decode(concatenate(load("tone.ogg"), load("tone.ogg"))))).toBe("audio-format");
  });

  test("MP3 that turns into noise", async () => {
    const random = repeatable(11);
    const bytes = load("tone.mp3").map((byte, index) => (index < 1500 ? byte : random(256)));
    expect(await codeOf(() => decode(bytes))).toBe("audio-undecodable");
  });

  test("nothing is printed, and damage ends in samples or in a diagnostic", async () => {
    const printed = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const random = repeatable(5);
    for (const name of ["tone.flac", "tone-ogg-flac.oga", "tone.mp3", "tone.ogg", "tone.opus"]) {
      for (let round = 0; round < 30; round++) {
        const damaged = load(name);
        for (let i = 0; i <= random(10); i++) damaged[random(damaged.length)] = random(256);
        const cut = round % 3 === 0 ? damaged.subarray(0, random(damaged.length)) : damaged;
        try {
          await decode(cut);
        } catch (error) {
          expect(await codeOf(() => Promise.reject(error))).toMatch(/^audio-/);
        }
      }
    }
    expect(printed).not.toHaveBeenCalled();
    printed.mockRestore();
  });
});
