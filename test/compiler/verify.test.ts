import { describe, expect, test } from "vitest";
import type { Graph, Node, Value } from "../../src/compiler/graph.ts";
import { makeNode } from "../../src/compiler/graph-builder.ts";
import { parseGraph } from "../../src/compiler/graph-parse.ts";
import { findOp } from "../../src/compiler/ops/index.ts";
import { type Rule, verify } from "../../src/compiler/verify.ts";
import { Dim } from "../../src/lang/dims.ts";
import { floats } from "../support/random-graph.ts";

const parse = (text: string): Graph => parseGraph(text, { ops: { find: findOp } });
const rules = (graph: Graph): readonly Rule[] => verify(graph).map((problem) => problem.rule);

const legal = `graph g(N >= 2)
input %x: f32[N, 4]
const %c0: f32[2] = [1, 2]
param %w: f32[4, 2] = zeros
%0: f32[N, 2] = matmul(%x, %w)   // head
%1: f32[N, 2] = add(%0, %c0)   // head
%2: f32[N, 2] = softmax(%1) {axis: -1}
guard 3 <= N "enough rows"
output y = %2
`;

function firstNode(graph: Graph): Node {
  const [node] = graph.nodes;
  if (node === undefined) throw new Error("the graph has no nodes");
  return node;
}

function withFirstNode(change: (node: Node) => Partial<Node>): Graph {
  const graph = parse(legal.replace(/%1: .*\n%2: .*\n/, "").replace("= %2", "= %0"));
  const node = firstNode(graph);
  return { ...graph, nodes: [Object.assign(node, change(node))] };
}

test("a legal graph has no problems", () => {
  expect(verify(parse(legal))).toEqual([]);
});

describe("every rule can fail", () => {
  const cases: readonly (readonly [Rule, string, () => Graph])[] = [
    ["unique-names", "two outputs of one name", () => parse(`${legal}output y = %1\n`)],
    [
      "unique-names",
      "an input and a parameter of one name",
      () => {
        const graph = parse(legal);
        const [input] = graph.inputs;
        if (input === undefined) throw new Error("the graph has no input");
        const value: Value = { type: floats(1), source: { kind: "input", name: "w" } };
        return { ...graph, inputs: [input, { name: "w", value, sampleRate: undefined }] };
      },
    ],
    ["unique-names", "a symbol twice", () => parse(legal.replace("N >= 2", "N >= 2, N >= 1"))],
    [
      "input-source",
      "an input whose value is another's",
      () => {
        const graph = parse(legal);
        return { ...graph, inputs: graph.inputs.map((input) => ({ ...input, name: "z" })) };
      },
    ],
    [
      "parameter-source",
      "an input listed as a parameter",
      () => {
        const graph = parse(legal);
        return { ...graph, parameters: [...graph.parameters, ...graph.inputs.map((input) => input.value)] };
      },
    ],
    [
      "parameter-source",
      "a parameter of another type than its value",
      () => {
        const graph = parse(legal);
        const [value] = graph.parameters;
        if (value?.source.kind !== "parameter") throw new Error("the graph has no parameter");
        Object.assign(value.source.parameter, { type: floats(2, 4) });
        return graph;
      },
    ],
    [
      "initial-value",
      "a parameter that starts as another type",
      () => parse(legal.replace("param %w: f32[4, 2] = zeros", "param %w: f32[4, 2] = value %c0")),
    ],
    [
      "defined-before-use",
      "nodes in the wrong order",
      () => {
        const graph = parse(legal);
        return { ...graph, nodes: [...graph.nodes].reverse() };
      },
    ],
    ["defined-before-use", "a parameter that is not listed", () => ({ ...parse(legal), parameters: [] })],
    ["defined-before-use", "an output of no node", () => ({ ...parse(legal), nodes: [] })],
    [
      "result-source",
      "a result that points to another node",
      () =>
        withFirstNode((node) => ({
          results: makeNode(node.op, node.operands, {}, [floats(Dim.symbol("N"), 2)], node.provenance)
            .results,
        })),
    ],
    [
      "operand-count",
      "too few operands",
      () => withFirstNode((node) => ({ operands: node.operands.slice(1) })),
    ],
    [
      "attributes",
      "an attribute that the op does not have",
      () => withFirstNode(() => ({ attributes: { axis: 1 } })),
    ],
    [
      "attributes",
      "an attribute of the wrong kind",
      () => {
        const graph = parse(legal);
        const last = graph.nodes.at(-1);
        if (last === undefined) throw new Error("the graph has no nodes");
        Object.assign(last, { attributes: { axis: true } });
        return graph;
      },
    ],
    ["inference", "operands that the op refuses", () => parse(legal.replaceAll("f32[4, 2]", "f32[3, 2]"))],
    [
      "result-types",
      "a result of another type",
      () => parse(legal.replace("%0: f32[N, 2]", "%0: f32[N, 3]")),
    ],
    [
      "result-types",
      "too many results",
      () => parse(legal.replace("%2: f32[N, 2] =", "%2, %3: f32[N, 2], f32[N, 2] =")),
    ],
    [
      "constant-data",
      "data of another length",
      () => {
        const graph = parse(legal);
        const constant = graph.nodes[1]?.operands[1];
        if (constant?.source.kind !== "constant") throw new Error("the graph has no constant");
        Object.assign(constant.source.tensor, { data: Float64Array.of(1) });
        return graph;
      },
    ],
    [
      "constant-data",
      "data of another shape",
      () => {
        const graph = parse(legal);
        const constant = graph.nodes[1]?.operands[1];
        if (constant?.source.kind !== "constant") throw new Error("the graph has no constant");
        Object.assign(constant.source.tensor, { shape: [1, 2] });
        return graph;
      },
    ],
    ["outputs", "no outputs", () => ({ ...parse(legal), outputs: [] })],
    [
      "symbols",
      "a parameter's dimension that nothing determines",
      () => parse(legal.replace("f32[4, 2] = zeros", "f32[4, K] = zeros")),
    ],
    [
      "symbols",
      "a dimension that no input shows alone",
      () => parse("graph g\ninput %x: f32[2*N]\n%0: f32[2*N] = tanh(%x)\noutput y = %0\n"),
    ],
    [
      "symbols",
      "an attribute's dimension",
      () => parse("graph g\n%0: i64[3] = iota() {n: 3}\n%1: i64[M] = iota() {n: M}\noutput y = %0\n"),
    ],
    ["guards", "a guard on an unknown symbol", () => parse(legal.replace("3 <= N", "3 <= K"))],
  ];
  test.each(cases)("%s: %s", (rule, _, make) => {
    expect(rules(make())).toContain(rule);
  });
});

test("a symbol that an input shows need not be declared", () => {
  expect(verify(parse(legal.replace("(N >= 2)", "")))).toEqual([]);
});

test("problems name the place", () => {
  const [problem] = verify(parse(legal.replace("%0: f32[N, 2]", "%0: f32[N, 3]")));
  expect(problem?.message).toBe("result 0 of matmul (head) is f32[N, 3]; its op infers f32[N, 2]");
});
