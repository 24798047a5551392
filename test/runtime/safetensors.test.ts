import { describe, expect, test } from "vitest";
import type { HostTensor } from "../../src/compiler/host-tensor.ts";
import { type ByteSource, bytesSource } from "../../src/runtime/byte-source.ts";
import { openSafetensors, openSafetensorsBytes } from "../../src/runtime/safetensors.ts";
import { writeSafetensors } from "../../src/runtime/safetensors-writer.ts";
import { codeOf, collectingSink, diagnosticOf, fixture, repeatable } from "./support.ts";

/** A file with the header as given, in JSON or as text, and data of `dataLength` bytes. */
function file(header: unknown, data: number | ArrayLike<number> = 0): Uint8Array {
  const json = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const payload = typeof data === "number" ? new Uint8Array(data) : Uint8Array.from(data);
  const out = new Uint8Array(8 + json.length + payload.length);
  new DataView(out.buffer).setBigUint64(0, BigInt(json.length), true);
  out.set(json, 8);
  out.set(payload, 8 + json.length);
  return out;
}

const open = (bytes: Uint8Array) => openSafetensorsBytes("w.safetensors", bytes);
const entry = (dtype: string, shape: unknown, begin: unknown, end: unknown) => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

describe("reading", () => {
  test("a golden file, tensor by tensor", async () => {
    const source = await open(fixture("golden/fbank-edges/inputs.safetensors"));
    expect(source.names()).toContain("chirp_int16scale.waveform");
    expect(source.info("len559.waveform")).toEqual({ dtype: "f32", shape: [559] });
    const sine = await source.read("sine.waveform");
    expect(sine.data).toBeInstanceOf(Float32Array);
    expect(sine.data).toHaveLength(1200);
    const zeros = await source.read("zeros.waveform");
    expect(zeros.data.every((value) => value === 0)).toBe(true);
    expect(Math.max(...sine.data)).toBeGreaterThan(0.1);
    expect(source.info("nothing")).toBeUndefined();
  });

  test("only the header is read before a tensor is asked for, and then only that tensor", async () => {
    const bytes = file({ a: entry("F32", [2], 0, 8), b: entry("F32", [1], 8, 12) }, 12);
    const inner = bytesSource("w", bytes);
    const ranges: [number, number][] = [];
    const watched: ByteSource = {
      ...inner,
      read(offset, length) {
        ranges.push([offset, length]);
        return inner.read(offset, length);
      },
    };
    const source = await openSafetensors(watched);
    expect(ranges).toEqual([
      [0, 8],
      [8, bytes.length - 20],
    ]);
    await source.read("b");
    expect(ranges.at(-1)).toEqual([bytes.length - 4, 4]);
  });

  test("every element type, exactly", async () => {
    const data = new DataView(new ArrayBuffer(64));
    data.setFloat64(0, 0.1, true);
    data.setBigInt64(8, -(2n ** 53n) + 1n, true);
    data.setFloat32(16, 1.5, true);
    data.setInt32(20, -7, true);
    data.setUint32(24, 4294967295, true);
    data.setUint16(28, 0x3555, true); // f16 0.333251953125
    data.setUint16(30, 0xc0a0, true); // bf16 -5
    data.setInt16(32, -300, true);
    data.setUint16(34, 65535, true);
    data.setUint8(36, 200);
    data.setInt8(37, -100);
    data.setUint8(38, 1);
    const header = {
      __metadata__: { format: "pt" },
      f64: entry("F64", [1], 0, 8),
      i64: entry("I64", [], 8, 16),
      f32: entry("F32", [1, 1], 16, 20),
      i32: entry("I32", [1], 20, 24),
      u32: entry("U32", [1], 24, 28),
      f16: entry("F16", [1], 28, 30),
      bf16: entry("BF16", [1], 30, 32),
      i16: entry("I16", [1], 32, 34),
      u16: entry("U16", [1], 34, 36),
      u8: entry("U8", [1], 36, 37),
      i8: entry("I8", [1], 37, 38),
      bool: entry("BOOL", [1], 38, 39),
      none: entry("F32", [3, 0], 39, 39),
    };
    const source = await open(file(header, new Uint8Array(data.buffer, 0, 39)));
    expect(source.metadata).toEqual(new Map([["format", "pt"]]));
    const expected: Record<string, HostTensor> = {
      f64: { dtype: "f32", shape: [1], data: Float64Array.of(0.1) },
      i64: { dtype: "i64", shape: [], data: Float64Array.of(-Number.MAX_SAFE_INTEGER) },
      f32: { dtype: "f32", shape: [1, 1], data: Float32Array.of(1.5) },
      i32: { dtype: "i32", shape: [1], data: Int32Array.of(-7) },
      u32: { dtype: "i64", shape: [1], data: Float64Array.of(4294967295) },
      f16: { dtype: "f16", shape: [1], data: Float32Array.of(0.333251953125) },
      bf16: { dtype: "bf16", shape: [1], data: Float32Array.of(-5) },
      i16: { dtype: "i32", shape: [1], data: Int32Array.of(-300) },
      u16: { dtype: "i32", shape: [1], data: Int32Array.of(65535) },
      u8: { dtype: "i32", shape: [1], data: Int32Array.of(200) },
      i8: { dtype: "i32", shape: [1], data: Int32Array.of(-100) },
      bool: { dtype: "bool", shape: [1], data: Uint8Array.of(1) },
      none: { dtype: "f32", shape: [3, 0], data: new Float32Array(0) },
    };
    for (const [name, tensor] of Object.entries(expected)) {
      expect(await source.read(name), name).toEqual(tensor);
      expect(source.info(name)).toEqual({ dtype: tensor.dtype, shape: tensor.shape });
    }
  });

  test("what is read is a copy: changing it leaves the source as it was", async () => {
    const source = await open(file({ a: entry("F32", [1], 0, 4) }, 4));
    (await source.read("a")).data[0] = 9;
    expect((await source.read("a")).data[0]).toBe(0);
  });

  test("a name such as __proto__ is a name like any other", async () => {
    const source = await open(file('{"__proto__":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 4));
    expect(source.names()).toEqual(["__proto__"]);
    expect((await source.read("__proto__")).data).toHaveLength(1);
  });
});

describe("refusing", () => {
  const f32 = entry("F32", [1], 0, 4);
  const hugeLength = new Uint8Array(16);
  new DataView(hugeLength.buffer).setBigUint64(0, 100_000_001n, true);
  const longHeader = new Uint8Array(100);
  new DataView(longHeader.buffer).setBigUint64(0, 93n, true);
  const text = (content: string) => new TextEncoder().encode(content);

  const cases: Record<string, readonly [string, Uint8Array]> = {
    "an empty file": ["safetensors-header", new Uint8Array(0)],
    "a file shorter than the length": ["safetensors-header", new Uint8Array(7)],
    "a header beyond 100 MB": ["safetensors-header", hugeLength],
    "a header longer than the file": ["safetensors-truncated", longHeader],
    "a header that is not JSON": ["safetensors-header", file("{oops")],
    "a header that is not UTF-8": ["safetensors-header", file("{}").fill(0xff, 8)],
    "a header behind a byte order mark": ["safetensors-header", file("\ufeff{}")],
    "a header that is a list": ["safetensors-header", file("[]")],
    "an entry that is no object": ["safetensors-header", file({ a: 3 })],
    "metadata that is not text": ["safetensors-header", file({ __metadata__: { a: 1 } })],
    "metadata that is no object": ["safetensors-header", file({ __metadata__: "a" })],
    "a name given twice": [
      "safetensors-duplicate",
      file(`{"a":${JSON.stringify(f32)},"\\u0061":${JSON.stringify(f32)}}`, 4),
    ],
    "a field given twice": [
      "safetensors-duplicate",
      file('{"a":{"dtype":"F32","dtype":"I32","shape":[1],"data_offsets":[0,4]}}', 4),
    ],
    "an unknown element type": ["safetensors-dtype", file({ a: entry("F8_E4M3", [4], 0, 4) }, 4)],
    "an element type that an object inherits": [
      "safetensors-dtype",
      file({ a: entry("toString", [4], 0, 4) }, 4),
    ],
    "a negative size": ["safetensors-shape", file({ a: entry("F32", [-1], 0, 4) }, 4)],
    "a fraction as size": ["safetensors-shape", file({ a: entry("F32", [0.5], 0, 4) }, 4)],
    "no shape": ["safetensors-shape", file({ a: { dtype: "F32", data_offsets: [0, 4] } }, 4)],
    "a shape beyond counting": ["safetensors-shape", file({ a: entry("F32", [2 ** 40, 2 ** 40], 0, 4) }, 4)],
    "offsets that are missing": ["safetensors-offsets", file({ a: { dtype: "F32", shape: [1] } }, 4)],
    "offsets in reverse": ["safetensors-offsets", file({ a: entry("F32", [1], 4, 0) }, 4)],
    "offsets that are negative": ["safetensors-offsets", file({ a: entry("F32", [1], -4, 0) }, 4)],
    "a length that the shape contradicts": ["safetensors-length", file({ a: entry("F32", [2], 0, 4) }, 4)],
    "tensors that overlap": ["safetensors-overlap", file({ a: f32, b: entry("F32", [1], 2, 6) }, 6)],
    "two tensors in one place": ["safetensors-overlap", file({ a: f32, b: f32 }, 4)],
    "a gap between tensors": ["safetensors-gap", file({ a: f32, b: entry("F32", [1], 6, 10) }, 10)],
    "a gap before the first": ["safetensors-gap", file({ a: entry("F32", [1], 4, 8) }, 8)],
    "bytes after the last": ["safetensors-gap", file({ a: f32 }, 5)],
    "data cut short": ["safetensors-truncated", file({ a: f32 }, 3)],
    "a Git LFS pointer": [
      "safetensors-header",
      text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"),
    ],
    "a PyTorch archive": ["safetensors-header", text("PK\u0003\u0004abcdefghijk")],
    "a web page": ["safetensors-header", text("<!DOCTYPE html><html></html>")],
  };

  test.each(Object.entries(cases))("%s", async (_, [code, bytes]) => {
    const diagnostic = await diagnosticOf(() => open(bytes));
    expect(diagnostic.code).toBe(code);
    expect(diagnostic.message).toContain("w.safetensors");
    expect(diagnostic.hint).toBeTruthy();
  });

  test("integers that doubles cannot hold, booleans that are neither, names that are not there", async () => {
    const large = new Uint8Array(8);
    new DataView(large.buffer).setBigInt64(0, 2n ** 53n, true);
    const source = await open(
      file({ a: entry("I64", [1], 0, 8), b: entry("BOOL", [1], 8, 9) }, [...large, 2]),
    );
    expect(await codeOf(() => source.read("a"))).toBe("safetensors-integer");
    expect(await codeOf(() => source.read("b"))).toBe("safetensors-boolean");
    expect(await codeOf(() => source.read("c"))).toBe("safetensors-no-tensor");
  });

  test("every shortening of a golden file", async () => {
    const bytes = fixture("golden/fbank-edges/inputs.safetensors");
    for (let length = 0; length < bytes.length; length += 997) {
      expect(await codeOf(() => open(bytes.subarray(0, length)))).toMatch(/^safetensors-/);
    }
  });

  test("a damaged header is refused or gives tensors that can be read, nothing else", async () => {
    const bytes = fixture("golden/fbank-edges/inputs.safetensors");
    const random = repeatable(7);
    for (let round = 0; round < 400; round++) {
      const damaged = bytes.slice();
      for (let i = 0; i <= random(3); i++) damaged[random(936)] = random(256);
      try {
        const source = await open(damaged);
        for (const name of source.names()) await source.read(name);
      } catch (error) {
        expect(await codeOf(() => Promise.reject(error))).toMatch(/^safetensors-/);
      }
    }
  });
});

describe("writing", () => {
  const tensors: [string, HostTensor][] = [
    ["flags", { dtype: "bool", shape: [2], data: Uint8Array.of(1, 0) }],
    ["b.weight", { dtype: "f32", shape: [2, 1], data: Float64Array.of(0.1, -2) }],
    ["a.weight", { dtype: "f32", shape: [1], data: Float32Array.of(3) }],
    ["half", { dtype: "f16", shape: [2], data: Float32Array.of(1 / 3, 65504) }],
    ["brain", { dtype: "bf16", shape: [1], data: Float32Array.of(1 / 3) }],
    ["ids", { dtype: "i64", shape: [2], data: Float64Array.of(-1, 2 ** 52) }],
    ["count", { dtype: "i32", shape: [], data: Int32Array.of(-5) }],
  ];

  async function written(list: [string, HostTensor][], metadata?: [string, string][]): Promise<Uint8Array> {
    const sink = collectingSink();
    await writeSafetensors(new Map(list), sink, metadata && new Map(metadata));
    return sink.bytes();
  }

  test("what is written is read again, rounded to its dtype", async () => {
    const source = await open(await written(tensors, [["format", "ossicle"]]));
    expect(source.metadata.get("format")).toBe("ossicle");
    expect(source.names()).toEqual(["ids", "a.weight", "b.weight", "count", "brain", "half", "flags"]);
    expect((await source.read("b.weight")).data).toEqual(Float32Array.of(0.1, -2));
    expect((await source.read("half")).data).toEqual(Float32Array.of(0.333251953125, 65504));
    expect((await source.read("brain")).data).toEqual(Float32Array.of(0.333984375));
    expect((await source.read("ids")).data).toEqual(Float64Array.of(-1, 2 ** 52));
    expect((await source.read("flags")).data).toEqual(Uint8Array.of(1, 0));
    expect(await source.read("count")).toEqual({ dtype: "i32", shape: [], data: Int32Array.of(-5) });
  });

  test("the order of the map does not change a byte, and the data is aligned", async () => {
    const first = await written(tensors, [
      ["b", "1"],
      ["a", "2"],
    ]);
    const second = await written(tensors.toReversed(), [
      ["a", "2"],
      ["b", "1"],
    ]);
    expect(Buffer.compare(first, second)).toBe(0);
    expect(new DataView(first.buffer, first.byteOffset).getBigUint64(0, true) % 8n).toBe(0n);
  });

  test("no tensors make a file too", async () => {
    expect((await open(await written([]))).names()).toEqual([]);
  });

  test("a tensor that contradicts its shape is refused", async () => {
    const wrong: HostTensor = { dtype: "f32", shape: [2], data: new Float32Array(3) };
    expect(await codeOf(() => written([["a", wrong]]))).toBe("safetensors-write");
  });

  test("a golden file written again holds the same values", async () => {
    const source = await open(fixture("golden/fbank-speech-short/outputs.safetensors"));
    const all: [string, HostTensor][] = [];
    for (const name of source.names()) all.push([name, await source.read(name)]);
    const again = await open(await written(all));
    for (const [name, tensor] of all) {
      const copy = await again.read(name);
      expect(copy.shape).toEqual(tensor.shape);
      expect(Buffer.compare(Buffer.from(copy.data.buffer), Buffer.from(tensor.data.buffer))).toBe(0);
    }
  });
});
