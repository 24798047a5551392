/** The recorded cases of low-rank adaptation, merged and live, on both targets. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "vitest";
import type { HostTensor } from "../src/compiler/host-tensor.ts";
import { writeSafetensors } from "../src/runtime/safetensors-writer.ts";
import { temporaryFolder } from "./support/cli.ts";
import {
  closenessOf,
  goldenFile,
  goldenOutputs,
  type RunRequest,
  runToTensors,
  targets,
} from "./support/golden.ts";
import { expectClose, readTensors, tensorOf } from "./support/tensors.ts";

const file = "../test/fixtures/models/adapters.oss";
const given = (name: string, tensor: string): string =>
  `${goldenFile(`${name}/inputs.safetensors`)}:${tensor}`;

/** A checkpoint and its adapter as one file, each tensor by the name that it was saved with. */
async function withAdapter(name: string): Promise<string> {
  const tensors = new Map<string, HostTensor>();
  for (const part of ["weights", "adapter_model"]) {
    for (const [key, tensor] of await readTensors(goldenFile(`${name}/${part}.safetensors`))) {
      tensors.set(key, tensor);
    }
  }
  const path = join(temporaryFolder(), "adapted.safetensors");
  const chunks: Uint8Array[] = [];
  await writeSafetensors(tensors, {
    write: async (bytes) => {
      chunks.push(bytes.slice());
    },
  });
  writeFileSync(path, Buffer.concat(chunks));
  return path;
}

describe.each(targets)("on %s", (target) => {
  describe.each([
    ["merged", true],
    ["live", false],
  ])("%s", (_, merged) => {
    test.each([
      ["lora", false],
      ["rslora", true],
    ])("a layer: %s", async (kind, stabilised) => {
      const name = "lora-linear";
      const request: RunRequest = {
        file,
        model: "Layer",
        entry: "run",
        settings: { merged: String(merged), stabilised: String(stabilised) },
        weights: await withAdapter(name),
        inputs: { x: given(name, "x") },
        target,
      };
      const want = tensorOf(await goldenOutputs(name), `${kind}.${merged ? "merged" : "unmerged"}`);
      expectClose(tensorOf(await runToTensors(request), "y"), want, closenessOf(target), kind);
    });

    test("every in_proj of Mamba-2", async () => {
      const name = "lora-mamba2";
      const layers = [0, 1].map((layer) => `backbone.layers.${layer}`);
      const got = await runToTensors({
        file,
        model: "Adapted",
        entry: "logits",
        settings: { merged: String(merged) },
        weights: await withAdapter(name),
        inputs: { input_ids: given(name, "input_ids") },
        taps: layers,
        target,
      });
      const want = await goldenOutputs(name);
      for (const [index, layer] of layers.entries()) {
        const recorded = tensorOf(want, `lora.hidden.layer${index}`);
        expectClose(tensorOf(got, layer), recorded, closenessOf(target), layer);
      }
      expectClose(tensorOf(got, "logits"), tensorOf(want, "lora.logits"), closenessOf(target), "logits");
    });
  });

  test("without the adapter", async () => {
    for (const [name, model, entry, input, result, tensor] of [
      ["lora-linear", "PlainLayer", "run", "x", "y", "base"],
      ["lora-mamba2", "Plain", "logits", "input_ids", "logits", "base.logits"],
    ] as const) {
      const got = await runToTensors({
        file,
        model,
        entry,
        weights: goldenFile(`${name}/weights.safetensors`),
        inputs: { [input]: given(name, input) },
        target,
      });
      const want = tensorOf(await goldenOutputs(name), tensor);
      expectClose(tensorOf(got, result), want, closenessOf(target), name);
    }
  });
});
