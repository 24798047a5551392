/** Ops that are loops: the multiply-adds that each stage states are those that it runs. */
import { expect, test } from "vitest";
import { normalizeAttributes } from "../../../src/compiler/attribute-form.ts";
import { evaluateLoops } from "../../../src/compiler/evaluate-loops.ts";
import { allocate } from "../../../src/compiler/host-tensor.ts";
import { ops } from "../../../src/compiler/ops/index.ts";
import type { OpDefinition, Sample } from "../../../src/compiler/ops/op.ts";
import { Dim } from "../../../src/lang/dims.ts";
import type { TensorType } from "../../../src/lang/types.ts";
import { sampleOperands } from "../../support/samples.ts";

const looping = ops.filter(({ lowering }) => lowering.kind === "kernel");

test("there are such ops", () => expect(looping.map(({ name }) => name)).toEqual(["causal_conv", "ssd"]));

const cases = looping.flatMap((op) => op.samples.map((sample, at) => [op.name, at, op, sample] as const));

test.each(cases)("%s %i", (_, __, op, sample) => {
  const { stages, declared } = stagesOf(op, sample);
  for (const { name, stated, run } of stages) expect({ name, run }).toEqual({ name, run: stated });
  const explained = stages.reduce((sum, stage) => sum + stage.declared, 0);
  expect(explained).toBe(declared);
});

function stagesOf(op: OpDefinition, sample: Sample) {
  const tensors = sampleOperands(sample, 5);
  const operands = tensors.map(
    ({ dtype, shape }): TensorType => ({ dtype, shape: shape.map((size) => Dim.of(size)) }),
  );
  const attributes = normalizeAttributes(op, sample.attributes);
  const inference = op.infer(operands, attributes);
  if (!inference.ok || op.lowering.kind !== "kernel") throw new Error(`${op.name} has no loops`);
  const results = inference.results.map(({ type }) => type);
  const context = { operands, results, attributes };
  const program = op.lowering.loops(context);
  const numbers = (dim: Dim): number => dim.evaluate(new Map());
  const run = evaluateLoops(
    program,
    tensors,
    results.map(({ dtype, shape }) => allocate(dtype, shape.map(numbers))),
  );
  const stages = program.stages.map(({ name, grid, wide, macs, shared, overhead = [] }, at) => {
    // Here nothing is taken together: what neighbours could share, each computes.
    const alone =
      shared === undefined || wide === undefined
        ? 0
        : numbers(shared.macs) * numbers(grid[wide] ?? Dim.of(1));
    const beyond = overhead.reduce((sum, part) => sum + numbers(part.macs), 0);
    return { name, stated: numbers(macs) + alone, run: run[at], declared: numbers(macs) - beyond };
  });
  return { stages, declared: numbers(op.cost(context).macs) };
}
