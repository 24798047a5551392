/**
 * The rules of WebGPU, each with a plan that breaks it.
 */
import { expect, test } from "vitest";
import type {
  KernelPlan,
  PlanBinding,
  PlanDispatch,
  PlanEntry,
  PlanKernel,
} from "../../src/compiler/plan.ts";
import { checkPlanRules } from "../../src/compiler/plan-rules.ts";
import { compilePlanOf } from "../support/compiled-plans.ts";
import { smallPlan } from "../support/small-plan.ts";

const broken = (plan: KernelPlan): string[] =>
  checkPlanRules(plan).map(({ path, message }) => `${path}: ${message}`);

function withEntry(change: (entry: PlanEntry) => PlanEntry): KernelPlan {
  const [first, ...others] = smallPlan.entries;
  if (first === undefined) throw new Error("no entry");
  return { ...smallPlan, entries: [change(first), ...others] };
}

const withDispatch = (at: number, changes: Partial<PlanDispatch>): KernelPlan =>
  withEntry((entry) => ({
    ...entry,
    dispatches: entry.dispatches.map((one, index) => (index === at ? { ...one, ...changes } : one)),
  }));

const withKernel = (at: number, changes: Partial<PlanKernel>): KernelPlan => ({
  ...smallPlan,
  kernels: smallPlan.kernels.map((one, index) => (index === at ? { ...one, ...changes } : one)),
});

const slot = (number: number): PlanBinding => ({ place: { kind: "slot", slot: number } });
const weight: PlanBinding = { place: { kind: "weight", weight: 1 } };

test("plans that keep them all", () => {
  expect(broken(smallPlan)).toEqual([]);
  const pruned = compilePlanOf("models/classifiers/audiomae.oss", "classify", {
    ...{ frames: "32", bins: "32", labels: "3", width: "24", depth: "2", heads: "3", hidden: "48" },
    ...{ keep: "0.5", at: "[0]" },
  });
  expect(broken(pruned)).toEqual([]);
});

test.each<[string, KernelPlan, string]>([
  [
    "one buffer read-only and read-write",
    withKernel(1, { bindings: ["read", "read-write", "sizes"] }),
    "encoder.square: The dispatch binds the arena both read-only and read-write.",
  ],
  [
    "one slot twice",
    withDispatch(1, { places: [slot(1), slot(1)] }),
    "encoder.square: Bindings 0 and 1 of the dispatch may overlap, and one is written.",
  ],
  [
    "a slot that may overlap another",
    withDispatch(2, { places: [slot(1), slot(3)] }),
    "encoder.fourth: Bindings 0 and 1 of the dispatch may overlap, and one is written.",
  ],
  [
    "a weight that is written",
    withKernel(0, { bindings: ["sizes", "read-write", "read-write", "read-write"] }),
    "encoder.affine: The dispatch writes weight 1.",
  ],
  [
    "a value that is gone",
    withDispatch(2, { places: [slot(1), slot(3)] }),
    "encoder.fourth: Dispatch 2 binds slot 1, which is not alive then.",
  ],
  [
    "a range that begins anywhere",
    withDispatch(0, { places: [{ ...weight, range: { start: 4, bytes: 8 } }, slot(0), slot(1)] }),
    "encoder.affine: A binding begins at byte 4, which is no multiple of 256.",
  ],
  [
    "a range that ends nowhere",
    withDispatch(0, { places: [{ ...weight, range: { start: 0, bytes: 32 } }, slot(0), slot(1)] }),
    "encoder.affine: A binding ends at byte 32 of a weight of 16.",
  ],
  [
    "too few buffers",
    withDispatch(1, { places: [slot(1)] }),
    "encoder.square: The kernel square binds 2 buffers, and 1 are given.",
  ],
  [
    "workgroups that may be fewer than none",
    withDispatch(1, { workgroups: [["+", "N", -2], 1, 1] }),
    "encoder.square: The number of workgroups, N - 2, may be negative.",
  ],
  [
    "a slot of odd bytes",
    withEntry((entry) => ({
      ...entry,
      slots: entry.slots.map((one, index) => (index === 3 ? { ...one, bytes: ["*", 2, "N"] } : one)),
    })),
    "y: Slot 3 has 2*N bytes, which is no multiple of 4.",
  ],
  [
    "two that are alive together and lie where they like",
    withEntry((entry) => ({
      ...entry,
      slots: entry.slots.map((one, index) => (index === 1 ? { ...one, above: [] } : one)),
    })),
    "affine: Slots 0 and 1 are alive together and may overlap.",
  ],
])("%s", (_, plan, message) => {
  expect(broken(plan)).toContain(message);
});
