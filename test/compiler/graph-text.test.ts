import { describe, expect, test } from "vitest";
import type { Graph } from "../../src/compiler/graph.ts";
import { GraphBuilder } from "../../src/compiler/graph-builder.ts";
import { parseGraph } from "../../src/compiler/graph-parse.ts";
import { hashedTensors, printGraph } from "../../src/compiler/graph-text.ts";
import { findOp } from "../../src/compiler/ops/index.ts";
import { verify } from "../../src/compiler/verify.ts";
import { DiagnosticError } from "../../src/lang/diagnostic.ts";
import { Dim } from "../../src/lang/dims.ts";
import { floats, GraphWriter, randomGraph, symbolN } from "../support/random-graph.ts";

const parse = (text: string, tensors = new Map()): Graph =>
  parseGraph(text, { ops: { find: findOp }, tensors: (hash) => tensors.get(hash) });

const everything = `graph "all of it"(N >= 400, M >= 1)
input %audio: f32[N] @ 16000
input %"odd name": i64[M, 2]
input %0: f32[N, 768]
initial %1: i64[3] = iota() {dtype: "i64", n: 3}
initial %2: f32[3] = cast(%1) {to: "f32"}
const %c0: f32[3] = [1, -0, -inf]
initial %3: f32[3] = add(%2, %c0)
param %encoder.layers[3].a: f32[3] = value %3   // encoder.layers[3]
param %norm.weight: f32[768] = ones
param %a: f32[2] = zeros
param %b: f32[2] = normal(0, 0.02)
param %d: f32[2] = truncated-normal(0.02)
param %e: f32[2] = uniform(-0.5, 0.5)
%4: f32[N, 768] = rms_norm(%0, %norm.weight) {epsilon: 0.000001}   // norm
%5, %6: f32[N, 45], i64[N, 45] = top_k(%4) {k: 45, largest: true}
%7: f32[45, N] = transpose(%5) {permutation: [1, 0]}
%8: f32[9, 5*N] = reshape(%7) {shape: [9, 5*N]}
const %c1: f32[] = [1e-7]
%9: f32[9, 5*N] = mul(%8, %c1)
guard N == 5*M "as many as \\"that\\""   // here
guard 5 divides N "rows"
guard M <= N + 1 "room"
output logits = %9
const %c2: bool[2] = [1, 0]
output "the mask" = %c2
output index = %6
output start = %encoder.layers[3].a
output unchanged = %audio
`;

describe("printing and parsing", () => {
  test("the text of a graph with everything in it stays as it is", () => {
    // The parameters that no output needs and the unused input are kept: the parser drops nothing.
    const graph = parse(everything);
    expect(printGraph(graph)).toBe(everything);
    expect(verify(graph)).toEqual([]);
  });

  test.each(Array.from({ length: 40 }, (_, seed) => seed))("random graph %i", (seed) => {
    const graph = randomGraph(seed);
    const text = printGraph(graph);
    const again = parse(text, new Map(hashedTensors(graph)));
    expect(printGraph(again)).toBe(text);
    expect(verify(again)).toEqual([]);
  });

  test("a large constant is printed as a hash of its contents", () => {
    const builder = new GraphBuilder("g");
    const numbers = Array.from({ length: 20 }, (_, index) => index / 3);
    const value = builder.constant(numbers, floats(4, 5));
    const graph = builder.finish([{ name: "y", value }], []);
    const text = printGraph(graph);
    expect(text).toMatch(/^graph g\nconst %c0: f32\[4, 5\] = #[0-9a-f]{16}\noutput y = %c0\n$/);
    const source = parse(text, new Map(hashedTensors(graph))).outputs[0]?.value.source;
    expect(source?.kind === "constant" && [...source.tensor.data]).toEqual(numbers);
    const other = builder.constant(
      numbers.map((number) => number + 1e-12),
      floats(4, 5),
    );
    expect(printGraph(builder.finish([{ name: "y", value: other }], []))).not.toBe(text);
  });

  test("spans are not kept, paths are", () => {
    const [node] = parse(everything).nodes;
    expect(node?.provenance).toEqual({ path: "norm", span: undefined });
  });

  test("a name that looks like a number of a result is not taken twice", () => {
    const writer = new GraphWriter("g");
    const x = writer.builder.input("0", floats(symbolN));
    const graph = writer.finish({ name: "y", value: writer.one("tanh", [x]) });
    expect(printGraph(graph)).toContain("%1: f32[N] = tanh(%0)");
  });

  test("comments and empty lines are skipped", () => {
    const text = "// a note\ngraph g\n\ninput %x: f32[2] // none\r\n// more\noutput y = %x\n";
    expect(printGraph(parse(text))).toBe("graph g\ninput %x: f32[2]\noutput y = %x\n");
  });
});

describe("faults in the text", () => {
  const head = "graph g\ninput %x: f32[N]\n";
  test.each([
    ["", "expected `graph`, found the end of the line", ""],
    ["grape g", "expected `graph`, found `grape`", "grape"],
    [`${head}%0: f32[N] = tan(%x)`, "there is no op `tan`", "tan"],
    [`${head}%0: f32[N] = tanh(%y)`, "%y is not defined before this line", "%y"],
    [`${head}%x: f32[N] = tanh(%x)`, "%x is defined twice", "%x"],
    [`${head}%0: f31[N] = tanh(%x)`, "there is no element type `f31`", "f31"],
    [`${head}%0: f32[N +] = tanh(%x)`, "`N +` is not a dimension", "N +"],
    [`${head}%0, %1: f32[N] = tanh(%x)`, "2 names have 1 types", ": f32[N]"],
    [`${head}%0: f32[N] = tanh(%x) {axes: [1]}`, "`tanh` has no attribute `axes`", "axes"],
    [`${head}%0: f32[N] = softmax(%x) {axis: last}`, "expected a number, found `last}`", "last}"],
    [`${head}%0: f32[N] = tanh(%x) %x`, "expected the end of the line, found `%x`", "%x"],
    [`${head}const %c: f32[2] = [1]`, "f32[2] holds 2 elements; 1 are listed", "[1]"],
    [`${head}const %c: f32[N] = [1]`, "a constant cannot have the type f32[N]", ": f32[N]"],
    [
      `${head}const %c: f32[20] = #0123456789abcdef`,
      "there is no tensor with the hash 0123456789abcdef",
      "0123456789abcdef",
    ],
    [`${head}param %w: f32[2] = random`, "expected how the parameter starts, found `random`", "random"],
    [`${head}guard N == "reason"`, "`` is not a dimension", ""],
    [`${head}guard N == 2 reason`, "`2 reason` is not a dimension", "2 reason"],
    [`${head}output y = %0`, "%0 is not defined before this line", "%0"],
  ])("%j", (text, message, place) => {
    let caught: unknown;
    try {
      parse(text);
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(DiagnosticError);
    if (!(caught instanceof DiagnosticError)) return;
    const [diagnostic] = caught.diagnostics;
    expect(diagnostic?.message).toBe(message);
    const span = diagnostic?.primary?.span;
    expect(span && text.slice(span.start, span.end).trim()).toBe(place);
  });

  test("no text makes the parser throw anything else", () => {
    for (let end = 0; end < everything.length; end += 3) {
      const text = everything.slice(0, end);
      for (const broken of [text, `${text}%`, `${text}\u0000"`]) {
        try {
          parse(broken);
        } catch (error) {
          expect(error).toBeInstanceOf(DiagnosticError);
        }
      }
    }
  });

  test("a tensor that does not fit its type", () => {
    const tensor = { dtype: "f32", shape: [20], data: new Float64Array(20) } as const;
    const text = `${head}const %c: f32[4, 5] = #0123456789abcdef\n`;
    expect(() => parse(text, new Map([["0123456789abcdef", tensor]]))).toThrow(
      /is f32\[20\], not f32\[4, 5\]/,
    );
  });
});

test("dimensions in attributes and types survive", () => {
  const writer = new GraphWriter("g");
  const x = writer.builder.input("x", floats(symbolN, 4));
  const kept = Dim.scaled("ceil", 0.7, symbolN);
  const value = writer.one("slice", [x], { starts: [Dim.of(0), Dim.of(0)], stops: [kept, Dim.of(4)] });
  const graph = writer.finish({ name: "y", value });
  const text = printGraph(graph);
  const again = parse(text);
  expect(printGraph(again)).toBe(text);
  expect(again.outputs[0]?.value.type.shape[0]?.equals(kept)).toBe(true);
});
