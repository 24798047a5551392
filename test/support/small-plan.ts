/**
 * A plan small enough to read: three kernels by hand, and what they compute, in plain numbers.
 *
 * `classify` squares an affine map of x in three dispatches whose values share the arena. `prefill` and
 * `step` keep, for each row, the sum of all that they were given (state `total`) and how many calls there
 * were (state `calls`, integers).
 */
import type { HostTensor } from "../../src/compiler/host-tensor.ts";
import type { KernelPlan, PlanBinding, PlanDispatch, PlanPlace } from "../../src/compiler/plan.ts";
import { type WeightStream, weightsFrom } from "../../src/runtime/gpu/weight-streams.ts";

const affine = `
struct Sizes { count: u32, period: u32 }
@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read_write> x: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i < sizes.count) { y[i] = x[i] * weight[i % sizes.period] + 1.0; }
}`;

const square = `
@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> count: u32;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < count) { y[id.x] = x[id.x] * x[id.x]; }
}`;

const accumulate = `
struct Sizes { rows: u32, columns: u32 }
@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read_write> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> total: array<f32>;
@group(0) @binding(3) var<storage, read_write> new_total: array<f32>;
@group(0) @binding(4) var<storage, read_write> calls: array<i32>;
@group(0) @binding(5) var<storage, read_write> new_calls: array<i32>;
@group(0) @binding(6) var<storage, read_write> sum: array<f32>;
@compute @workgroup_size(1) fn main(@builtin(global_invocation_id) id: vec3u) {
  var found = total[id.x];
  for (var i = 0u; i < sizes.columns; i++) { found += x[id.x * sizes.columns + i]; }
  new_total[id.x] = found;
  new_calls[id.x] = calls[id.x] + 1;
  sum[id.x] = found;
}`;

const slot = (index: number): PlanBinding => ({ place: { kind: "slot", slot: index } });
const past = (name: string): PlanPlace => ({ kind: "state", state: name, time: "past" });
const present = (name: string): PlanPlace => ({ kind: "state", state: name, time: "present" });
const uncounted = { executed: 0, declared: 0, traffic: 0 } as const;

/** One call of `accumulate`, of `columns` numbers for each of B rows. */
function keeper(name: string, columns: string | number): KernelPlan["entries"][number] {
  const symbols = typeof columns === "string" ? [columns] : [];
  return {
    name,
    symbols: ["B", ...symbols].map((symbol) => ({ name: symbol, minimum: 1 })),
    inputs: [
      { name: "x", dtype: "f32", shape: ["B", columns], at: { kind: "slot", slot: 0 } },
      { name: "total_in", dtype: "f32", shape: ["B", 1], at: past("total"), state: "total" },
      { name: "calls_in", dtype: "i32", shape: ["B"], at: past("calls"), state: "calls" },
    ],
    outputs: [
      { name: "sum", dtype: "f32", shape: ["B"], at: { kind: "slot", slot: 1 } },
      { name: "total_out", dtype: "f32", shape: ["B", 1], at: present("total"), state: "total" },
      { name: "calls_out", dtype: "i32", shape: ["B"], at: present("calls"), state: "calls" },
    ],
    guards: [],
    slots: [
      { label: "x", bytes: ["*", 4, ["*", "B", columns]], above: [], first: -1, last: 0 },
      { label: "sum", bytes: ["*", 4, "B"], above: [0], first: 0, last: 1 },
    ],
    dispatches: [
      {
        kernel: 2,
        path: `decoder.${name}`,
        places: [
          slot(0),
          { place: past("total") },
          { place: present("total") },
          { place: past("calls") },
          { place: present("calls") },
          slot(1),
        ],
        sizes: ["B", columns],
        workgroups: ["B", 1, 1],
        ...uncounted,
      },
    ],
  };
}

const groups = ["ceil", 1 / 64, "N"] as const;
const squaring = (path: string, from: number, to: number): PlanDispatch => ({
  kernel: 1,
  path,
  places: [slot(from), slot(to)],
  sizes: ["N"],
  workgroups: [groups, 1, 1],
  ...uncounted,
});

export const smallPlan: KernelPlan = {
  format: "ossicle-plan",
  version: 1,
  model: "Small",
  weights: [
    { name: "unused", stored: "f16", shape: [3], bytes: 6, from: ["unused"] },
    { name: "weight", stored: "f32", shape: [4], bytes: 16, from: ["encoder.weight"] },
  ],
  kernels: [
    {
      label: "affine",
      code: affine,
      workgroup: [64, 1, 1],
      bindings: ["sizes", "read", "read-write", "read-write"],
      features: [],
      workgroupBytes: 0,
    },
    {
      label: "square",
      code: square,
      workgroup: [64, 1, 1],
      bindings: ["read-write", "read-write", "sizes"],
      features: [],
      workgroupBytes: 0,
    },
    {
      label: "accumulate",
      code: accumulate,
      workgroup: [1, 1, 1],
      bindings: ["sizes", ...new Array<"read-write">(6).fill("read-write")],
      features: [],
      workgroupBytes: 0,
    },
  ],
  entries: [
    {
      name: "classify",
      symbols: [{ name: "N", minimum: 1 }],
      inputs: [{ name: "x", dtype: "f32", shape: ["N"], at: { kind: "slot", slot: 0 } }],
      outputs: [{ name: "y", dtype: "f32", shape: ["N"], at: { kind: "slot", slot: 3 } }],
      guards: [{ relation: "at-most", left: "N", right: 100_000, message: "more would take all day" }],
      slots: [
        { label: "x", bytes: ["*", 4, "N"], above: [], first: -1, last: 0 },
        { label: "affine", bytes: ["*", 4, "N"], above: [0], first: 0, last: 1 },
        // x is not needed any more: its place is taken.
        { label: "square", bytes: ["*", 4, "N"], above: [], first: 1, last: 2 },
        { label: "y", bytes: ["*", 4, "N"], above: [2], first: 2, last: 3 },
      ],
      dispatches: [
        {
          kernel: 0,
          path: "encoder.affine",
          places: [{ place: { kind: "weight", weight: 1 } }, slot(0), slot(1)],
          sizes: ["N", 4],
          workgroups: [groups, 1, 1],
          ...uncounted,
        },
        squaring("encoder.square", 1, 2),
        squaring("encoder.fourth", 2, 3),
      ],
    },
    keeper("prefill", "T"),
    keeper("step", 1),
  ],
};

export const smallWeight = [1, -2, 0.5, 3];

export const smallWeights: WeightStream = weightsFrom("small weights", ({ name }) =>
  name === "weight" ? new Uint8Array(Float32Array.from(smallWeight).buffer) : Uint8Array.of(1, 2, 3, 4, 5, 6),
);

/** What `classify` computes. */
export function classified(x: readonly number[]): number[] {
  return x.map((value, i) => (value * (smallWeight[i % 4] ?? 0) + 1) ** 4);
}

export function f32(shape: readonly number[], values: readonly number[]): HostTensor {
  return { dtype: "f32", shape, data: Float32Array.from(values) };
}

/** Numbers that floats hold exactly, and their fourth powers nearly. */
export function ramp(count: number): number[] {
  return Array.from({ length: count }, (_, i) => ((i % 7) - 3) / 2);
}
