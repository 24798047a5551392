/**
 * Sessions on onnxruntime, with models written by hand.
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { HostTensor } from "../../src/compiler/host-tensor.ts";
import { encodeModel } from "../../src/compiler/onnx/encode.ts";
import type { OnnxModel, OnnxNode, OnnxValueInfo } from "../../src/compiler/onnx/model.ts";
import { rawData } from "../../src/compiler/onnx/raw-data.ts";
import { DiagnosticError } from "../../src/lang/diagnostic.ts";
import { createOnnxSession, runtimeLogLevel, sessionSettings } from "../../src/runtime/onnx-session.ts";

const node = (
  opType: string,
  inputs: readonly string[],
  output: string,
  attributes: OnnxNode["attributes"] = {},
): OnnxNode => ({
  name: `block/${opType}_${output}`,
  opType,
  domain: "",
  inputs,
  outputs: [output],
  attributes,
});

const value = (name: string, elementType: OnnxValueInfo["elementType"], ...shape: (number | string)[]) => ({
  name,
  elementType,
  shape,
});

function modelOf(
  inputs: readonly OnnxValueInfo[],
  outputs: readonly OnnxValueInfo[],
  nodes: readonly OnnxNode[],
  initializers: OnnxModel["initializers"] = [],
): OnnxModel {
  return {
    name: "test",
    irVersion: 8,
    opsets: { "": 18 },
    producerName: "ossicle",
    producerVersion: "",
    documentation: "",
    metadata: {},
    inputs,
    outputs,
    nodes,
    initializers,
  };
}

const noWeights = () => Promise.reject(new Error("this model has no weights"));
const open = async (model: OnnxModel) =>
  createOnnxSession(await encodeModel(model, noWeights), { threads: 1 });

const f32 = (shape: readonly number[], ...values: number[]): HostTensor => ({
  dtype: "f32",
  shape,
  data: Float64Array.from(values),
});

const sum = modelOf(
  [value("a", "f32", "N", 2), value("b", "f32", 2)],
  [value("sum", "f32", "N", 2)],
  [node("Add", ["a", "b"], "sum")],
);

async function problemOf(action: Promise<unknown>) {
  const error = await action.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(DiagnosticError);
  return error instanceof DiagnosticError ? error.diagnostics : [];
}

describe("a session", () => {
  it("says what the model takes and gives, with symbols, and runs it at more than one size", async () => {
    const session = await open(sum);
    expect(session.inputs).toEqual([
      { name: "a", dtype: "f32", shape: ["N", 2] },
      { name: "b", dtype: "f32", shape: [2] },
    ]);
    expect(session.outputs).toEqual([{ name: "sum", dtype: "f32", shape: ["N", 2] }]);
    const b = f32([2], 10, 20);
    const one = await session.run(
      new Map([
        ["a", f32([1, 2], 1, 2)],
        ["b", b],
      ]),
    );
    expect(one.get("sum")).toEqual({ dtype: "f32", shape: [1, 2], data: Float32Array.of(11, 22) });
    const two = await session.run(
      new Map([
        ["a", f32([2, 2], 1, 2, 3, 4)],
        ["b", b],
      ]),
    );
    expect(two.get("sum")).toEqual({ dtype: "f32", shape: [2, 2], data: Float32Array.of(11, 22, 13, 24) });
    await session.release();
  });

  it("passes every element type in and out", async () => {
    const session = await open(
      modelOf(
        [value("long", "i64", 2), value("int", "i32", 2), value("flag", "bool", 2), value("real", "f32")],
        [value("long2", "i64", 2), value("int2", "i32", 2), value("flag2", "bool", 2), value("real2", "f32")],
        [
          node("Neg", ["long"], "long2"),
          node("Neg", ["int"], "int2"),
          node("Not", ["flag"], "flag2"),
          node("Neg", ["real"], "real2"),
        ],
      ),
    );
    const results = await session.run(
      new Map<string, HostTensor>([
        ["long", { dtype: "i64", shape: [2], data: Float64Array.of(2 ** 53, -1) }],
        ["int", { dtype: "i32", shape: [2], data: Int32Array.of(7, -8) }],
        ["flag", { dtype: "bool", shape: [2], data: Uint8Array.of(1, 0) }],
        ["real", f32([], 0.5)],
      ]),
    );
    expect(Object.fromEntries(results)).toEqual({
      long2: { dtype: "i64", shape: [2], data: Float64Array.of(-(2 ** 53), 1) },
      int2: { dtype: "i32", shape: [2], data: Int32Array.of(-7, 8) },
      flag2: { dtype: "bool", shape: [2], data: Uint8Array.of(0, 1) },
      real2: { dtype: "f32", shape: [], data: Float32Array.of(-0.5) },
    });
    await session.release();
  });

  it("says of every input that does not fit what was expected", async () => {
    const session = await open(sum);
    const problems = await problemOf(
      session.run(
        new Map([
          ["a", f32([2, 3], 1, 2, 3, 4, 5, 6)],
          ["c", f32([1], 1)],
        ]),
      ),
    );
    expect(problems.map(({ code, message }) => `${code}: ${message}`)).toEqual([
      "input-mismatch: The input `a` must be f32[N, 2], not f32[2, 3].",
      "input-mismatch: The input `b` (f32[2]) is missing.",
      "input-mismatch: The model has no input `c`.",
    ]);
    await session.release();
  });

  it("names the node that failed", async () => {
    const session = await open(
      modelOf(
        [value("a", "f32", "N"), value("b", "f32", "M")],
        [value("sum", "f32", "K")],
        [node("Add", ["a", "b"], "sum")],
      ),
    );
    const [problem] = await problemOf(
      session.run(
        new Map([
          ["a", f32([2], 1, 2)],
          ["b", f32([3], 1, 2, 3)],
        ]),
      ),
    );
    expect(problem?.code).toBe("onnxruntime-failed");
    expect(problem?.message).toBe("onnxruntime could not run the model: Add at block/Add_sum failed.");
    expect(problem?.notes.join()).toMatch(/broadcast/i);
    await session.release();
  });

  it("refuses what is no model, and a type that it cannot pass on", async () => {
    const [broken] = await problemOf(createOnnxSession(Uint8Array.of(1, 2, 3)));
    expect(broken?.code).toBe("onnxruntime-failed");
    const [missing] = await problemOf(createOnnxSession("/nowhere/model.onnx"));
    expect(missing?.notes.join()).toContain("/nowhere/model.onnx");
    const half = modelOf([value("x", "f16", 1)], [value("y", "f16", 1)], [node("Identity", ["x"], "y")]);
    const [unsupported] = await problemOf(open(half));
    expect(unsupported?.message).toBe("`x` of the model is float16, which cannot be passed in or out.");
  });
});

describe("files", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "ossicle-onnx-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("opens a model with weights beside it", async () => {
    const model = modelOf(
      [value("x", "f32", 2)],
      [value("y", "f32", 2)],
      [node("Add", ["x", "w"], "y")],
      [
        {
          name: "w",
          elementType: "f32",
          shape: [2],
          content: { kind: "external", location: "w.data", offset: 64 },
        },
      ],
    );
    const data = new Uint8Array(72);
    data.set(rawData(Float32Array.of(5, 6), "f32"), 64);
    await writeFile(join(folder, "w.data"), data);
    await writeFile(join(folder, "model.onnx"), await encodeModel(model, noWeights));
    const session = await createOnnxSession(join(folder, "model.onnx"), { threads: 1 });
    const results = await session.run(new Map([["x", f32([2], 1, 1)]]));
    expect(results.get("y")?.data).toEqual(Float32Array.of(6, 7));
    await session.release();
  });

  it("keeps the terminal quiet when a run fails", async () => {
    // onnxruntime writes to the process's own standard error, which only another process can see.
    const model = modelOf(
      [value("a", "f32", "N"), value("b", "f32", "M")],
      [value("sum", "f32", "K")],
      [node("Add", ["a", "b"], "sum")],
    );
    await writeFile(join(folder, "failing.onnx"), await encodeModel(model, noWeights));
    const script = (settings: object, logLevel: string) => `
      const { env, Tensor, InferenceSession } = require("onnxruntime-node");
      env.logLevel = "${logLevel}";
      InferenceSession.create(${JSON.stringify(join(folder, "failing.onnx"))}, ${JSON.stringify(settings)})
        .then((s) => s.run({ a: new Tensor("float32", [1, 2], [2]), b: new Tensor("float32", [1, 2, 3], [3]) }))
        .catch(() => console.log("failed"));`;
    const run = promisify(execFile);
    const loud = await run(process.execPath, ["-e", script({}, "warning")], { cwd: process.cwd() });
    const quiet = await run(process.execPath, ["-e", script(sessionSettings, runtimeLogLevel)], {
      cwd: process.cwd(),
    });
    expect(loud.stderr).toContain("block/Add_sum");
    expect(quiet).toEqual({ stdout: "failed\n", stderr: "" });
  });
});
