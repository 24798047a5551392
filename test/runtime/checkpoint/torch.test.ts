/** PyTorch checkpoints: what they hold is read, and whatever else they would do is refused. */
import { describe, expect, test } from "vitest";
import { DiagnosticError } from "../../../src/lang/diagnostic.ts";
import { bytesSource } from "../../../src/runtime/byte-source.ts";
import { isOldTorch, openTorch } from "../../../src/runtime/checkpoint/torch.ts";
import { toBf16Bits, toF16Bits } from "../../../src/runtime/half.ts";
import {
  type Bytes,
  op,
  pickled,
  stateDict,
  stored,
  type TorchTensor,
  tensorOf,
  torchFile,
  zipOf,
} from "../../support/torch-file.ts";
import { codeOf, diagnosticOf, repeatable } from "../support.ts";

const open = (bytes: Uint8Array) => openTorch(bytesSource("model.pt", bytes));
const six = stored(Float32Array.of(1, 2, 3, 4, 5, 6));
const float = (more: Partial<TorchTensor> = {}): TorchTensor => ({
  type: "torch.FloatStorage",
  key: "0",
  shape: [2, 3],
  strides: [3, 1],
  ...more,
});
const one = (more: Partial<TorchTensor> = {}, data: Bytes = six): Uint8Array =>
  torchFile(pickled(stateDict({ "layer.weight": float(more) })), { 0: data });

async function values(bytes: Uint8Array, name = "layer.weight") {
  const { dtype, shape, data } = await (await open(bytes)).read(name);
  return { dtype, shape, data: [...data] };
}

describe("tensors", () => {
  test.each([false, true])("of a state_dict, with the sizes of a large archive: %s", async (wide) => {
    const file = torchFile(
      pickled(stateDict({ a: float(), b: float({ parameter: true }) })),
      { 0: six },
      { wide },
    );
    const source = await open(file);
    expect(source.names()).toEqual(["a", "b"]);
    expect(source.info("a")).toEqual({ dtype: "f32", shape: [2, 3] });
    expect([...(await source.read("b")).data]).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await codeOf(() => source.read("c"))).toBe("torch-no-tensor");
  });

  test.each<[string, Partial<TorchTensor>, number[]]>([
    ["transposed", { shape: [3, 2], strides: [1, 3] }, [1, 4, 2, 5, 3, 6]],
    ["a part", { shape: [2], strides: [1], offset: 3 }, [4, 5]],
    ["every other", { shape: [3], strides: [2], offset: 1 }, [2, 4, 6]],
    ["repeated", { shape: [2, 2], strides: [0, 1], offset: 4 }, [5, 6, 5, 6]],
    ["a single number", { shape: [], strides: [], offset: 2 }, [3]],
    ["nothing", { shape: [0, 3], strides: [3, 1], offset: 6 }, []],
  ])("that are views of one storage: %s", async (_, view, data) => {
    expect(await values(one(view))).toEqual({ dtype: "f32", shape: view.shape, data });
  });

  test.each<[string, Bytes, string, number[]]>([
    ["torch.HalfStorage", stored(Uint16Array.of(toF16Bits(0.5), toF16Bits(-3))), "f16", [0.5, -3]],
    ["torch.BFloat16Storage", stored(Uint16Array.of(toBf16Bits(0.5), toBf16Bits(-3))), "bf16", [0.5, -3]],
    ["torch.DoubleStorage", stored(Float64Array.of(0.1, 2)), "f32", [0.1, 2]],
    ["torch.LongStorage", stored(BigInt64Array.of(7n, -9n)), "i64", [7, -9]],
    ["torch.BoolStorage", stored(Uint8Array.of(1, 0)), "bool", [1, 0]],
  ])("of %s", async (type, data, dtype, numbers) => {
    expect(await values(one({ type, shape: [2], strides: [1] }, data))).toMatchObject({
      dtype,
      data: numbers,
    });
  });

  test("are found beside an optimiser, by the name that training programs give", async () => {
    const whole = op.dict([
      [op.text("epoch"), op.int(3)],
      [op.text("model"), stateDict({ "head.bias": float({ shape: [6], strides: [1] }) })],
      [op.text("optimizer"), op.dict([[op.text("state"), op.dict([[op.int(0), tensorOf(float())]])]])],
    ]);
    const source = await open(torchFile(pickled(whole), { 0: six }));
    expect(source.names()).toEqual(["head.bias"]);
  });

  test("of nested dictionaries have dotted names", async () => {
    const whole = op.dict([[op.text("lm"), op.dict([[op.text("w"), tensorOf(float())]])]]);
    expect((await open(torchFile(pickled(whole), { 0: six }))).names()).toEqual(["lm.w"]);
  });
});

describe("what would run is refused, and says what it is", () => {
  const hostile: readonly (readonly [string, Bytes, RegExp])[] = [
    ["a call of the system", op.call("os.system", op.text("true")), /"os\.system"/],
    ["the same by its real name", op.call("posix.system", op.text("true")), /"posix\.system"/],
    ["evaluation", op.call("builtins.eval", op.text("1")), /"builtins\.eval"/],
    ["a name from the stack", [...op.text("os"), ...op.text("system"), 0x93], /"os\.system"/],
    ["another part of torch", op.call("torch._utils._rebuild_device_tensor_from_numpy"), /_rebuild_device/],
    ["a lookup of an attribute", op.call("builtins.getattr", op.text("x")), /getattr/],
    ["a method of what is allowed", op.global("torch.FloatStorage.__reduce__"), /__reduce__/],
    ["a class made by an opcode", [...op.mark, ...op.raw("ios\nsystem\n")], /opcode 0x69/],
    [
      "an object made by an opcode",
      [...op.global("collections.OrderedDict"), ...op.raw(")"), 0x81],
      /opcode 0x81/,
    ],
    ["an object made from a mark", [...op.mark, ...op.raw("o")], /opcode 0x6f/],
    ["an extension", [0x82, 1], /opcode 0x82/],
    ["a call of what was made", [...tensorOf(float()), ...op.raw(")R")], /calls what is no global/],
    ["a state for a tensor", [...tensorOf(float()), ...op.raw("}b")], /gives an object a state/],
    ["a number in words", op.raw("I1\n"), /opcode 0x49/],
  ];
  test.each(hostile)("%s", async (_, bytes, words) => {
    const weight = op.dict([[op.text("w"), bytes]]);
    for (const description of [pickled(bytes), pickled(weight)]) {
      const diagnostic = await diagnosticOf(() => open(torchFile(description, { 0: six })));
      expect(diagnostic.code).toBe("pickle-refused");
      expect(diagnostic.message).toMatch(words);
    }
  });

  test("a tensor is only what describes one", async () => {
    const reduced = op.dict([[op.text("w"), op.call("collections.OrderedDict", op.int(1))]]);
    expect(await codeOf(() => open(torchFile(pickled(reduced), {})))).toBe("torch-format");
    const noNumbers = op.call("torch._utils._rebuild_tensor_v2", op.text("x"));
    expect(await codeOf(() => open(torchFile(pickled(noNumbers), {})))).toBe("torch-format");
    const parameter = op.call("torch._utils._rebuild_parameter", op.int(1));
    expect(await codeOf(() => open(torchFile(pickled(parameter), {})))).toBe("torch-format");
  });
});

describe("what can't be is refused before anything is read", () => {
  test.each<[string, Partial<TorchTensor>]>([
    ["beyond its storage", { offset: 1 }],
    ["by its strides", { strides: [4, 1] }],
    ["before its storage", { offset: -1 }],
    ["back through its storage", { strides: [-3, 1] }],
    ["of more elements than there are bytes", { shape: [100_000, 100_000], strides: [0, 0] }],
    ["of more elements than can be counted", { shape: [2 ** 30, 2 ** 30], strides: [0, 0] }],
    ["with a stride too few", { strides: [1] }],
    ["without its numbers", { key: "7" }],
    ["of numbers from another folder", { key: "../data.pkl" }],
  ])("a tensor %s", async (_, view) => {
    expect(await codeOf(() => open(one(view)))).toBe("torch-format");
  });

  test.each<[string, Bytes]>([
    ["ends early", [...op.start, ...op.text("x").slice(0, 7)]],
    ["has nothing to give", pickled()],
    ["gives too much", pickled(op.int(1), op.int(2))],
    ["recalls what it never had", pickled(op.get(9))],
    ["counts from no mark", pickled(op.raw("t"))],
    ["appends to a number", pickled(op.int(1), op.int(2), op.raw("a"))],
    ["promises a text longer than itself", [...op.start, 0x58, 255, 255, 255, 127, 65]],
    ["is of a protocol to come", [0x80, 9, ...op.stop]],
  ])("a pickle that %s", async (_, description) => {
    expect(await codeOf(() => open(torchFile(description, {})))).toBe("pickle-damaged");
  });

  test("dictionaries that lie in themselves, or too deep", async () => {
    const inItself = [...op.raw("}"), ...op.put(0), ...op.text("a"), ...op.get(0), ...op.raw("s")];
    expect(await codeOf(() => open(torchFile(pickled(inItself), {})))).toBe("torch-format");
    let deep = tensorOf(float());
    for (let i = 0; i < 200; i++) deep = op.dict([[op.text("a"), deep]]);
    expect(await codeOf(() => open(torchFile(pickled(deep), { 0: six })))).toBe("torch-format");
  });

  test("archives of other kinds", async () => {
    const files = [["word/document.xml", op.raw("<x/>")]] as const;
    expect(await codeOf(() => open(zipOf(files)))).toBe("torch-format");
    expect(await codeOf(() => open(zipOf(files, { method: 8 })))).toBe("zip-unsupported");
    expect(await codeOf(() => open(zipOf(files, { flags: 1 })))).toBe("zip-unsupported");
    const twice = [...files, ...files];
    expect(await codeOf(() => open(zipOf(twice)))).toBe("zip-damaged");
    const big = [
      ["a/data.pkl", pickled(op.int(1))],
      ["a/byteorder", op.raw("big")],
    ] as const;
    expect(await codeOf(() => open(zipOf(big)))).toBe("torch-format");
  });

  test("formats of before version 1.6 are known by their first bytes", () => {
    expect(isOldTorch(Uint8Array.of(0x80, 2, 0x8a, 10))).toBe(true);
    const tar = new Uint8Array(512);
    tar.set([...op.raw("ustar")], 257);
    expect(isOldTorch(tar)).toBe(true);
    expect(isOldTorch(one())).toBe(false);
  });

  test("damaged anywhere, it is read or refused in words, never anything else", async () => {
    const whole = torchFile(pickled(stateDict({ a: float(), b: float({ parameter: true }) })), { 0: six });
    const attempt = async (bytes: Uint8Array): Promise<void> => {
      try {
        const source = await open(bytes);
        for (const name of source.names()) await source.read(name);
      } catch (error) {
        if (!(error instanceof DiagnosticError)) throw error;
      }
    };
    for (let length = 0; length < whole.length; length += 7) await attempt(whole.slice(0, length));
    const random = repeatable(3);
    for (let round = 0; round < 1500; round++) {
      const bytes = whole.slice();
      for (let i = 0; i <= random(3); i++) bytes[random(bytes.length)] = random(256);
      await attempt(bytes);
    }
  });
});
