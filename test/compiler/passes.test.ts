import { describe, expect, test } from "vitest";
import type { Graph, Value } from "../../src/compiler/graph.ts";
import { GraphBuilder } from "../../src/compiler/graph-builder.ts";
import { parseGraph } from "../../src/compiler/graph-parse.ts";
import { printGraph } from "../../src/compiler/graph-text.ts";
import type { HostTensor } from "../../src/compiler/host-tensor.ts";
import { findOp } from "../../src/compiler/ops/index.ts";
import type { OpDefinition } from "../../src/compiler/ops/op.ts";
import { eliminateDead } from "../../src/compiler/passes/eliminate-dead.ts";
import { foldConstants } from "../../src/compiler/passes/fold-constants.ts";
import { mergeDuplicates } from "../../src/compiler/passes/merge-duplicates.ts";
import { simplify } from "../../src/compiler/passes/simplify.ts";
import { optimize, runPasses } from "../../src/compiler/pipeline.ts";
import { mapGraph, sameNodes } from "../../src/compiler/rewrite.ts";
import { verify } from "../../src/compiler/verify.ts";
import { Dim } from "../../src/lang/dims.ts";
import { floats, GraphWriter, randomGraph, runOnRandom, symbolN } from "../support/random-graph.ts";

const here = { path: "here", span: undefined };
const opNames = (graph: Graph): readonly string[] => graph.nodes.map((node) => node.op.name);
const parse = (text: string): Graph => parseGraph(text, { ops: { find: findOp } });

function op(name: string): OpDefinition {
  const found = findOp(name);
  if (found === undefined) throw new Error(`there is no op ${name}`);
  return found;
}

function expectSame(got: ReadonlyMap<string, HostTensor>, want: ReadonlyMap<string, HostTensor>): void {
  expect([...got.keys()]).toEqual([...want.keys()]);
  for (const [name, tensor] of want) {
    const other = got.get(name);
    expect(other?.shape).toEqual(tensor.shape);
    tensor.data.forEach((value, index) => {
      const found = other?.data[index] ?? Number.NaN;
      const close = Object.is(found, value) || Math.abs(found - value) <= 1e-9 * Math.max(1, Math.abs(value));
      if (!close) throw new Error(`${name}[${index}] is ${found}, not ${value}`);
    });
  }
}

describe("random graphs", () => {
  const seeds = Array.from({ length: 60 }, (_, seed) => seed);

  test.each(seeds)("seed %i: every pass keeps the meaning and the rules", (seed) => {
    const graph = randomGraph(seed);
    expect(verify(graph)).toEqual([]);
    const want = runOnRandom(graph, seed);
    const stages: string[] = [];
    const best = optimize(graph, {
      verify: true,
      onStage: (name, stage) => {
        stages.push(name);
        expectSame(runOnRandom(stage, seed), want);
      },
    });
    expect(stages[0]).toBe("elaborate");
    expect(printGraph(optimize(best))).toBe(printGraph(best));
    // A graph put together by others is looked at whole, and found to be the same.
    expect(printGraph(optimize({ ...best }))).toBe(printGraph(best));
    expect(optimize(best)).toBe(best);
    expectSame(runOnRandom(best, seed, 2), runOnRandom(graph, seed, 2));
  });

  test("they hold what the passes are for", () => {
    const before = seeds.map((seed) => randomGraph(seed));
    const after = before.map((graph) => optimize(graph));
    const smaller = after.filter((graph, index) => graph.nodes.length < (before[index]?.nodes.length ?? 0));
    expect(smaller.length).toBeGreaterThan(seeds.length / 3);
    const used = new Set(before.flatMap(opNames));
    for (const name of [
      "matmul",
      "softmax",
      "layer_norm",
      "reshape",
      "transpose",
      "concat",
      "slice",
      "top_k",
      "gather",
    ]) {
      expect(used, name).toContain(name);
    }
  });
});

describe("mapGraph", () => {
  test("an unchanged graph keeps its nodes", () => {
    const graph = randomGraph(3);
    const mapped = mapGraph(graph, () => undefined);
    expect(sameNodes(graph, mapped)).toBe(true);
    expect(mapped.parameters).toEqual(graph.parameters);
    expect(mapped.guards).toEqual(graph.guards);
  });

  test("what follows a replaced node is rebuilt, what precedes it is not", () => {
    const writer = new GraphWriter("g");
    const x = writer.builder.input("x", floats(symbolN));
    const first = writer.one("neg", [x]);
    const last = writer.one("abs", [writer.one("tanh", [first])]);
    const graph = writer.finish({ name: "y", value: last });
    const mapped = mapGraph(graph, (node, operands, builder) =>
      node.op === op("tanh") ? builder.apply(op("cos"), operands, {}, node.provenance) : undefined,
    );
    expect(opNames(mapped)).toEqual(["neg", "cos", "abs"]);
    expect(mapped.nodes[0]).toBe(graph.nodes[0]);
    expect(mapped.nodes[2]).not.toBe(graph.nodes[2]);
    expect(mapped.nodes[2]?.provenance).toBe(graph.nodes[2]?.provenance);
  });

  test("a replacement of another type, or none, is a fault", () => {
    const writer = new GraphWriter("g");
    const x = writer.builder.input("x", floats(symbolN));
    const graph = writer.finish({ name: "y", value: writer.one("neg", [x]) });
    const wrong = () => mapGraph(graph, (_, __, builder) => [builder.constant([1], floats())]);
    expect(wrong).toThrow(/replaced f32\[N\] of neg by f32\[\]/);
    expect(() => mapGraph(graph, () => [])).toThrow(/too few replacements for neg/);
  });
});

describe("simplify", () => {
  test("asks the ops until nothing changes", () => {
    const graph = parse(`graph g
input %x: f32[N, 4]
const %c0: f32[] = [0]
const %c1: f32[] = [1]
%0: f32[N, 4] = add(%x, %c0)
%1: f32[N, 2, 2] = reshape(%0) {shape: [N, 2, 2]}
%2: f32[N, 4] = reshape(%1) {shape: [N, 4]}
%3: f32[N, 4] = mul(%2, %c1)
output y = %3
`);
    expect(printGraph(simplify.run(graph))).toBe("graph g\ninput %x: f32[N, 4]\noutput y = %x\n");
    expect(simplify.check?.(graph, graph)).not.toEqual([]);
  });

  test("two rules that undo each other are reported", () => {
    const neg: OpDefinition = { ...op("neg"), simplify: (node, build) => build(abs, node.operands, {}) };
    const abs: OpDefinition = { ...op("abs"), simplify: (node, build) => build(neg, node.operands, {}) };
    const builder = new GraphBuilder("g");
    const x = builder.input("x", floats(symbolN));
    const [value] = builder.apply(neg, [x], {}, here);
    if (value === undefined) throw new Error("neg has no result");
    const graph = builder.finish([{ name: "y", value }], []);
    expect(() => simplify.run(graph)).toThrow(/did not come to rest/);
  });
});

describe("merge-duplicates and eliminate-dead", () => {
  const graph = parse(`graph g
input %x: f32[N]
param %w: f32[2] = zeros
const %c0: f32[2] = [1, 2]
const %c1: f32[2] = [1, 2]
%0: f32[N] = tanh(%x)   // first
%1: f32[N] = tanh(%x)   // second
%2: f32[N] = add(%0, %1)
%3: f32[2] = add(%w, %c0)
%4: f32[2] = mul(%c1, %c0)
output y = %2
output z = %4
`);

  test("equal nodes and constants become one; the first path stays", () => {
    expect(mergeDuplicates.check?.(graph, graph)).toEqual(["tanh is computed in first and in second"]);
    const after = mergeDuplicates.run(graph);
    expect(mergeDuplicates.check?.(graph, after)).toEqual([]);
    expect(opNames(after)).toEqual(["tanh", "add", "mul"]);
    expect(after.nodes[0]?.provenance.path).toBe("first");
    expect(after.nodes[2]?.operands[0]).toBe(after.nodes[2]?.operands[1]);
  });

  test("what no output needs goes, nodes and parameters", () => {
    expect(eliminateDead.check?.(graph, graph)).toHaveLength(1);
    const after = eliminateDead.run(graph);
    expect(opNames(after)).toEqual(["tanh", "tanh", "add", "mul"]);
    expect(after.parameters).toEqual([]);
    expect(after.inputs).toEqual(graph.inputs);
  });
});

describe("fold-constants", () => {
  function fold(write: (writer: GraphWriter) => Value): Graph {
    const writer = new GraphWriter("g");
    const value = write(writer);
    return foldConstants.run(writer.finish({ name: "y", value }));
  }

  test("computes chains of constants and ramps", () => {
    const graph = fold((writer) => {
      const ramp = writer.one("cast", [writer.one("iota", [], { n: 3 })], { to: "f32" });
      return writer.one("mul", [ramp, writer.builder.constant([0.5], floats())]);
    });
    expect(printGraph(graph)).toBe("graph g(N >= 2)\nconst %c0: f32[3] = [0, 0.5, 1]\noutput y = %c0\n");
  });

  test("leaves what depends on an open dimension, an input or a parameter", () => {
    expect(opNames(fold((writer) => writer.one("iota", [], { n: symbolN })))).toEqual(["iota"]);
    expect(opNames(fold((writer) => writer.one("tanh", [writer.parameter("w", 3)])))).toEqual(["tanh"]);
  });

  test("does not store what only repeats, but computes through it", () => {
    const shape = [Dim.of(3), Dim.of(2)];
    expect(opNames(fold((writer) => writer.one("fill", [], { shape, value: 2 })))).toEqual(["fill"]);
    const two = (writer: GraphWriter) => writer.builder.constant([1, 2], floats(2));
    expect(opNames(fold((writer) => writer.one("expand", [two(writer)], { shape })))).toEqual(["expand"]);
    const turned = fold((writer) =>
      writer.one("transpose", [writer.one("expand", [two(writer)], { shape })]),
    );
    expect(opNames(turned)).toEqual(["expand", "transpose"]);
    const summed = fold((writer) =>
      writer.one("sum", [writer.one("expand", [two(writer)], { shape })], { axes: [0] }),
    );
    expect(printGraph(summed)).toContain("const %c0: f32[2] = [3, 6]");
  });

  test("leaves what would be too large", () => {
    const graph = fold((writer) =>
      writer.one("tanh", [writer.one("fill", [], { shape: [Dim.of(2 ** 25)], value: 1 })]),
    );
    expect(opNames(graph)).toEqual(["fill", "tanh"]);
  });
});

describe("the pipeline under verify", () => {
  const graph = parse(
    "graph g\ninput %x: f32[2]\n%0: f32[2] = tanh(%x)\n%1: f32[2] = cos(%x)\noutput y = %0\n",
  );

  test("a graph that is not legal is reported with the stage", () => {
    const broken = { ...graph, nodes: [] };
    expect(() => optimize(broken, { verify: true })).toThrow(/g is not a legal graph after elaborate/);
    const spoil = { name: "spoil", summary: "Spoils.", run: (): Graph => broken };
    expect(() => runPasses(graph, [spoil], { verify: true })).toThrow(/not a legal graph after spoil/);
    expect(runPasses(graph, [spoil])).toBe(broken);
  });

  test("a pass that breaks its promise is reported", () => {
    const lazy = { ...eliminateDead, run: (same: Graph): Graph => same };
    expect(() => runPasses(graph, [lazy], { verify: true })).toThrow(/eliminate-dead broke its promise/);
  });
});
