/**
 * Fast movement against the references of the ops that move.
 */
import { describe, expect, it } from "vitest";
import { normalizeAttributes } from "../../src/compiler/attribute-form.ts";
import type { HostTensor } from "../../src/compiler/host-tensor.ts";
import { elementCount } from "../../src/compiler/host-tensor.ts";
import { move } from "../../src/compiler/movement.ts";
import { bindAttributes } from "../../src/compiler/ops/attributes.ts";
import { findOp } from "../../src/compiler/ops/index.ts";
import type { Attributes } from "../../src/lang/catalog.ts";
import { Dim } from "../../src/lang/dims.ts";

const dims = (...sizes: number[]) => sizes.map((size) => Dim.of(size));

function counting(...shape: number[]): HostTensor {
  return { dtype: "f32", shape, data: Float32Array.from({ length: elementCount(shape) }, (_, i) => i) };
}

/** What `move` gives, and what the op's reference gives. */
function both(name: string, operands: readonly HostTensor[], given: Attributes) {
  const op = findOp(name);
  if (!op) throw new Error(`there is no op ${name}`);
  const attributes = normalizeAttributes(op, given);
  const types = operands.map(({ dtype, shape }) => ({ dtype, shape: dims(...shape) }));
  const inference = op.infer(types, attributes);
  if (!inference.ok) throw new Error(inference.problem.message);
  const results = inference.results.map((result) => result.type);
  const bound = new Map<string, number>();
  return {
    moved: move(op.lowering, operands, { operands: types, results, attributes }),
    reference: op.reference(operands, {
      attributes: bindAttributes(attributes, bound),
      results: results.map(({ dtype, shape }) => ({ dtype, shape: shape.map((dim) => dim.evaluate(bound)) })),
      meter: { mac: (accumulator, a, b) => accumulator + a * b, add: () => {} },
    })[0],
  };
}

describe("move", () => {
  it.each<[string, readonly number[], Attributes]>([
    ["transpose", [3, 5], {}],
    ["transpose", [33, 70], {}],
    ["transpose", [2, 35, 3, 40], { permutation: [2, 0, 3, 1] }],
    ["transpose", [0, 4], {}],
    ["transpose", [2, 3, 4], { permutation: [0, 1, 2] }],
    ["slice", [5, 7], { starts: dims(1, 2), stops: dims(4, 7), steps: [1, 3] }],
    ["slice", [9], { starts: dims(3), stops: dims(8), steps: [2] }],
    ["expand", [3, 1], { shape: dims(2, 3, 4) }],
    ["expand", [], { shape: dims(2, 2) }],
  ])("runs %s of %j as its reference does, in the storage it came in", (name, shape, attributes) => {
    const { moved, reference } = both(name, [counting(...shape)], attributes);
    expect(moved?.data).toBeInstanceOf(Float32Array);
    expect(moved?.shape).toEqual(reference?.shape);
    expect([...(moved?.data ?? [])]).toEqual([...(reference?.data ?? [])]);
  });

  it.each<[string, readonly HostTensor[], Attributes]>([
    ["concat", [counting(2, 3), counting(2, 1)], { axis: 1 }],
    ["pad", [counting(3)], { before: dims(1), after: dims(0), value: 0 }],
    ["neg", [counting(3)], {}],
  ])("leaves %s to others", (name, operands, attributes) => {
    expect(both(name, operands, attributes).moved).toBeUndefined();
  });
});
