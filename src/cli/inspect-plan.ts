/**
 * `ossicle inspect --stage plan`: the kernel plan of an entry.
 *
 * Owns: which of it is printed. The plan depends on no weight and on no size; numbers only show what its
 * formulas come to.
 */
import type { Graph } from "../compiler/graph.ts";
import { printKernel, printPlan } from "../compiler/plan-text.ts";
import { compilePlan } from "../compiler/wgsl/compile.ts";
import { failure } from "../runtime/failure.ts";
import type { Output } from "./output.ts";
import { type GivenSizes, measuredArenas, sizesOf } from "./plan-sizes.ts";

export interface InspectPlanOptions extends GivenSizes {
  readonly wgsl?: boolean;
  readonly kernel: readonly number[];
}

/** @throws DiagnosticError `unknown-kernel`, and for sizes that are none */
export function inspectPlan(graph: Graph, model: string, options: InspectPlanOptions, output: Output): void {
  const sizes = sizesOf([graph], options);
  const { plan } = compilePlan([graph], { model });
  const missing = options.kernel.find((index) => index >= plan.kernels.length);
  if (missing !== undefined) {
    throw failure("unknown-kernel", `The plan of ${graph.name} has no kernel ${missing}.`, {
      hint: `its kernels are 0 to ${plan.kernels.length - 1}`,
    });
  }
  const arenas = measuredArenas(plan, sizes);
  const text =
    options.kernel.length > 0
      ? options.kernel.map((index) => printKernel(plan, index)).join("\n")
      : printPlan(plan, {
          arenas,
          values: options.at.size > 0 || options.seconds !== undefined,
          wgsl: options.wgsl === true,
        });
  output.set("text", text);
  output.set("plan", plan);
  output.set(
    "arenas",
    [...arenas].map(([entry, { at, bytes, live }]) => ({ entry, at: Object.fromEntries(at), bytes, live })),
  );
  output.line(text.trimEnd());
}
