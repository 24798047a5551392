/**
 * The bytes of an ONNX model, read back with onnx-proto's own decoder.
 */
import { createRequire } from "node:module";
import onnxProto from "onnx-proto";
import { describe, expect, it } from "vitest";
import { encodedLength, encodeModel, writeModel } from "../../src/compiler/onnx/encode.ts";
import type { OnnxModel } from "../../src/compiler/onnx/model.ts";
import { rawData, smallFloatBits } from "../../src/compiler/onnx/raw-data.ts";

const { onnx } = onnxProto;

const model: OnnxModel = {
  name: "prefill",
  irVersion: 8,
  opsets: { "": 18 },
  producerName: "ossicle",
  producerVersion: "1.2.3",
  documentation: "Größe: 12 µs",
  metadata: { "ossicle.guards": '["N <= 4"]' },
  inputs: [{ name: "audio", elementType: "f32", shape: [1, "floor((T - 400)/160) + 1", 0] }],
  outputs: [
    { name: "logits", elementType: "f16", shape: [] },
    { name: "kept", elementType: "i64", shape: ["N"] },
  ],
  nodes: [
    {
      name: "encoder.layer.3/everything",
      opType: "Everything",
      domain: "",
      inputs: ["audio", "", "weight"],
      outputs: ["logits", "kept"],
      attributes: {
        text: { kind: "string", value: "naïve" },
        whole: { kind: "int", value: -3 },
        large: { kind: "int", value: 2 ** 53 - 1 },
        zero: { kind: "int", value: 0 },
        real: { kind: "float", value: 0.1 },
        list: { kind: "ints", values: [0, -1, 2 ** 40] },
        reals: { kind: "floats", values: [0.5, -2] },
        none: { kind: "ints", values: [] },
      },
    },
  ],
  initializers: [
    {
      name: "shape",
      elementType: "i64",
      shape: [2],
      content: { kind: "bytes", bytes: rawData(Float64Array.of(-1, 2 ** 40), "i64") },
    },
    { name: "weight", elementType: "f32", shape: [2, 2], content: { kind: "weight", key: "7" } },
    { name: "empty", elementType: "f32", shape: [0], content: { kind: "bytes", bytes: new Uint8Array(0) } },
    {
      name: "far",
      elementType: "bf16",
      shape: [3, 5],
      content: { kind: "external", location: "a.data", offset: 2 ** 33 },
    },
  ],
};

const weight = Float32Array.of(1, -0, 1e-40, Number.NaN);
const readWeight = async (key: string) => {
  expect(key).toBe("7");
  return rawData(weight, "f32");
};

/** The decoded message as plain data: numbers for int64, arrays for bytes. */
function decoded(bytes: Uint8Array): unknown {
  const message = onnx.ModelProto.decode(bytes);
  return onnx.ModelProto.toObject(message, { longs: Number, bytes: Array });
}

const utf8 = (text: string) => [...new TextEncoder().encode(text)];

describe("encoding", () => {
  it("keeps everything that a model says", async () => {
    expect(decoded(await encodeModel(model, readWeight))).toEqual({
      irVersion: 8,
      opsetImport: [{ domain: "", version: 18 }],
      producerName: "ossicle",
      producerVersion: "1.2.3",
      docString: "Größe: 12 µs",
      metadataProps: [{ key: "ossicle.guards", value: '["N <= 4"]' }],
      graph: {
        name: "prefill",
        node: [
          {
            name: "encoder.layer.3/everything",
            opType: "Everything",
            input: ["audio", "", "weight"],
            output: ["logits", "kept"],
            attribute: [
              { name: "large", type: 2, i: 2 ** 53 - 1 },
              { name: "list", type: 7, ints: [0, -1, 2 ** 40] },
              { name: "none", type: 7 },
              { name: "real", type: 1, f: Math.fround(0.1) },
              { name: "reals", type: 6, floats: [0.5, -2] },
              { name: "text", type: 3, s: utf8("naïve") },
              { name: "whole", type: 2, i: -3 },
              { name: "zero", type: 2, i: 0 },
            ],
          },
        ],
        input: [
          {
            name: "audio",
            type: {
              tensorType: {
                elemType: 1,
                shape: { dim: [{ dimValue: 1 }, { dimParam: "floor((T - 400)/160) + 1" }, { dimValue: 0 }] },
              },
            },
          },
        ],
        output: [
          { name: "logits", type: { tensorType: { elemType: 10, shape: {} } } },
          { name: "kept", type: { tensorType: { elemType: 7, shape: { dim: [{ dimParam: "N" }] } } } },
        ],
        initializer: [
          {
            name: "shape",
            dataType: 7,
            dims: [2],
            rawData: [...rawData(Float64Array.of(-1, 2 ** 40), "i64")],
          },
          { name: "weight", dataType: 1, dims: [2, 2], rawData: [...new Uint8Array(weight.buffer)] },
          { name: "empty", dataType: 1, dims: [0], rawData: [] },
          {
            name: "far",
            dataType: 16,
            dims: [3, 5],
            dataLocation: 1,
            externalData: [
              { key: "location", value: "a.data" },
              { key: "offset", value: "8589934592" },
              { key: "length", value: "30" },
            ],
          },
        ],
      },
    });
  });

  it("gives the same bytes for the same model, whatever order attributes were written in", async () => {
    const reordered = model.nodes.map((node) => ({
      ...node,
      attributes: Object.fromEntries(Object.entries(node.attributes).reverse()),
    }));
    const first = await encodeModel(model, readWeight);
    expect(await encodeModel({ ...model, nodes: reordered }, readWeight)).toEqual(first);
  });

  it("says beforehand how long the file will be, and hands weights on without copying them", async () => {
    const held = new Uint8Array(weight.buffer);
    const written: Uint8Array[] = [];
    await writeModel(model, async () => held, {
      write: async (bytes) => {
        written.push(bytes);
      },
    });
    expect(written).toContain(held);
    expect(written.reduce((total, bytes) => total + bytes.length, 0)).toBe(encodedLength(model));
  });

  it("counts lengths beyond 32 bits, which only the size is asked of", () => {
    const huge = {
      name: "huge",
      elementType: "f32",
      shape: [2 ** 31],
      content: { kind: "weight", key: "h" },
    } as const;
    const bare = encodedLength({ ...model, initializers: [] });
    const length = encodedLength({ ...model, initializers: [huge] });
    expect(length - bare).toBeGreaterThan(2 ** 33);
    expect(length - bare).toBeLessThan(2 ** 33 + 64);
  });

  it("refuses a weight whose bytes do not fit its type", async () => {
    await expect(encodeModel(model, async () => new Uint8Array(12))).rejects.toThrow("12 bytes");
  });
});

describe("protobufjs", () => {
  it("is one copy, newer than the one that onnx-proto asks for", () => {
    const own = createRequire(import.meta.url);
    const asked = createRequire(own.resolve("onnx-proto"));
    expect(asked.resolve("protobufjs/minimal")).toBe(own.resolve("protobufjs/minimal"));
    const { version } = own("protobufjs/package.json") as { version: string };
    expect(Number.parseInt(version, 10)).toBeGreaterThanOrEqual(8);
  });
});

describe("raw data", () => {
  it.each([
    ["f32", [1.5, -2], [0, 0, 192, 63, 0, 0, 0, 192]],
    ["f64", [1.5], [0, 0, 0, 0, 0, 0, 248, 63]],
    ["i32", [-2], [254, 255, 255, 255]],
    ["i64", [-2], [254, 255, 255, 255, 255, 255, 255, 255]],
    ["bool", [0, 1, 3], [0, 1, 1]],
    ["f16", [1, -2], [0, 60, 0, 192]],
    ["bf16", [1, -2], [128, 63, 0, 192]],
  ] as const)("lays out %s little-endian", (elementType, values, bytes) => {
    expect([...rawData(Float64Array.from(values), elementType)]).toEqual(bytes);
  });

  it("does not copy what already lies right", () => {
    const data = Float32Array.of(1, 2, 3).subarray(1);
    const bytes = rawData(data, "f32");
    expect(bytes.buffer).toBe(data.buffer);
    expect(bytes.byteOffset).toBe(4);
    expect(bytes.length).toBe(8);
  });

  // Values and bits from IEEE 754: limits, ties, subnormals and what overflows.
  it.each([
    [65504, 0x7bff],
    [65519.99, 0x7bff],
    [65520, 0x7c00],
    [Number.POSITIVE_INFINITY, 0x7c00],
    [Number.NEGATIVE_INFINITY, 0xfc00],
    [Number.MAX_VALUE, 0x7c00],
    [-0, 0x8000],
    [2 ** -24, 0x0001],
    [2 ** -25, 0x0000],
    [2 ** -25 * 1.0001, 0x0001],
    [2 ** -14, 0x0400],
    [2 ** -14 - 2 ** -26, 0x0400],
    [1 + 2 ** -11, 0x3c00],
    [1 + 3 * 2 ** -11, 0x3c02],
    [1.9999, 0x4000],
    [5e-324, 0x0000],
  ])("rounds %d to the nearest half-precision number", (value, bits) => {
    expect(smallFloatBits(value, 10, 15).toString(16)).toBe(bits.toString(16));
  });

  it.each([
    [1 + 2 ** -8, 0x3f80],
    [1 + 3 * 2 ** -8, 0x3f82],
    [3.3895313892515355e38, 0x7f7f],
    [3.4e38, 0x7f80],
    [2 ** -133, 0x0001],
    [2 ** -126, 0x0080],
  ])("rounds %d to the nearest bfloat16 number", (value, bits) => {
    expect(smallFloatBits(value, 7, 127).toString(16)).toBe(bits.toString(16));
  });

  it("keeps NaN a NaN", () => {
    expect(smallFloatBits(Number.NaN, 10, 15)).toBe(0x7e00);
    expect(smallFloatBits(Number.NaN, 7, 127)).toBe(0x7fc0);
  });
});
