/**
 * Calls that are evaluated once while a graph is made: with and without, everything about the graphs is the same.
 */
import { describe, expect, test } from "vitest";
import { printAttributes } from "../../src/compiler/attribute-form.ts";
import { elaborateEntry, layOut } from "../../src/compiler/elaborate.ts";
import type { Graph, Provenance, Value } from "../../src/compiler/graph.ts";
import { initialGraph } from "../../src/compiler/graph-builder.ts";
import { printGraph } from "../../src/compiler/graph-text.ts";
import { CallMemory } from "../../src/lang/call-memory.ts";
import { DiagnosticError, DiagnosticSink } from "../../src/lang/diagnostic.ts";
import type { Program } from "../../src/lang/program.ts";
import { printType } from "../../src/lang/types.ts";
import { programOf } from "../support/program.ts";
import { reducedModels, reducedProgram } from "../support/reduced-models.ts";
import { stackOfLayers } from "../support/stack-of-layers.ts";

function placeOf({ path, span, frame }: Provenance): string {
  const uses: string[] = [];
  for (let use = frame; use !== undefined; use = use.outer)
    uses.push(`${use.declaration.name.name} ${use.path}`);
  return `${path} ${span?.file.path} ${span?.start} < ${uses.join(" < ")}`;
}

/** The nodes, and nothing of how tensors start. */
function nodesOf({ nodes, parameters }: Graph, numbers: ReadonlyMap<Value, number>): readonly string[] {
  const shownValue = (value: Value): string => {
    const { source, type } = value;
    if (source.kind === "result") return `%${numbers.get(value)}.${source.index}`;
    if (source.kind === "constant") return `constant ${type.shape} ${source.tensor.data}`;
    return source.kind === "parameter" ? source.parameter.path : source.name;
  };
  const learned = parameters.map((value) => `${shownValue(value)}: ${printType(value.type)}`);
  const lines = nodes.map(({ op, operands, attributes, results }) => {
    const types = results.map(({ type }) => printType(type));
    return `${op.name}(${operands.map(shownValue)}) {${printAttributes(attributes)}} -> ${types}`;
  });
  return [...learned, ...lines];
}

/** Each call evaluated; equal ones once; the same for graphs that are only counted, which say little of how tensors start. */
type Way = "forgetting" | "remembering" | "counting";

/** Everything that is known of a graph, and the names of all its values. */
function shown(graph: Graph, names: ReadonlyMap<string, Value>, starts: "starts" | "no starts"): unknown {
  const numbers = new Map(
    graph.nodes.flatMap(({ results }, i) => results.map((value) => [value, i] as const)),
  );
  return {
    text: starts === "starts" ? printGraph(graph) : nodesOf(graph, numbers),
    places: graph.nodes.map(({ provenance }) => placeOf(provenance)),
    guards: graph.guards.map(({ provenance }) => placeOf(provenance)),
    learned: graph.parameters.flatMap(({ source }) => {
      if (source.kind !== "parameter") return [];
      const { parameter } = source;
      const start = starts === "starts" ? initialGraph(parameter) : undefined;
      return [parameter.path, placeOf(parameter.provenance), start && printGraph(start)];
    }),
    names: [...names]
      .filter(([, value]) => starts === "starts" || numbers.has(value))
      .map(([path, value]) => `${path} ${numbers.get(value)} ${value.type.shape}`),
  };
}

type Request = { readonly model?: string; readonly settings?: ReadonlyMap<string, string> };

function everything(program: Program, way: Way, starts: "starts" | "no starts", request: Request): unknown[] {
  const sink = new DiagnosticSink();
  const memory = { forgetting: "none", remembering: undefined, counting: "counted graphs" } as const;
  const made = memory[way];
  const counted = made === "counted graphs" ? new CallMemory(program, made) : made;
  const laidOut = layOut(program, request, sink, counted);
  const entries = laidOut?.outline.instance.entries ?? [];
  const graphs = entries.flatMap(({ name }) => {
    const elaboration = laidOut && elaborateEntry(laidOut, { ...request, entry: name.name });
    if (laidOut === undefined || elaboration === undefined) return [];
    const { renames, modelParameters } = elaboration;
    const { frozen, stored } = laidOut.outline.evaluator;
    const told = { renames, modelParameters, frozen: [...frozen], stored: [...stored] };
    return { ...told, graph: shown(elaboration.graph, laidOut.builder.names(), starts) };
  });
  if (sink.hasErrors || graphs.length === 0) throw new DiagnosticError(sink.sorted());
  return graphs;
}

function expectSame(program: Program, request: Request = {}): void {
  const of = (way: Way, starts: "starts" | "no starts") => everything(program, way, starts, request);
  expect(of("remembering", "starts")).toEqual(of("forgetting", "starts"));
  expect(of("counting", "no starts")).toEqual(of("forgetting", "no starts"));
}

test.each(reducedModels.map((reduced) => [`${reduced.model}, ${reduced.note}`, reduced] as const))(
  "%s",
  (_, reduced) => {
    const settings = new Map(Object.entries(reduced.settings).map(([name, value]) => [name, String(value)]));
    const request = { model: reduced.model, settings };
    const program = reducedProgram(reduced);
    expectSame(program, request);
  },
);

/** Four layers of one block, each called with what `use` says, in two entries; `by` is set before the first two. */
const layers = (block: string, use: string, { by = "x", more = "" } = {}): string => `
${block}
model Main(width: int = 4) {
  input start: f32[B, N, width]
  layers = [Layer(width, seed: i) for i in 0..4]
  ${more}
  entry run(start) -> y: f32[B, N, width] {
    let x = start + 0
    let by = ${by.replaceAll("layer.", "layers[0].")}
    for i, layer in layers {
      if i < 2 { by = ${by} }
      x = ${use}
    }
    x
  }
  entry again(start) -> y: f32[B, N, width] {
    let x = start + 1
    let by = ${by.replaceAll("layer.", "layers[0].")}
    for i, layer in layers {
      if i < 2 { by = ${by} }
      x = ${use}
    }
    x
  }
}
`;

const scaling = `block Layer(width: int, seed: int) {
  param gain: f32[width] = hash_uniform(iota(width), seed: seed)
  forward(x: f32[B, N, width], y: f32[B, N, width] = none, z: f32[B, N, width] = none) -> f32[B, N, width] {
    let scaled = relu(x) * gain
    if y == none then scaled else if z == none then scaled - y else scaled - y * z
  }
}`;

describe("what could be mistaken", () => {
  const cases: readonly [string, string][] = [
    ["how the tensors of equal layers start", layers(scaling, "layer(x)")],
    ["one argument twice, at one of the layers", layers(scaling, "layer(x, by)")],
    [
      "an argument that the call makes again, at one of the layers",
      layers(scaling, "layer(x, by)", { by: "relu(x)" }),
    ],
    ["what was called before", layers(scaling, "layer(layer(x))")],
    [
      "a block's own tensor as an argument",
      layers(
        `block Layer(width: int, seed: int) {
  param gain: f32[width] = ones
  param other: f32[width] = ones
  forward(x: f32[B, N, width], by: f32[width]) -> f32[B, N, width] = x * gain + by
}`,
        "layer(x, layer.other) + layer(x, layer.gain) + layer(x, by)",
        { by: "layer.gain" },
      ),
    ],
    [
      "tensors that members compute",
      layers(
        `block Layer(width: int, seed: int) {
  let table = 1.0 * iota(width) + seed
  param gain: f32[width] = ones
  forward(x: f32[B, N, width]) -> f32[B, N, width] = x * gain + cast(table, f32)
}`,
        "layer(x)",
      ),
    ],
    [
      "tensors that members compute from their own",
      layers(
        `block Layer(width: int, seed: int) {
  param gain: f32[width] = ones
  let twice = 2.0 * gain
  forward(x: f32[B, N, width], y: f32[B, N, width]) -> f32[B, N, width] = x * twice + y
}`,
        "layer(x, by)",
      ),
    ],
    [
      "blocks that are made in a call",
      layers(
        `block Inner(width: int, seed: int) {
  param gain: f32[width] = hash_uniform(iota(width), seed: seed)
  forward(x: f32[B, N, width]) -> f32[B, N, width] = x * gain
}
block Layer(width: int, seed: int) {
  param gain: f32[width] = ones
  forward(x: f32[B, N, width]) -> f32[B, N, width] {
    let inner = Inner(width, seed)
    inner(x) + inner(x * gain) + Inner(width, 7)(x)
  }
}`,
        "layer(x)",
      ),
    ],
    [
      "calls before everything is laid out",
      layers(
        `block Layer(width: int, seed: int) {
  param gain: f32[width] = hash_uniform(iota(width), seed: seed)
  forward(x: f32[B, N, width]) -> f32[B, N, width] = x * gain
}`,
        "layer(x) + sums[0] + sums[1]",
        {
          more: `let sums = [late(fill([1, 1, width], 1.0)) for late in others]
  others = [Layer(width, seed: 10 + i) for i in 0..3]`,
        },
      ),
    ],
    [
      "sizes as numbers, and requirements of open sizes",
      layers(
        `block Layer(width: int, seed: int) {
  param gain: f32[width] = ones
  forward(x: f32[B, N, width]) -> f32[B, N, width] {
    require N <= 4 * B, "not too long"
    x * gain / N
  }
}`,
        "layer(x) + 0",
      ),
    ],
    ["a policy at some of the sites", stackOfLayers(" with Half(at: [1, 3])")],
    [
      "adapters around some of the parts",
      stackOfLayers(' with Twice(on: ["layers.1.inner", "layers.4.inner"])'),
    ],
  ];
  test.each(cases)("%s", (_, text) => {
    const program = programOf(text, {}, new DiagnosticSink());
    expectSame(program);
  });
});
