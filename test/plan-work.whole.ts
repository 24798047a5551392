/**
 * Multiply-adds of kernel plans: what their loops execute is what the records declare and what is named
 * beyond, for every dispatch; on samples of every op, every model of the library and random graphs. What is
 * skipped is never needed.
 */
import { describe, expect, test } from "vitest";
import { countGraph } from "../src/compiler/cost/count.ts";
import type { Graph } from "../src/compiler/graph.ts";
import { ops } from "../src/compiler/ops/index.ts";
import { optimize } from "../src/compiler/pipeline.ts";
import { compilePlan, planWork } from "../src/compiler/wgsl/compile.ts";
import { defaultTuning } from "../src/compiler/wgsl/tuning.ts";
import { Dim, sumDims } from "../src/lang/dims.ts";
import { evaluateSize } from "../src/runtime/gpu/sizes.ts";
import { fixedCase, symbolicCase } from "./support/op-cases.ts";
import { multiplyingSteps, randomGraph } from "./support/random-graph.ts";
import { reducedGraphs, reducedModels } from "./support/reduced-models.ts";

type Sizes = ReadonlyMap<string, number>;

const odd = { ...defaultTuning, rows: 3, columns: 4, workgroup: 8 };

/** Every unit is attributed, whatever the sizes are; nothing that is needed is left out. Returns the reasons. */
function expectAttributed(graph: Graph, sizes: readonly Sizes[], tuning = defaultTuning): Set<string> {
  const [work = []] = planWork([graph], { tuning });
  const reasons = new Set<string>();
  for (const { executed, declared, overhead, label } of work) {
    const explained = overhead.reduce((sum, { macs }) => sum.add(macs), declared);
    expect({ label, executed: `${executed}` }).toEqual({ label, executed: `${explained}` });
    for (const { reason } of overhead) reasons.add(reason);
  }
  const { nodes, prepared } = countGraph(graph);
  for (const at of sizes) {
    const total = (dims: readonly Dim[]) => sumDims(dims).evaluate(at);
    const declared = total(work.map((one) => one.declared));
    const own = total(nodes.map(({ macs }) => macs));
    const late = total(
      work
        .flatMap(({ nodes: part }) => part)
        .flatMap((node) => prepared.filter((one) => one.node === node).map(({ macs }) => macs)),
    );
    expect(declared).toBe(own + late);
    const named = work.flatMap(({ overhead }) => overhead);
    for (const { reason, macs } of named) {
      const value = macs.evaluate(at);
      expect({ reason, skipped: value < 0 && !reason.endsWith("which are skipped") }).toEqual({
        reason,
        skipped: false,
      });
    }
    const skipped = total(named.map(({ macs }) => Dim.min(macs, 0)));
    expect(total(work.map((one) => one.executed))).toBeGreaterThanOrEqual(declared + skipped);
    if (declared > 0) expect(total(work.map((one) => one.executed))).toBeGreaterThan(0);
  }
  return reasons;
}

/** The plan's numbers are these. */
function expectInPlan(graph: Graph, at: Sizes): void {
  const [entry] = compilePlan([graph]).plan.entries;
  const [work = []] = planWork([graph]);
  if (entry === undefined) throw new Error("there is no entry");
  expect(entry.dispatches.length).toBe(work.length);
  entry.dispatches.forEach((dispatch, i) => {
    const same = work[i];
    expect(evaluateSize(dispatch.executed, at)).toBe(same?.executed.evaluate(at));
    expect(evaluateSize(dispatch.declared, at)).toBe(same?.declared.evaluate(at));
    const named = (dispatch.overhead ?? []).map(({ macs }) => evaluateSize(macs, at));
    expect(named).toEqual(same?.overhead.map(({ macs }) => macs.evaluate(at)));
  });
}

describe("every sample of every op", () => {
  test.each(ops.map((op) => [op.name, op] as const))("%s", (_, op) => {
    for (const sample of op.samples) {
      for (const one of [fixedCase(op, sample), symbolicCase(op, sample)]) {
        if (one === undefined) continue;
        for (const tuning of [defaultTuning, odd]) expectAttributed(one.graph, one.bindings, tuning);
      }
    }
  });
});

describe("every model of the library, reduced", () => {
  const found = new Set<string>();
  test.each(reducedModels.map((reduced) => [reduced.model, reduced.note, reduced] as const))(
    "%s: %s",
    (_, __, reduced) => {
      for (const graph of reducedGraphs(reduced)) {
        const sizes = new Map(Object.entries(reduced.sizes));
        const optimized = optimize(graph);
        for (const reason of expectAttributed(optimized, [sizes])) found.add(reason);
        expectInPlan(optimized, sizes);
      }
    },
  );

  test("together they have every reason there is", () => {
    expect([...found].sort()).toMatchInlineSnapshot(`
      [
        "columns that fill the last block",
        "pairs of a chunk whose second lies ahead of the first, which are skipped",
        "positions that fill the last chunk, which are skipped",
        "products that another kernel needs too, and that are computed again where they are read",
        "products with decays, which are declared as scalar operations",
        "queries that fill the last block",
        "rows that fill the last block",
      ]
    `);
  });
});

describe("random graphs", () => {
  const perTest = 50;
  test.each(Array.from({ length: 4 }, (_, batch) => batch * perTest))("%i and on", (first) => {
    for (let seed = first; seed < first + perTest; seed++) {
      const graph = randomGraph(seed, 12, multiplyingSteps);
      const sizes = [5, 1, 38].map((N) => new Map([["N", N]]));
      for (const one of [graph, optimize(graph)]) expectAttributed(one, sizes);
    }
  });
});
