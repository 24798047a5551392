import { describe, expect, test } from "vitest";
import type { HostTensor } from "../../src/compiler/host-tensor.ts";
import { readNpy, writeNpy } from "../../src/runtime/npy.ts";
import { codeOf } from "./support.ts";

function file(header: string, data: ArrayLike<number>, version = 1): Uint8Array {
  const text = new TextEncoder().encode(`${header}\n`);
  const lengthBytes = version === 1 ? 2 : 4;
  const out = new Uint8Array(8 + lengthBytes + text.length + data.length);
  out.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0]);
  if (version === 1) new DataView(out.buffer).setUint16(8, text.length, true);
  else new DataView(out.buffer).setUint32(8, text.length, true);
  out.set(text, 8 + lengthBytes);
  out.set(Array.from(data), 8 + lengthBytes + text.length);
  return out;
}

const header = (descr: string, shape: string, order = "False") =>
  `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }`;

function bytesOf(length: number, fill: (view: DataView) => void): Uint8Array {
  const out = new Uint8Array(length);
  fill(new DataView(out.buffer));
  return out;
}

describe("reading", () => {
  test.each([1, 2, 3])("version %i", (version) => {
    const data = bytesOf(8, (view) => {
      view.setFloat32(0, 1.5, true);
      view.setFloat32(4, -2, true);
    });
    const expected = { dtype: "f32", shape: [2], data: Float32Array.of(1.5, -2) };
    expect(readNpy(file(header("<f4", "(2,)"), data, version), "a.npy")).toEqual(expected);
  });

  const one: [string, HostTensor, (view: DataView, little: boolean) => void, number][] = [
    ["f4", { dtype: "f32", shape: [], data: Float32Array.of(0.25) }, (v, l) => v.setFloat32(0, 0.25, l), 4],
    ["f8", { dtype: "f32", shape: [], data: Float64Array.of(0.1) }, (v, l) => v.setFloat64(0, 0.1, l), 8],
    ["f2", { dtype: "f16", shape: [], data: Float32Array.of(-5) }, (v, l) => v.setUint16(0, 0xc500, l), 2],
    ["i4", { dtype: "i32", shape: [], data: Int32Array.of(-9) }, (v, l) => v.setInt32(0, -9, l), 4],
    ["i8", { dtype: "i64", shape: [], data: Float64Array.of(-9) }, (v, l) => v.setBigInt64(0, -9n, l), 8],
    ["u1", { dtype: "i32", shape: [], data: Int32Array.of(200) }, (v) => v.setUint8(0, 200), 1],
    ["b1", { dtype: "bool", shape: [], data: Uint8Array.of(1) }, (v) => v.setUint8(0, 1), 1],
  ];
  test.each(one)("%s in both byte orders", (descriptor, expected, fill, length) => {
    for (const order of length === 1 ? ["|"] : ["<", ">"]) {
      const data = bytesOf(length, (view) => fill(view, order === "<"));
      expect(readNpy(file(header(order + descriptor, "()"), data), "a.npy")).toEqual(expected);
    }
  });

  test("column-major arrays become row-major", () => {
    // a[i, j, k] = 100 i + 10 j + k of shape (2, 3, 2), stored with i fastest.
    const stored: number[] = [];
    for (let k = 0; k < 2; k++)
      for (let j = 0; j < 3; j++) for (let i = 0; i < 2; i++) stored.push(100 * i + 10 * j + k);
    const tensor = readNpy(file(header("|u1", "(2, 3, 2)", "True"), stored), "a.npy");
    expect([...tensor.data]).toEqual([0, 1, 10, 11, 20, 21, 100, 101, 110, 111, 120, 121]);
  });

  test("an empty array", () => {
    expect(readNpy(file(header("<f4", "(0, 3)"), []), "a.npy")).toEqual({
      dtype: "f32",
      shape: [0, 3],
      data: new Float32Array(0),
    });
  });
});

describe("refusing", () => {
  const large = bytesOf(8, (view) => view.setBigInt64(0, 2n ** 60n, true));
  const cases: Record<string, readonly [string, Uint8Array]> = {
    "an empty file": ["npy-header", new Uint8Array(0)],
    "another format": ["npy-header", new TextEncoder().encode("PK and so on, long enough")],
    "an unknown version": ["npy-version", file(header("<f4", "(1,)"), [0, 0, 0, 0], 4)],
    "a header cut short": ["npy-header", file(header("<f4", "(1,)"), []).subarray(0, 30)],
    "a header that is not a dictionary": ["npy-header", file("hello", [])],
    records: ["npy-dtype", file("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", [])],
    "complex numbers": ["npy-dtype", file(header("<c8", "(1,)"), [])],
    "objects, which would run code": ["npy-dtype", file(header("|O", "(1,)"), [])],
    "data cut short": ["npy-length", file(header("<f4", "(2,)"), [0, 0, 0, 0])],
    "data too long": ["npy-length", file(header("|u1", "(1,)"), [0, 0])],
    "a shape beyond counting": ["npy-header", file(header("<f4", "(99999999999, 99999999999)"), [])],
    "an integer that doubles cannot hold": ["npy-integer", file(header("<i8", "(1,)"), large)],
  };
  test.each(Object.entries(cases))("%s", async (_, [code, bytes]) => {
    expect(await codeOf(() => readNpy(bytes, "a.npy"))).toBe(code);
  });
});

describe("writing", () => {
  const tensors: HostTensor[] = [
    { dtype: "f32", shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) },
    { dtype: "f16", shape: [2], data: Float32Array.of(1.5, -0.25) },
    { dtype: "i64", shape: [1, 3], data: Float64Array.of(1, -2, 2 ** 40) },
    { dtype: "i32", shape: [], data: Int32Array.of(7) },
    { dtype: "bool", shape: [2], data: Uint8Array.of(0, 1) },
  ];
  test.each(tensors)("$dtype $shape is read again", (tensor) => {
    const bytes = writeNpy(tensor);
    expect(readNpy(bytes, "a.npy")).toEqual(tensor);
    const headerLength = new DataView(bytes.buffer).getUint16(8, true);
    expect((10 + headerLength) % 64).toBe(0);
    expect(bytes[9 + headerLength]).toBe(0x0a);
  });

  test("the bytes are those that NumPy writes", () => {
    const bytes = writeNpy({ dtype: "f32", shape: [3], data: Float32Array.of(0, 0, 0) });
    const text = new TextDecoder("latin1").decode(bytes.subarray(10, 128));
    expect(bytes.length).toBe(128 + 12);
    expect(text.trimEnd()).toBe("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }");
  });

  test("what was computed in f64 is written as f32", () => {
    const bytes = writeNpy({ dtype: "f32", shape: [1], data: Float64Array.of(0.1) });
    expect(readNpy(bytes, "a.npy").data).toEqual(Float32Array.of(0.1));
  });
});
