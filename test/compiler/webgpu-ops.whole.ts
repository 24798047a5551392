/**
 * Every sample of every op on a device: WebGPU against the op's reference, with numbers for dimensions
 * and with symbols, at two sizes.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { HostTensor } from "../../src/compiler/host-tensor.ts";
import { ops } from "../../src/compiler/ops/index.ts";
import type { OpDefinition, Sample } from "../../src/compiler/ops/op.ts";
import { compilePlan } from "../../src/compiler/wgsl/compile.ts";
import { GpuModel } from "../../src/runtime/gpu/model.ts";
import { weightsFrom } from "../../src/runtime/gpu/weight-streams.ts";
import { describeWebGpu, openTestDevice, openTestGpu } from "../support/gpu.ts";
import { noWeights } from "../support/no-weights.ts";
import {
  type Case,
  expectClose,
  expectedResults,
  fixedCase,
  operandsFor,
  symbolicCase,
} from "../support/op-cases.ts";

let gpu: GPU;
let device: GPUDevice;

/** A device has integers of 32 bits; the runtime refuses larger ones. */
const isNarrow = ({ dtype, data }: HostTensor): boolean =>
  dtype !== "i64" || [...data].every((value) => Math.abs(value) < 2 ** 31);

async function check(op: OpDefinition, sample: Sample, { graph, bindings }: Case): Promise<void> {
  const { plan, stored } = compilePlan([graph]);
  const weights = weightsFrom("constants", ({ name }) => stored.read(name, noWeights));
  const model = await GpuModel.load(plan, weights, { gpu, device });
  try {
    for (const sizes of bindings) {
      const operands = operandsFor(graph, sample, sizes);
      const session = model.session();
      const inputs = new Map(operands.map((tensor, index) => [`x${index}`, tensor]));
      if (!operands.every(isNarrow)) {
        await expect(session.call(graph.name, inputs)).rejects.toThrow(/no integer of 32 bits/);
        continue;
      }
      const { outputs } = await session.call(graph.name, inputs);
      const want = expectedResults(op, graph, operands, sizes);
      want.forEach((tensor, index) => {
        expectClose(outputs.get(`y${index}`), tensor, op.tolerance);
      });
      expect(outputs.size).toBe(want.length);
    }
  } finally {
    model.dispose();
  }
}

describeWebGpu("on a device", () => {
  beforeAll(async () => {
    gpu = await openTestGpu();
    device = await openTestDevice({ requiredLimits: { maxStorageBuffersPerShaderStage: 10 } }, gpu);
  });
  afterAll(() => device.destroy());

  describe.each(ops.map((op) => [op.name, op] as const))("%s", (_, op) => {
    it.each(op.samples.map((sample, index) => [index, sample] as const))(
      "sample %i",
      async (_index, sample) => {
        await check(op, sample, fixedCase(op, sample));
      },
    );

    const symbolic = op.samples.flatMap((sample, index) => {
      const found = symbolicCase(op, sample);
      return found ? [[index, sample, found] as const] : [];
    });
    if (symbolic.length > 0) {
      it.each(symbolic)("sample %i with symbols", async (_index, sample, found) => {
        await check(op, sample, found);
      });
    }
  });
});
