/**
 * Full-size plans on a device of WebGPU's default limits, without any weights: what they need whatever the sizes
 * are, what they need at usual sizes, and the rules that no size can change.
 */
import { expect, test } from "vitest";
import type { Graph } from "../../src/compiler/graph.ts";
import { checkPlanRules } from "../../src/compiler/plan-rules.ts";
import { compilePlan } from "../../src/compiler/wgsl/compile.ts";
import { typicalSizes } from "../../src/compiler/wgsl/typical-sizes.ts";
import { problemsWith } from "../../src/runtime/gpu/device.ts";
import { defaultLimits, needsAt } from "../../src/runtime/gpu/needs.ts";
import { graphOf } from "../support/compiled-plans.ts";

const classifier = ["classify", "forward", "features"];
const decoder = ["prefill", "step", "extend", "logits", "masked", "embeds"];

test.each([
  ["AST 10-10", "models/classifiers/ast.oss", classifier, {}],
  ["AST 10-10, pruned", "models/classifiers/ast.oss", classifier, { keep: "0.7" }],
  ["AudioMAE", "models/classifiers/audiomae.oss", classifier, {}],
  ["EAT", "models/classifiers/eat.oss", classifier, {}],
  ["Mamba-2 130m", "models/decoders/mamba2-lm.oss", decoder, { size: "130m" }],
  ["Mamba-2 370m", "models/decoders/mamba2-lm.oss", ["prefill", "step"], { size: "370m" }],
  ["Mamba-2 780m", "models/decoders/mamba2-lm.oss", ["prefill", "step"], { size: "780m" }],
])("%s fits every device", (_, file, entries, settings) => {
  const graphs = entries.map((entry): Graph => graphOf(file, entry, settings));
  const { plan } = compilePlan(graphs);
  expect(checkPlanRules(plan)).toEqual([]);
  expect(problemsWith(plan, { limits: defaultLimits, features: new Set() })).toEqual([]);
  for (const [index, entry] of plan.entries.entries()) {
    const graph = graphs[index];
    if (graph === undefined) throw new Error("an entry was lost");
    const over = needsAt(entry, typicalSizes(graph)).filter(
      ({ limit, amount }) => amount > defaultLimits[limit],
    );
    expect(over.map(({ what }) => what)).toEqual([]);
  }
});
