/**
 * Multiply-adds three times: as the records declare them, as the references count them while they
 * compute, and as the operators of the ONNX model execute them. What is executed beyond those declared
 * is attributed, to the last one, to an op at a path with a reason.
 */
import { describe, expect, test } from "vitest";
import type { Graph } from "../src/compiler/graph.ts";
import { GraphBuilder } from "../src/compiler/graph-builder.ts";
import { ops } from "../src/compiler/ops/index.ts";
import type { OpDefinition, Sample } from "../src/compiler/ops/op.ts";
import { optimize } from "../src/compiler/pipeline.ts";
import { Dim } from "../src/lang/dims.ts";
import { filesUnder } from "./support/product-files.ts";
import { multiplyingSteps, randomGraph } from "./support/random-graph.ts";
import { reducedGraphs, reducedModels, reducedProgram } from "./support/reduced-models.ts";
import { sampleOperands } from "./support/samples.ts";
import { type Case, type CountRow, drawn, threeCounts } from "./support/three-counts.ts";

function expectAgreement(rows: readonly CountRow[]): void {
  for (const { name, declared, counted, executed, overhead } of rows) {
    expect({ name, counted }).toEqual({ name, counted: declared });
    const reasons = Object.values(overhead);
    expect(Math.min(0, ...reasons), name).toBe(0);
    const explained = declared + reasons.reduce((sum, macs) => sum + macs, 0);
    expect({ name, executed, overhead }).toEqual({ name, executed: explained, overhead });
  }
}

const total = (rows: readonly CountRow[]): number => rows.reduce((sum, row) => sum + row.declared, 0);

describe("every sample of every op", () => {
  const cases = ops.flatMap((op) => op.samples.map((sample, at) => [op.name, at, op, sample] as const));

  test.each(cases)("%s %i", async (_, __, op, sample) => {
    if (typeof op.onnx !== "function") return;
    expectAgreement(await threeCounts(sampleCase(op, sample)));
  });

  test("some have overhead, and all that multiply are among them", async () => {
    const declaring = new Set<string>();
    const beyond = new Set<string>();
    for (const [name, , op, sample] of cases) {
      const rows = await threeCounts(sampleCase(op, sample));
      if (total(rows) > 0) declaring.add(name);
      if (rows.some(({ executed, declared }) => executed > declared)) beyond.add(name);
    }
    expect([...declaring]).toEqual(["matmul", "conv1d", "conv2d", "causal_conv", "ssd"]);
    expect([...beyond]).toEqual(["ssd"]);
  });
});

function sampleCase(op: OpDefinition, sample: Sample): Case {
  const builder = new GraphBuilder(op.name);
  const origin = { path: "block", span: undefined };
  const operands = sample.operands.map(({ dtype, shape }, at) =>
    builder.input(`x${at}`, { dtype, shape: shape.map((size) => Dim.of(size)) }, origin),
  );
  const results = builder.apply(op, operands, sample.attributes, origin);
  const graph: Graph = builder.finish(
    results.map((value, at) => ({ name: `y${at}`, value })),
    [],
  );
  const inputs = new Map(sampleOperands(sample, 3).map((tensor, at) => [`x${at}`, tensor]));
  const parameters = (path: string): never => {
    throw new Error(`there is no parameter ${path}`);
  };
  return { graph, inputs, parameters };
}

describe("every model of the library, reduced", () => {
  test.each(reducedModels.map((reduced) => [reduced.model, reduced.note, reduced] as const))(
    "%s: %s",
    async (_, __, reduced) => {
      const graphs = reducedGraphs(reduced);
      expect(graphs.length).toBeGreaterThan(0);
      for (const graph of graphs.map((one) => optimize(one))) {
        const rows = await threeCounts(drawn(graph, reduced.sizes));
        expectAgreement(rows);
        expect(total(rows)).toBeGreaterThan(0);
      }
    },
  );
});

test("no file of the library that declares models is left out", () => {
  const declaring = filesUnder("models", /\.oss$/).filter(({ text }) => /^model /m.test(text));
  const reached = reducedModels.flatMap((reduced) => [...reducedProgram(reduced).modules.keys()]);
  const paths = new Set(reached.map((path) => path.replace(/^ossicle\//, "models/")));
  expect(declaring.map(({ path }) => path).filter((path) => !paths.has(path))).toEqual([]);
});

describe("random graphs", () => {
  const perTest = 50;
  test.each(Array.from({ length: 10 }, (_, batch) => batch * perTest))("%i and on", async (first) => {
    let multiplying = 0;
    for (let seed = first; seed < first + perTest; seed++) {
      const graph = randomGraph(seed, 12, multiplyingSteps);
      for (const one of [graph, optimize(graph)]) {
        const rows = await threeCounts(drawn(one, { N: 5 }));
        expectAgreement(rows);
        if (total(rows) > 0) multiplying++;
      }
    }
    expect(multiplying).toBeGreaterThan(perTest / 2);
  });
});
