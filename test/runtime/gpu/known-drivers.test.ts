/**
 * What is known of drivers, held against what plans offer: a kernel that no plan has would suit nobody.
 */
import { expect, test } from "vitest";
import { elaborate } from "../../../src/compiler/elaborate.ts";
import { optimize } from "../../../src/compiler/pipeline.ts";
import { compilePlan, type PlanOptions } from "../../../src/compiler/wgsl/compile.ts";
import { DiagnosticSink } from "../../../src/lang/diagnostic.ts";
import { knownToSuit } from "../../../src/runtime/gpu/known-drivers.ts";
import { programOf } from "../../support/program.ts";

const text = `
block Linear(input: int, output: int) {
  param weight: f32[output, input] = normal(0.0, 0.02)
  forward(x: f32[N, input]) -> f32[N, output] = x @ transpose(weight)
}
model Main() {
  input x: f32[N, 64]
  first = Linear(64, 128)
  second = Linear(128, 64)
  entry run(x) -> y: f32[N, 64] = x |> first |> relu |> second
}
`;

function labels(
  variants: PlanOptions["variants"],
  rows = 500,
): { readonly own: string; readonly others: readonly string[] }[] {
  const sink = new DiagnosticSink();
  const elaboration = elaborate(programOf(text, {}, sink), {}, sink);
  if (elaboration === undefined) throw new Error("the program has mistakes");
  const { plan } = compilePlan([optimize(elaboration.graph)], {
    typical: new Map([["N", rows]]),
    ...(variants !== undefined && { variants }),
  });
  const label = (kernel: number): string => plan.kernels[kernel]?.label ?? "";
  return plan.entries.flatMap(({ dispatches }) =>
    dispatches.map(({ kernel, variants = [] }) => ({
      own: label(kernel),
      others: variants.map((variant) => label(variant.kernel)),
    })),
  );
}

const llvmpipe = "mesa software llvmpipe-llvm-19-1-7-256-bits- llvmpipe: Mesa 26.1.6 (LLVM 19.1.7)";

test("products have a kernel that suits llvmpipe, with all others or without them", () => {
  for (const variants of ["known", "all"] as const) {
    const products = labels(variants);
    expect(products).toHaveLength(2);
    for (const { own, others } of products) {
      expect(own).toMatch(/^contract 16x8/);
      expect(others).toContain(knownToSuit(llvmpipe, own));
      if (variants === "known") expect(others).toHaveLength(1);
      else expect(others.length).toBeGreaterThan(4);
    }
  }
  expect(labels(undefined).flatMap(({ others }) => others)).toEqual([]);
});

test("a product of one row is read in fours everywhere", () => {
  for (const { own, others } of labels("all", 1)) {
    expect(others.length).toBeGreaterThan(1);
    expect(others).not.toContain(knownToSuit(llvmpipe, own));
  }
});

test("other adapters run the plan's own", () => {
  for (const name of ["google swiftshader", "nvidia ampere", "unknown"]) {
    expect(knownToSuit(name, "contract 16x8")).toBeUndefined();
  }
});
