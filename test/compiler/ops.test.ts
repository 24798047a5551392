/**
 * What every op must satisfy, run over the registry: a new op gets these tests by being listed.
 */
import { describe, expect, test } from "vitest";
import { evaluateLowering } from "../../src/compiler/evaluate.ts";
import { elementCount, type HostTensor } from "../../src/compiler/host-tensor.ts";
import { CountingMeter } from "../../src/compiler/ops/arithmetic.ts";
import { bindAttributes, completeAttributes } from "../../src/compiler/ops/attributes.ts";
import { byName, catalog, findOp, ops } from "../../src/compiler/ops/index.ts";
import type { OpDefinition, Sample } from "../../src/compiler/ops/op.ts";
import { Dim } from "../../src/lang/dims.ts";
import { printType, type TensorType } from "../../src/lang/types.ts";
import { sampleOperands } from "../support/samples.ts";

const numberOfSeeds = 2;

function typeOf(tensor: HostTensor): TensorType {
  return { dtype: tensor.dtype, shape: tensor.shape.map((size) => Dim.of(size)) };
}

/** One sample with its operands drawn, its types inferred and its reference run. */
function runSample(op: OpDefinition, sample: Sample, seed: number) {
  const operands = sampleOperands(sample, seed);
  const attributes = completeAttributes(op.attributes, sample.attributes);
  const types = operands.map(typeOf);
  const inference = op.infer(types, sample.attributes);
  if (!inference.ok) throw new Error(`${op.name} refuses its own sample: ${inference.problem.message}`);
  const inferred = inference.results.map((result) => result.type);
  const results = inferred.map((type) => ({
    dtype: type.dtype,
    shape: type.shape.map((d) => d.constant ?? -1),
  }));
  const meter = new CountingMeter();
  const bound = bindAttributes(attributes, new Map());
  const tensors = op.reference(operands, { attributes: bound, results, meter });
  const cost = op.cost({ operands: types, results: inferred, attributes });
  return { operands, bound, inference, inferred, results, tensors, meter, cost };
}

function describeSample(sample: Sample): string {
  return sample.operands.map((o) => `${o.dtype}[${o.shape.join(", ")}]`).join(", ");
}

describe.each(ops.map((op) => [op.name, op] as const))("%s", (_, op) => {
  test("says where it comes from and how it is checked", () => {
    expect(op.summary).toMatch(/\.$/);
    expect(op.source.length).toBeGreaterThan(3);
    expect(op.samples.length).toBeGreaterThanOrEqual(2);
    expect(op.tolerance.absolute).toBeGreaterThanOrEqual(0);
    expect(op.tolerance.relative).toBeGreaterThanOrEqual(0);
    expect(op.roles).toHaveLength(op.operands.length);
    expect(Object.isFrozen(op)).toBe(true);
    for (const [name, spec] of Object.entries(op.attributes)) expect(spec.doc, name).not.toBe("");
  });

  test("refuses an attribute that it does not have", () => {
    const [first] = op.samples;
    const types = (first?.operands ?? []).map((o) => ({
      dtype: o.dtype,
      shape: o.shape.map((n) => Dim.of(n)),
    }));
    const inference = op.infer(types, { ...first?.attributes, nonsense: 1 });
    expect(inference.ok ? "accepted" : inference.problem.message).toContain("nonsense");
  });

  test.each(op.samples.map((sample) => [describeSample(sample), sample] as const))(
    "on %s",
    (_name, sample) => {
      for (let seed = 1; seed <= numberOfSeeds; seed++) {
        const run = runSample(op, sample, seed);
        expect(run.inference.ok && run.inference.requirements).toEqual([]);

        // The reference fills exactly what inference promised.
        expect(run.tensors.map((t) => printType(typeOf(t)))).toEqual(run.inferred.map(printType));
        for (const tensor of run.tensors) expect(tensor.data).toHaveLength(elementCount(tensor.shape));

        // Multiply-adds: declared = counted.
        expect(run.cost.macs.constant).toBe(run.meter.macs);
        expect(run.cost.scalar.constant).toBeGreaterThanOrEqual(0);

        const lowered = evaluateLowering(op.lowering, run.operands, {
          results: run.results,
          attributes: run.bound,
        });
        run.tensors.forEach((tensor, at) => {
          expectClose(lowered[at], tensor);
        });
      }
    },
  );
});

function expectClose(got: HostTensor | undefined, want: HostTensor): void {
  expect(got?.shape).toEqual(want.shape);
  expect(got?.dtype).toBe(want.dtype);
  want.data.forEach((value, at) => {
    const found = got?.data[at] ?? Number.NaN;
    const error = Math.abs(found - value);
    if (!(error <= 1e-12 + 1e-12 * Math.abs(value))) expect.fail(`element ${at} is ${found}, not ${value}`);
  });
}

describe("the catalogue", () => {
  test("finds every op by its name and no other", () => {
    expect(catalog.names()).toEqual(ops.map((op) => op.name));
    for (const op of ops) expect(findOp(op.name)).toBe(op);
    expect(catalog.find("nonsense")).toBeUndefined();
    expect(catalog.find("constructor")).toBeUndefined();
  });

  test("refuses two ops of one name", () => {
    expect(() => byName([...ops, ...ops.slice(0, 1)])).toThrow("two ops are called");
  });
});
