/**
 * What `cost` says of a target, against the plan of the same model.
 */
import { expect } from "vitest";
import { countProgram } from "../../src/cli/cost-options.ts";
import { nothingGiven } from "../../src/compiler/cost/bindings.ts";
import { reportCost } from "../../src/compiler/cost/report.ts";
import { executedOf } from "../../src/compiler/cost/tree.ts";
import { compilePlan } from "../../src/compiler/wgsl/compile.ts";
import { DiagnosticSink } from "../../src/lang/diagnostic.ts";
import { evaluateSize } from "../../src/runtime/gpu/sizes.ts";
import { type ReducedModel, reducedProgram } from "./reduced-models.ts";

/** Dispatches, executed multiply-adds and their reasons, under two headings. */
export function expectPlanned(reduced: ReducedModel): void {
  const settings = new Map(Object.entries(reduced.settings).map(([name, value]) => [name, String(value)]));
  const request = { model: reduced.model, open: [], settings };
  const model = countProgram(reducedProgram(reduced), request, new DiagnosticSink());
  const sizes = new Map(Object.entries(reduced.sizes));
  const planned = model.entries.map(({ cost }) => {
    const [plan] = compilePlan([cost.graph]).plan.entries;
    const dispatches = plan?.dispatches ?? [];
    const executed = dispatches.reduce((sum, one) => sum + evaluateSize(one.executed, sizes), 0);
    return { dispatches: dispatches.length, executed };
  });
  for (const by of ["path", "kind"] as const) {
    const options = { given: nothingGiven, settings: new Map(), convention: "core", by } as const;
    const { entries } = reportCost(model, { ...options, target: "webgpu" });
    entries.forEach(({ total, target }, at) => {
      if (target === undefined) throw new Error("there is no target");
      const { dispatches, executed } = target;
      for (const { parts } of target.overhead) for (const { path } of parts) expect(path).not.toBe("(state)");
      expect({ dispatches, executed: executed.evaluate(sizes) }).toEqual(planned[at]);
      // Rows add up to it, and the reasons are all that there is beyond.
      expect(executedOf(total).evaluate(sizes)).toBe(planned[at]?.executed);
      expect(total.dispatches.constant).toBe(dispatches);
      const beyond = target.overhead.reduce((sum, { macs }) => sum + macs.evaluate(sizes), 0);
      expect(total.macs.evaluate(sizes) + beyond).toBe(planned[at]?.executed);
    });
  }
}
