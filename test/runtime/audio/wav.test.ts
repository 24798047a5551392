import { describe, expect, test } from "vitest";
import { decodeAudio } from "../../../src/runtime/audio/decode.ts";
import { loadAudio } from "../../../src/runtime/audio/load.ts";
import { openSafetensorsBytes } from "../../../src/runtime/safetensors.ts";
import { codeOf, diagnosticOf, fixture, repeatable } from "../support.ts";

interface WavOptions {
  readonly magic?: string;
  readonly code?: number;
  readonly channels?: number;
  readonly rate?: number;
  readonly bits?: number;
  readonly blockBytes?: number;
  readonly dataSize?: number;
  readonly extensible?: boolean;
  /** Whole chunks put before the format. */
  readonly before?: Uint8Array;
  readonly after?: Uint8Array;
}

function wav(data: Uint8Array, options: WavOptions = {}): Uint8Array {
  const { magic = "RIFF", code = 1, channels = 1, rate = 16000, bits = 16, extensible = false } = options;
  const little = magic !== "RIFX";
  const before = options.before ?? new Uint8Array();
  const after = options.after ?? new Uint8Array();
  const formatSize = extensible ? 40 : 16;
  const out = new Uint8Array(12 + before.length + 8 + formatSize + 8 + data.length + after.length);
  const view = new DataView(out.buffer);
  const text = (at: number, content: string) => out.set(new TextEncoder().encode(content), at);
  text(0, magic);
  view.setUint32(4, out.length - 8, little);
  text(8, "WAVE");
  out.set(before, 12);
  const at = 12 + before.length;
  text(at, "fmt ");
  view.setUint32(at + 4, formatSize, little);
  view.setUint16(at + 8, extensible ? 0xfffe : code, little);
  view.setUint16(at + 10, channels, little);
  view.setUint32(at + 12, rate, little);
  view.setUint16(at + 20, options.blockBytes ?? channels * Math.ceil(bits / 8), little);
  view.setUint16(at + 22, bits, little);
  if (extensible) view.setUint16(at + 32, code, little);
  const dataAt = at + 8 + formatSize;
  text(dataAt, "data");
  view.setUint32(dataAt + 4, options.dataSize ?? data.length, little);
  out.set(data, dataAt + 8);
  out.set(after, dataAt + 8 + data.length);
  return out;
}

function chunk(id: string, size: number, content: ArrayLike<number>): Uint8Array {
  const out = new Uint8Array(8 + content.length);
  out.set(new TextEncoder().encode(id));
  new DataView(out.buffer).setUint32(4, size, true);
  out.set(Array.from(content), 8);
  return out;
}

function samples(count: number, width: number, write: (view: DataView, index: number) => void): Uint8Array {
  const out = new Uint8Array(count * width);
  for (let i = 0; i < count; i++) write(new DataView(out.buffer, i * width, width), i);
  return out;
}

const decode = (bytes: Uint8Array) => decodeAudio(bytes, "a.wav");
const firstChannel = async (bytes: Uint8Array) => [...((await decode(bytes)).channels[0] ?? [])];
const int16 = samples(3, 2, (view, i) => view.setInt16(0, [-32768, 1, 32767][i] ?? 0, true));
const int16Values = [-1, 1 / 32768, 32767 / 32768];

describe("samples", () => {
  test("the golden recording is exactly int16 / 32768", async () => {
    const golden = await openSafetensorsBytes(
      "inputs",
      fixture("golden/fbank-speech-short/inputs.safetensors"),
    );
    const expected = (await golden.read("waveform")).data;
    const loaded = await loadAudio(fixture("golden/fbank-speech-short/audio.wav"), "audio.wav", 16000);
    expect(loaded.samples).toHaveLength(88908);
    expect(Buffer.compare(Buffer.from(loaded.samples.buffer), Buffer.from(expected.buffer))).toBe(0);
    expect(loaded).toMatchObject({ sourceRate: 16000, channels: 1, seconds: 88908 / 16000 });
  });

  test("8 bits, unsigned", async () => {
    expect(await firstChannel(wav(Uint8Array.of(0, 128, 129, 255), { bits: 8 }))).toEqual([
      -1,
      0,
      1 / 128,
      127 / 128,
    ]);
  });

  test("16 bits, in both byte orders", async () => {
    expect(await firstChannel(wav(int16))).toEqual(int16Values);
    const big = samples(3, 2, (view, i) => view.setInt16(0, [-32768, 1, 32767][i] ?? 0));
    expect(await firstChannel(wav(big, { magic: "RIFX" }))).toEqual(int16Values);
  });

  test("24 bits, in both byte orders", async () => {
    const little = Uint8Array.of(0, 0, 0x80, 1, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f);
    const expected = [-1, 2 ** -23, -(2 ** -23), 1 - 2 ** -23];
    expect(await firstChannel(wav(little, { bits: 24 }))).toEqual(expected);
    const big = Uint8Array.of(0x80, 0, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff);
    expect(await firstChannel(wav(big, { bits: 24, magic: "RIFX" }))).toEqual(expected);
  });

  test("32 bits", async () => {
    const data = samples(3, 4, (view, i) => view.setInt32(0, [-(2 ** 31), 2 ** 30, 256][i] ?? 0, true));
    expect(await firstChannel(wav(data, { bits: 32 }))).toEqual([-1, 0.5, 2 ** -23]);
  });

  test("floating point of 32 and 64 bits, beyond full scale too", async () => {
    const f32 = samples(2, 4, (view, i) => view.setFloat32(0, i === 0 ? -1.5 : 0.1, true));
    expect(await firstChannel(wav(f32, { code: 3, bits: 32 }))).toEqual([-1.5, Math.fround(0.1)]);
    const f64 = samples(2, 8, (view, i) => view.setFloat64(0, i === 0 ? 0.25 : 0.1, true));
    expect(await firstChannel(wav(f64, { code: 3, bits: 64 }))).toEqual([0.25, Math.fround(0.1)]);
  });

  test("the extensible form, and 20 bits in three bytes", async () => {
    expect(await firstChannel(wav(int16, { extensible: true }))).toEqual(int16Values);
    expect(await firstChannel(wav(Uint8Array.of(0, 0, 0x40), { bits: 20, extensible: true }))).toEqual([0.5]);
  });

  test("channels are taken apart, and mixed by their mean", async () => {
    const data = samples(6, 2, (view, i) => view.setInt16(0, [3, 6, 9, -3, -6, 0][i] ?? 0, true));
    const bytes = wav(data, { channels: 3 });
    const { channels } = await decode(bytes);
    expect(channels.map((plane) => [...plane].map((value) => value * 32768))).toEqual([
      [3, -3],
      [6, -6],
      [9, 0],
    ]);
    const mono = (await loadAudio(bytes, "a.wav", 16000)).samples;
    expect([...mono].map((value) => value * 32768)).toEqual([6, -3]);
  });
});

describe("chunks and sizes", () => {
  test("other chunks are passed over, padded or not when their size is odd", async () => {
    const padded = chunk("LIST", 3, [1, 2, 3, 0]);
    const unpadded = chunk("note", 3, [1, 2, 3]);
    for (const before of [padded, unpadded]) {
      expect(await firstChannel(wav(int16, { before, after: chunk("id3 ", 2, [0, 0]) }))).toEqual(
        int16Values,
      );
    }
  });

  test.each([0, 0x7fff_f000, 0x8000_0000, 0xffff_ffff])(
    "a data size of %i means unknown: all that is there",
    async (dataSize) => {
      expect(await firstChannel(wav(int16, { dataSize }))).toEqual(int16Values);
    },
  );

  test("RF64 has its size in another chunk", async () => {
    const content = new Uint8Array(28);
    new DataView(content.buffer).setBigUint64(8, 6n, true);
    const bytes = wav(int16, {
      magic: "RF64",
      dataSize: 0xffff_ffff,
      before: chunk("ds64", 28, content),
      after: int16,
    });
    expect(await firstChannel(bytes)).toEqual(int16Values);
  });

  test("part of a frame at the end is dropped, and may be promised", async () => {
    expect(await firstChannel(wav(Uint8Array.of(...int16, 7)))).toEqual(int16Values);
    expect(await firstChannel(wav(int16, { dataSize: 7 }))).toEqual(int16Values);
  });

  test("a view into a larger buffer is read from its own start", async () => {
    const bytes = wav(int16);
    const larger = new Uint8Array(bytes.length + 5);
    larger.set(bytes, 3);
    expect(await firstChannel(larger.subarray(3, 3 + bytes.length))).toEqual(int16Values);
  });
});

describe("refusing", () => {
  const nan = samples(3, 4, (view, i) => view.setFloat32(0, i === 2 ? Number.NaN : 0, true));
  const huge = samples(1, 8, (view) => view.setFloat64(0, 1e300, true));
  const cases: Record<string, readonly [string, Uint8Array]> = {
    "an empty file": ["audio-empty", new Uint8Array()],
    "no samples": ["audio-empty", wav(new Uint8Array())],
    "less than one frame": ["audio-empty", wav(Uint8Array.of(1))],
    "an empty data chunk before another chunk": [
      "audio-empty",
      wav(new Uint8Array(), { after: chunk("LIST", 4, [1, 2, 3, 4]) }),
    ],
    "a header and nothing more": ["audio-undecodable", wav(int16).subarray(0, 12)],
    "a format cut short": ["audio-undecodable", wav(int16).subarray(0, 30)],
    "no data chunk": ["audio-undecodable", wav(int16).subarray(0, 36)],
    "samples before the format": ["audio-undecodable", wav(int16, { before: chunk("data", 2, [0, 0]) })],
    "no channels": ["audio-undecodable", wav(int16, { channels: 0 })],
    "a frame size that contradicts the rest": ["audio-undecodable", wav(int16, { blockBytes: 3 })],
    "0 bits": ["audio-undecodable", wav(int16, { bits: 0 })],
    "40 bits": ["audio-undecodable", wav(new Uint8Array(10), { bits: 40 })],
    "floating point of 16 bits": ["audio-undecodable", wav(int16, { code: 3 })],
    "data cut short": ["audio-truncated", wav(int16, { dataSize: 1000 })],
    "µ-law": ["audio-format", wav(int16, { code: 7, bits: 8 })],
    "MP3 in WAV": ["audio-format", wav(int16, { code: 0x55 })],
    "a sample that is not a number": ["audio-not-finite", wav(nan, { code: 3, bits: 32 })],
    "a sample beyond single precision": ["audio-not-finite", wav(huge, { code: 3, bits: 64 })],
    "a rate of 0": ["audio-sample-rate", wav(int16, { rate: 0 })],
    "a rate of 4 GHz": ["audio-sample-rate", wav(int16, { rate: 4_000_000_000 })],
  };
  test.each(Object.entries(cases))("%s", async (_, [code, bytes]) => {
    const diagnostic = await diagnosticOf(() => decode(bytes));
    expect(diagnostic.code).toBe(code);
    expect(diagnostic.message).toContain("a.wav");
  });

  test("says where the first bad sample is", async () => {
    const { notes } = await diagnosticOf(() => decode(wav(nan, { code: 3, bits: 32, rate: 1000 })));
    expect(notes).toEqual(["NaN at 0.002 s of channel 1"]);
  });

  test("damaged headers end in samples or in a diagnostic", async () => {
    const bytes = wav(int16, { extensible: true, before: chunk("LIST", 3, [1, 2, 3, 0]) });
    const random = repeatable(3);
    for (let round = 0; round < 2000; round++) {
      const damaged = bytes.slice(0, 12 + random(bytes.length - 11));
      for (let i = 0; i <= random(4); i++) damaged[12 + random(damaged.length - 12)] = random(256);
      try {
        await decode(damaged);
      } catch (error) {
        expect(await codeOf(() => Promise.reject(error))).toMatch(/^audio-/);
      }
    }
  });
});
