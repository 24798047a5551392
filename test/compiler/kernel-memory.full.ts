/**
 * Kernels that are reused are those that would be written: plans with and without memory are the same, for every
 * model of the library and at full size.
 */
import { expect, test } from "vitest";
import type { Graph } from "../../src/compiler/graph.ts";
import { optimize } from "../../src/compiler/pipeline.ts";
import { compilePlan, type PlanOptions } from "../../src/compiler/wgsl/compile.ts";
import { graphOf } from "../support/compiled-plans.ts";
import { reducedGraphs, reducedModels } from "../support/reduced-models.ts";

function expectSame(graphs: readonly Graph[], options: PlanOptions = {}): void {
  const text = (anew: boolean): string => JSON.stringify(compilePlan(graphs, { ...options, anew }).plan);
  expect(text(false) === text(true)).toBe(true);
}

test.each(reducedModels.map((reduced) => [reduced.model, reduced.note, reduced] as const))(
  "%s: %s",
  (_, __, reduced) => {
    expectSame(reducedGraphs(reduced).map((graph) => optimize(graph)));
  },
);

test("a pruned transformer and a decoder at full size", () => {
  expectSame([graphOf("models/classifiers/ast.oss", "forward", { keep: "0.7" })]);
  expectSame(["prefill", "step"].map((entry) => graphOf("models/decoders/mamba2-lm.oss", entry)));
});

test("with the kernels that a device may choose from", () => {
  const settings = { size: "130m" };
  expectSame([graphOf("models/decoders/mamba2-lm.oss", "step", settings)], { variants: "all" });
});
