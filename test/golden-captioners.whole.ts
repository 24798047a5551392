/** The recorded captioner, from features to the ids it generates, on both targets. */
import { describe, expect, test } from "vitest";
import type { HostTensor } from "../src/compiler/host-tensor.ts";
import { closenessOf, goldenFile, goldenOutputs, runToFile, type Target, targets } from "./support/golden.ts";
import { expectClose, expectSame, readTensors, rowOf, tensorOf } from "./support/tensors.ts";

const name = "e2e-tiny";
const encoder = "encoder.audio_spectrogram_transformer";
const states = [0, 1].flatMap((layer) =>
  ["conv1d.conv_state", "ssm_state"].map((kind) => `decoder.backbone.layers.${layer}.mixer.${kind}`),
);

interface Request {
  readonly entry: string;
  readonly inputs: Readonly<Record<string, string>>;
  readonly taps?: readonly string[];
}

/** Runs an entry and gives the file; after `before`, it goes on from the state which that call left. */
async function run(order: string, target: Target, request: Request, before?: string): Promise<string> {
  const past = states.map((state) => [`past.${state}`, `${before}:present.${state}`]);
  return await runToFile({
    file: "../test/fixtures/models/captioners.oss",
    model: "Tiny",
    settings: { order },
    weights: goldenFile(`${name}/weights.safetensors`),
    target,
    ...request,
    inputs: { ...request.inputs, ...(before !== undefined && Object.fromEntries(past)) },
  });
}

describe.each(targets)("on %s", (target) => {
  test.each([
    ["score", "score_order"],
    ["original", "index_order"],
  ])("in the %s order: what is kept, what is read, and greedy ids", async (order, prefix) => {
    const want = await goldenOutputs(name);
    const path = (tensor: string): HostTensor => tensorOf(want, `${prefix}.${tensor}`);
    const layer = (index: number): string => `${encoder}.encoder.layer.${index}.tokens`;
    const given = `${goldenFile(`${name}/inputs.safetensors`)}`;
    let file = await run(order, target, {
      entry: "prefill",
      inputs: { input_values: `${given}:input_values`, prompt: `${given}:text_ids` },
      taps: [1, 2, 3].flatMap((site) => [`${layer(site)}.scores`, `${layer(site)}.origin`]),
    });
    const first = await readTensors(file);
    expectClose(tensorOf(first, "tokens"), path("audio_embeds"), closenessOf(target), "tokens");
    expectClose(tensorOf(first, "logits"), path("prefill_logits"), closenessOf(target), "prefill");
    const scores = tensorOf(want, "encoder.drop0.scores");
    expectClose(tensorOf(first, `${layer(1)}.scores`), scores, closenessOf(target), "scores");
    const kept = tensorOf(want, "encoder.kept_global");
    const places = order === "score" ? kept.data : [...kept.data].sort((a, b) => a - b);
    expectSame(
      tensorOf(first, `${layer(3)}.origin`),
      { ...kept, data: Float64Array.from(places) },
      "what is kept",
    );

    const labels = await readTensors(
      await run(order, target, { entry: "classify", inputs: { input_values: `${given}:input_values` } }),
    );
    expectClose(tensorOf(labels, "logits"), tensorOf(want, "encoder.logits"), closenessOf(target), "labels");

    // Each row of the case is what an id was chosen from; the first is the end of the text.
    const ids: number[] = [];
    const [length = 0] = rowOf(tensorOf(first, "logits"), 0).shape;
    let last = rowOf(rowOf(tensorOf(first, "logits"), 0), length - 1);
    for (let step = 0; step < 12; step++) {
      const recorded = rowOf(rowOf(path("step_logits"), 0), step);
      expectClose(last, recorded, closenessOf(target), `step ${step}`);
      const id = last.data.indexOf(Math.max(...last.data));
      ids.push(id);
      file = await run(order, target, { entry: "step", inputs: { token: `[[${id}]]` } }, file);
      last = rowOf(tensorOf(await readTensors(file), "logits"), 0);
    }
    expect(ids).toEqual([...path("new_ids").data]);
  });
});

test("the order of the tokens matters to the decoder", async () => {
  const want = await goldenOutputs(name);
  const [score, index] = ["score_order", "index_order"].map((prefix) =>
    tensorOf(want, `${prefix}.step_logits`),
  );
  const largest = Math.max(...[...(score?.data ?? [])].map((x, i) => Math.abs(x - (index?.data[i] ?? 0))));
  expect(largest).toBeGreaterThan(0.5);
});
