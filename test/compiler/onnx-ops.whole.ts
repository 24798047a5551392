/**
 * Every sample of every op: onnxruntime against the op's reference, with numbers for dimensions and
 * with symbols, at two sizes, in every profile that the op has a lowering for.
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Graph } from "../../src/compiler/graph.ts";
import { GraphBuilder } from "../../src/compiler/graph-builder.ts";
import type { HostTensor } from "../../src/compiler/host-tensor.ts";
import { compileOnnx } from "../../src/compiler/onnx/compile.ts";
import type { OnnxProfile } from "../../src/compiler/onnx/context.ts";
import { encodeModel } from "../../src/compiler/onnx/encode.ts";
import { bindAttributes } from "../../src/compiler/ops/attributes.ts";
import { ops } from "../../src/compiler/ops/index.ts";
import type { OpDefinition, Sample, Tolerance } from "../../src/compiler/ops/op.ts";
import type { Attributes, AttributeValue, Requirement } from "../../src/lang/catalog.ts";
import { Dim } from "../../src/lang/dims.ts";
import { createOnnxSession } from "../../src/runtime/onnx-session.ts";
import { noWeights } from "../support/no-weights.ts";
import { fillOperand, randomNumbers } from "../support/samples.ts";

type Bindings = ReadonlyMap<string, number>;

/** A one-node graph of the sample, its operands as inputs `x0`, `x1`, … */
interface Case {
  readonly graph: Graph;
  readonly bindings: readonly Bindings[];
}

/** How sizes become symbols: `D3` stands for 3. */
type Naming = (size: number, operand: number, axis: number) => Dim;

const supported = ops.filter((op) => typeof op.onnx === "function");

function build(op: OpDefinition, sample: Sample, naming: Naming, attributes: Attributes): Graph {
  const builder = new GraphBuilder(op.name);
  const origin = { path: "block", span: undefined };
  const inputs = sample.operands.map((operand, index) => {
    const shape = operand.shape.map((size, axis) => naming(size, index, axis));
    return builder.input(`x${index}`, { dtype: operand.dtype, shape }, origin);
  });
  const inference = op.infer(
    inputs.map((input) => input.type),
    attributes,
  );
  if (inference.ok) for (const requirement of inference.requirements) builder.require(requirement, origin);
  const results = builder.apply(op, inputs, attributes, origin);
  const symbols = [
    ...new Set(inputs.flatMap((input) => input.type.shape.flatMap((dim) => [...dim.symbols()]))),
  ];
  return builder.finish(
    results.map((value, index) => ({ name: `y${index}`, value })),
    symbols.map((name) => ({ name, minimum: 0 })),
  );
}

const fixed: Naming = (size) => Dim.of(size);

function fixedCase(op: OpDefinition, sample: Sample): Case {
  return { graph: build(op, sample, fixed, sample.attributes), bindings: [new Map()] };
}

/**
 * The sample with a symbol for each first dimension, and wherever else that size stands; or, where
 * the op does not allow that, for the first dimension of the first operand alone.
 */
function symbolicCase(op: OpDefinition, sample: Sample): Case | undefined {
  const first = [...new Set(sample.operands.map((operand) => operand.shape[0] ?? 1))].filter(
    (size) => size > 1,
  );
  if (first.length === 0 || sample.operands.some((operand) => operand.values?.kind === "given"))
    return undefined;
  const named = (size: number) => (first.includes(size) ? Dim.symbol(`D${size}`) : Dim.of(size));
  const alone: Naming = (size, operand, axis) => (operand === 0 && axis === 0 ? named(size) : Dim.of(size));
  const bindings = [0, 2].map((more) => new Map(first.map((size) => [`D${size}`, size + more])));
  const attempts = [
    () =>
      build(
        op,
        sample,
        named,
        mapDims(sample.attributes, (dim) => named(dim.constant ?? 0)),
      ),
    () => build(op, sample, named, sample.attributes),
    () => build(op, sample, alone, sample.attributes),
  ];
  for (const attempt of attempts) {
    try {
      const graph = attempt();
      const open = graph.inputs.some((input) =>
        input.value.type.shape.some((dim) => dim.constant === undefined),
      );
      const allowed = bindings.filter((sizes) =>
        graph.guards.every((guard) => holds(guard.requirement, sizes)),
      );
      if (open && allowed.length === bindings.length) return { graph, bindings };
    } catch {
      // The op refuses these types: the next way of naming asks for less.
    }
  }
  return undefined;
}

function mapDims(attributes: Attributes, change: (dim: Dim) => Dim): Attributes {
  const each = (value: AttributeValue): AttributeValue => {
    if (value instanceof Dim) return change(value);
    if (typeof value !== "object") return value;
    const dims = value.filter((item) => item instanceof Dim);
    return dims.length === value.length ? dims.map(change) : value;
  };
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, each(value)]));
}

function holds({ kind, left, right }: Requirement, sizes: Bindings): boolean {
  const [a, b] = [left.evaluate(sizes), right.evaluate(sizes)];
  if (kind === "equal") return a === b;
  return kind === "at-most" ? a <= b : b % a === 0;
}

async function check(
  op: OpDefinition,
  sample: Sample,
  { graph, bindings }: Case,
  profile: OnnxProfile,
): Promise<Uint8Array> {
  const artefact = compileOnnx([graph], noWeights, { profile });
  const [file] = artefact.models;
  if (!file) throw new Error("no model was made");
  const bytes = await encodeModel(file.model, () => Promise.reject(new Error("this model has no weights")));
  const session = await createOnnxSession(bytes, { threads: 1 });
  for (const sizes of bindings) {
    const operands = operandsFor(graph, sample, sizes);
    const inputs = new Map(operands.map((tensor, index) => [`x${index}`, tensor]));
    const got = await session.run(inputs);
    expectedResults(op, graph, operands, sizes).forEach((want, index) => {
      expectClose(got.get(`y${index}`), want, op.tolerance);
    });
  }
  await session.release();
  return bytes;
}

function operandsFor(graph: Graph, sample: Sample, sizes: Bindings): readonly HostTensor[] {
  const random = randomNumbers(7);
  return sample.operands.map((operand, index) => {
    const shape = graph.inputs[index]?.value.type.shape.map((dim) => dim.evaluate(sizes)) ?? [];
    return fillOperand({ ...operand, shape }, random);
  });
}

function expectedResults(op: OpDefinition, graph: Graph, operands: readonly HostTensor[], sizes: Bindings) {
  const [node] = graph.nodes;
  if (!node) throw new Error(`${op.name} left no node`);
  return op.reference(operands, {
    attributes: bindAttributes(node.attributes, sizes),
    results: node.results.map(({ type }) => ({
      dtype: type.dtype,
      shape: type.shape.map((dim) => dim.evaluate(sizes)),
    })),
    meter: { mac: (accumulator, a, b) => accumulator + a * b, add: () => {} },
  });
}

function expectClose(got: HostTensor | undefined, want: HostTensor, tolerance: Tolerance): void {
  expect(got?.dtype).toBe(want.dtype);
  expect(got?.shape).toEqual(want.shape);
  want.data.forEach((value, index) => {
    const found = got?.data[index] ?? Number.NaN;
    if (Object.is(value, found) || value === found) return;
    const off = Math.abs(found - value);
    if (!(off <= tolerance.absolute + tolerance.relative * Math.abs(value))) {
      expect.fail(`element ${index} is ${found} where the reference has ${value}`);
    }
  });
}

const profilesOf = (op: OpDefinition): readonly OnnxProfile[] =>
  op.ort === undefined ? ["portable"] : ["portable", "ort"];
const lowerings = supported.flatMap((op) => profilesOf(op).map((profile) => [op.name, profile, op] as const));

describe.each(lowerings)("%s, %s", (_, profile, op) => {
  it.each(op.samples.map((sample, index) => [index, sample] as const))(
    "sample %i",
    async (_index, sample) => {
      await check(op, sample, fixedCase(op, sample), profile);
    },
  );

  const symbolic = op.samples.flatMap((sample, index) => {
    const found = symbolicCase(op, sample);
    return found ? [[index, sample, found] as const] : [];
  });
  if (symbolic.length > 0) {
    it.each(symbolic)("sample %i with symbols", async (_index, sample, found) => {
      await check(op, sample, found, profile);
    });
  }
});

describe("coverage", () => {
  it("runs every op, or says in words why not", () => {
    for (const op of ops) if (typeof op.onnx !== "function") expect(op.onnx.unsupported).toMatch(/\w+ \w+/);
  });

  it("uses onnxruntime's own operators where an op has a lowering with them, and only then", () => {
    for (const [name, profile, op] of lowerings) {
      const domains = new Set<string>();
      for (const sample of op.samples) {
        const [file] = compileOnnx([fixedCase(op, sample).graph], noWeights, { profile }).models;
        for (const domain of Object.keys(file?.model.opsets ?? {})) domains.add(domain);
      }
      expect([...domains], name).toEqual(profile === "ort" ? ["", "com.microsoft"] : [""]);
    }
  });

  it("reaches every op that has operands with symbols, but for these", () => {
    const without = supported.filter(
      (op) =>
        op.samples.some((sample) => sample.operands.length > 0) &&
        op.samples.every((sample) => symbolicCase(op, sample) === undefined),
    );
    expect(without.map((op) => op.name)).toEqual([]);
  });
});

describe("loading", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "ossicle-ops-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("makes onnxruntime warn of nothing", async () => {
    const files: string[] = [];
    for (const [, profile, op] of lowerings) {
      for (const [index, sample] of op.samples.entries()) {
        for (const found of [fixedCase(op, sample), symbolicCase(op, sample)]) {
          if (!found) continue;
          const file = join(folder, `${op.name}-${profile}-${index}-${found.bindings.length}.onnx`);
          const [model] = compileOnnx([found.graph], noWeights, { profile }).models;
          if (!model) throw new Error("no model was made");
          await writeFile(
            file,
            await encodeModel(model.model, () => Promise.reject(new Error("no weights"))),
          );
          files.push(file);
        }
      }
    }
    // Only another process's standard error can be read: onnxruntime writes to the descriptor itself.
    const script = `
      const { env, InferenceSession } = require("onnxruntime-node");
      env.logLevel = "error";
      (async () => {
        for (const file of ${JSON.stringify(files)}) {
          await (await InferenceSession.create(file, { logSeverityLevel: 2, logId: file })).release();
        }
        console.log("loaded");
      })();`;
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ["-e", script], {
      maxBuffer: 1 << 26,
    });
    expect(stderr).toBe("");
    expect(stdout).toBe("loaded\n");
  });
});
