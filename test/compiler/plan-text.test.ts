/**
 * Plans as people read them, held by fixtures. `--update` rewrites the texts: read what changed before
 * committing it.
 */
import { expect, test } from "vitest";
import type { KernelPlan } from "../../src/compiler/plan.ts";
import { printKernel, printPlan } from "../../src/compiler/plan-text.ts";
import { dimOf, sizeOf } from "../../src/compiler/wgsl/size.ts";
import { Dim } from "../../src/lang/dims.ts";
import { layOutSlots, mostAlive } from "../../src/runtime/gpu/slot-layout.ts";
import { compilePlanOf } from "../support/compiled-plans.ts";
import { root } from "../support/product-files.ts";
import { smallPlan } from "../support/small-plan.ts";

const fixture = (name: string): string => `${root}test/fixtures/plans/${name}.txt`;

function printed(plan: KernelPlan, at: Readonly<Record<string, number>>, values: boolean): string {
  const symbols = new Map(Object.entries(at));
  const arenas = new Map(
    plan.entries.map((entry) => {
      const layout = layOutSlots(entry, symbols);
      return [entry.name, { at: symbols, bytes: layout.bytes, live: mostAlive(entry, layout) }];
    }),
  );
  return printPlan(plan, { arenas, values, wgsl: false });
}

test("a plan written by hand", async () => {
  await expect(printed(smallPlan, { N: 100, B: 2, T: 3 }, false)).toMatchFileSnapshot(fixture("small"));
});

test("a classifier that scores and prunes, for any length of sound", async () => {
  const plan = compilePlanOf("models/classifiers/ast.oss", "classify", {
    ...{ frames: "32", bins: "32", labels: "3", width: "24", depth: "1", heads: "3", hidden: "48" },
    ...{ keep: "0.5", at: "[0]" },
  });
  await expect(printed(plan, { T: 8000 }, false)).toMatchFileSnapshot(fixture("pruned-classifier"));
});

test("a step of a recurrent decoder, with numbers behind the formulas", async () => {
  const plan = compilePlanOf("models/decoders/mamba2-lm.oss", "step", {
    decoder: "Mamba2(width: 32, depth: 1, head_width: 16, state: 8, vocabulary: 48, chunk: 4)",
  });
  await expect(printed(plan, { B: 2 }, true)).toMatchFileSnapshot(fixture("recurrent-step"));
});

test("a kernel with its text", () => {
  expect(printKernel(smallPlan, 1)).toBe(
    `kernel 1: square: workgroups of 64 x 1 x 1, 2 storage buffers, in 2 dispatches\n${smallPlan.kernels[1]?.code.trimEnd()}\n`,
  );
  expect(printKernel(smallPlan, 3)).toBe("");
});

test("a size is what it was made of", () => {
  const [n, m] = [Dim.symbol("N"), Dim.symbol("M")];
  const dims = [
    Dim.of(7),
    n,
    n.mul(m).add(3),
    n.sub(240).floorDivide(160),
    Dim.min(n, 5).add(Dim.max(m, 2)),
    Dim.scaled("ceil", 0.7, n.add(1)),
  ];
  for (const dim of dims) expect(dimOf(sizeOf(dim)).key).toBe(dim.key);
});
