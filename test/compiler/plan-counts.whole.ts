/**
 * What full-size plans hold, without any weights: dispatches, bindings, the arena.
 */
import { expect, test } from "vitest";
import { elaborate } from "../../src/compiler/elaborate.ts";
import { optimize } from "../../src/compiler/pipeline.ts";
import type { KernelPlan, PlanEntry } from "../../src/compiler/plan.ts";
import { compilePlan } from "../../src/compiler/wgsl/compile.ts";
import { DiagnosticError, DiagnosticSink } from "../../src/lang/diagnostic.ts";
import { problemsWith } from "../../src/runtime/gpu/device.ts";
import { defaultLimits } from "../../src/runtime/gpu/needs.ts";
import { evaluateSize } from "../../src/runtime/gpu/sizes.ts";
import { layOutSlots } from "../../src/runtime/gpu/slot-layout.ts";
import { reducedProgram } from "../support/reduced-models.ts";

interface Request {
  readonly file: string;
  readonly entry: string;
  readonly settings?: Readonly<Record<string, string>>;
}

function planOf({ file, entry, settings = {} }: Request): KernelPlan {
  const sink = new DiagnosticSink();
  const request = { entry, settings: new Map(Object.entries(settings)) };
  const elaboration = elaborate(reducedProgram({ file }), request, sink);
  if (elaboration === undefined) throw new DiagnosticError(sink.sorted());
  return compilePlan([optimize(elaboration.graph)]).plan;
}

function entryOf({ entries }: KernelPlan): PlanEntry {
  const [entry] = entries;
  if (entry === undefined) throw new Error("the plan has no entry");
  return entry;
}

/** Dispatches whose path lies in `part`. */
const within = (entry: PlanEntry, part: string): number =>
  entry.dispatches.filter(({ path }) => path === part || path.startsWith(`${part}.`)).length;

function expectDefaultDevice(plan: KernelPlan): void {
  const problems = problemsWith(plan, { limits: defaultLimits, features: new Set() });
  expect(problems.map(({ message }) => message)).toEqual([]);
}

/** The arena over the most that is alive at once, at these sizes. */
function arenaOverLive(entry: PlanEntry, sizes: Readonly<Record<string, number>>): number {
  const symbols = new Map(Object.entries(sizes));
  const { bytes } = layOutSlots(entry, symbols);
  const aligned = entry.slots.map(
    (slot) => Math.ceil(Math.max(1, evaluateSize(slot.bytes, symbols)) / 256) * 256,
  );
  let most = 0;
  for (let at = -1; at <= entry.dispatches.length; at++) {
    const live = entry.slots.reduce(
      (sum, { first, last }, slot) => sum + (first <= at && at <= last ? (aligned[slot] ?? 0) : 0),
      0,
    );
    most = Math.max(most, live);
  }
  return bytes / most;
}

const audioMae = { file: "models/classifiers/audiomae.oss", entry: "forward" };

test("a block of a vision transformer takes five dispatches", () => {
  const plan = planOf(audioMae);
  const entry = entryOf(plan);
  for (let block = 1; block < 11; block++) expect(within(entry, `blocks.${block}`)).toBe(5);
  expectDefaultDevice(plan);
  expect(arenaOverLive(entry, { B: 1 })).toBeLessThanOrEqual(1.15);
});

test("a pruning site takes two more: one for the scores, one that selects, moves and normalises", () => {
  const plan = planOf({ ...audioMae, settings: { keep: "0.7" } });
  const entry = entryOf(plan);
  const blocks = Array.from({ length: 12 }, (_, block) => within(entry, `blocks.${block}`));
  expect(blocks.slice(1, 11)).toEqual([5, 5, 7, 5, 5, 7, 5, 5, 7, 5]);
  expectDefaultDevice(plan);
  expect(arenaOverLive(entry, { B: 1 })).toBeLessThanOrEqual(1.15);
});

test("queries, keys and values with weights of their own are one product", () => {
  const plan = planOf({ file: "models/classifiers/ast.oss", entry: "forward" });
  const entry = entryOf(plan);
  for (let layer = 1; layer < 11; layer++)
    expect(within(entry, `audio_spectrogram_transformer.encoder.layer.${layer}`)).toBe(5);
  expectDefaultDevice(plan);
});

const mamba = "models/decoders/mamba2-lm.oss";

test.each(["130m", "780m"])("a layer of Mamba-2 %s takes four dispatches in a step", (size) => {
  const plan = planOf({ file: mamba, entry: "step", settings: { size } });
  const entry = entryOf(plan);
  // The first layer reads the table of all tokens, which may be in parts: then its norm keeps a dispatch.
  expect(within(entry, "backbone.layers.0")).toBeLessThanOrEqual(5);
  for (const layer of [1, 23]) expect(within(entry, `backbone.layers.${layer}`)).toBe(4);
  expectDefaultDevice(plan);
  expect(arenaOverLive(entry, { B: 1 })).toBeLessThanOrEqual(1.15);
});

test("a layer of Mamba-2 takes eight dispatches in a prefill", () => {
  const plan = planOf({ file: mamba, entry: "prefill" });
  const entry = entryOf(plan);
  for (const layer of [1, 22]) expect(within(entry, `backbone.layers.${layer}`)).toBe(8);
  expectDefaultDevice(plan);
  expect(arenaOverLive(entry, { B: 1, L: 600 })).toBeLessThanOrEqual(1.15);
});

test("a head whose table is in parts finds out once in which part a column is", () => {
  const plan = planOf({ file: mamba, entry: "step" });
  const { kernel, places = [] } = entryOf(plan).dispatches.at(-1) ?? {};
  const code = plan.kernels[kernel ?? -1]?.code ?? "";
  expect(places.filter(({ place }) => place.kind === "weight")).toHaveLength(2);
  expect(code.match(/\bfor \(/g)).toHaveLength(2);
  expect(code).not.toMatch(/\bfn quad\d+\(i: i32\) -> vec4<f32> \{ if/);
});
