/** Weights that act as W + B A, with A and B as inputs: the cheap way where there is one, and the right one everywhere. */
import { expect, test } from "vitest";
import type { Graph } from "../../src/compiler/graph.ts";
import { parseGraph } from "../../src/compiler/graph-parse.ts";
import type { HostTensor } from "../../src/compiler/host-tensor.ts";
import { interpret } from "../../src/compiler/interpret.ts";
import { withLiveAdapters } from "../../src/compiler/live-adapters.ts";
import { findOp } from "../../src/compiler/ops/index.ts";
import { verify } from "../../src/compiler/verify.ts";
import { randomTensor } from "../../src/runtime/random-weights.ts";

const sizes = new Map([
  ["w", [5, 4]],
  ["u", [4, 4]],
  ["a", [4, 4]],
]);
const drawn = { kind: "normal", mean: 0, std: 1 } as const;
const draw = (name: string, ...shape: number[]): HostTensor => randomTensor(3, name, shape, drawn);

/** A graph that reads w [5, 4] and u [4, 4] in the ways that `nodes` say. */
const graphOf = (nodes: string, rank = "N"): Graph =>
  parseGraph(
    `graph g(${rank} >= 1)
input %x: f32[2, ${rank}, 4]
param %w.weight: f32[5, 4] = zeros
param %u.weight: f32[4, 4] = zeros
${nodes}
output y = %y
`,
    { ops: { find: findOp } },
  );

const matrixOf = (name: string): HostTensor => draw(name, ...(sizes.get(name) ?? []));

/** W + B A. */
function sum(name: string): HostTensor {
  const weight = matrixOf(name);
  const [rows = 0, columns = 0] = weight.shape;
  const [a, b] = [draw(`${name}.a`, 2, columns), draw(`${name}.b`, rows, 2)];
  const data = Float64Array.from(weight.data, (value, index) => {
    const [row, column] = [Math.floor(index / columns), index % columns];
    return [0, 1].reduce(
      (total, k) => total + (b.data[row * 2 + k] ?? 0) * (a.data[k * columns + column] ?? 0),
      value,
    );
  });
  return { ...weight, data };
}

const product = `%1: f32[4, 5] = transpose(%w.weight) {permutation: [1, 0]}
%y: f32[2, N, 5] = matmul(%x, %1)`;
const cases = [
  ["a layer", product, true],
  ["untransposed", "%y: f32[2, N, 4] = matmul(%x, %u.weight)", true],
  [
    "a sum that the program merges itself",
    `param %a: f32[4, 4] = zeros
%1: f32[4, 4] = mul(%a, %a)
%2: f32[4, 4] = add(%u.weight, %1)
%3: f32[4, 4] = transpose(%2) {permutation: [1, 0]}
%y: f32[2, N, 4] = matmul(%x, %3)`,
    true,
  ],
  [
    "a weight that is read as it is too",
    `%1: f32[4, 5] = transpose(%w.weight) {permutation: [1, 0]}
%2: f32[2, N, 5] = matmul(%x, %1)
%3: f32[2, N, 4] = matmul(%2, %w.weight)
%4: f32[4, 4] = add(%u.weight, %u.weight)
%y: f32[2, N, 4] = matmul(%3, %4)`,
    false,
  ],
  ["the left factor", "%y: f32[4, 4] = matmul(%u.weight, %u.weight)", false],
] as const;

test.each(cases)("%s", (_, nodes, cheap) => {
  const plain = graphOf(nodes);
  const { graphs, ports } = withLiveAdapters([plain], new Set(["w", "u", "elsewhere"]));
  const [adapted] = graphs;
  if (adapted === undefined) throw new Error("there is no graph");
  expect(verify(adapted)).toEqual([]);
  const x = draw("x", 2, 3, 4);
  const want = interpret(plain, {
    inputs: new Map([["x", x]]),
    parameters: (path) => (path === "a" ? matrixOf(path) : sum(path.replace(".weight", ""))),
  });
  const inputs = new Map([["x", x]]);
  for (const { place, a, b, input, output } of ports) {
    inputs.set(a, draw(`${place}.a`, 2, input));
    inputs.set(b, draw(`${place}.b`, output, 2));
  }
  const parameters = (path: string): HostTensor => matrixOf(path.replace(".weight", ""));
  const got = interpret(adapted, { inputs, parameters });
  const [y, expected] = [got.get("y"), want.get("y")];
  expect(y?.shape).toEqual(expected?.shape);
  for (const [index, value] of (expected?.data ?? []).entries())
    expect(y?.data[index]).toBeCloseTo(value, 4 - Math.round(Math.log10(Math.max(1, Math.abs(value)))));
  // The cheap way never makes a matrix as large as the weight.
  const formed = adapted.nodes.some(
    ({ op, results }) => op.name === "matmul" && results[0]?.type.shape.length === 2,
  );
  expect(formed).toBe(!cheap);
});

test("an open rank whose name is taken goes by another; a graph that reads none of them stays as it is", () => {
  const taken = graphOf(product.replaceAll("N", "rank"), "rank");
  const { graphs } = withLiveAdapters([taken], new Set(["w"]));
  expect(graphs[0]?.symbols.map(({ name }) => name)).toEqual(["rank", "adapter_rank"]);
  expect(withLiveAdapters([taken], new Set(["elsewhere"]))).toEqual({ graphs: [taken], ports: [] });
});
