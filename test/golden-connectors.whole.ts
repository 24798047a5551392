/** The recorded cases of the connectors, on both targets, through the command line. */
import { describe, expect, test } from "vitest";
import {
  closenessOf,
  goldenFile,
  goldenOutputs,
  type RunRequest,
  runToTensors,
  type Target,
  targets,
} from "./support/golden.ts";
import { expectClose, type Tensors, tensorOf } from "./support/tensors.ts";

/** Runs a model of test/fixtures/models/connectors.oss on a case's weights. */
function runConnector(
  name: string,
  model: string,
  target: Target,
  more: Partial<RunRequest> = {},
): Promise<Tensors> {
  return runToTensors({
    file: "../test/fixtures/models/connectors.oss",
    model,
    entry: "run",
    weights: goldenFile(`${name}/weights.safetensors`),
    target,
    ...more,
  });
}

/** Lengths that a group of 5, of 4 and of 2 fills, and does not fill. */
const lengths = ["T62", "T60", "T13"];

function input(name: string, tensor: string): string {
  return `${goldenFile(`${name}/inputs.safetensors`)}:${tensor}`;
}

/** What the case calls the entry's results. */
type Names = Readonly<Record<string, string>>;

async function expectResults(got: Tensors, name: string, names: Names, target: Target): Promise<void> {
  const want = await goldenOutputs(name);
  for (const [result, tensor] of Object.entries(names)) {
    expectClose(tensorOf(got, result), tensorOf(want, tensor), closenessOf(target), `${name}: ${tensor}`);
  }
  expect([...got.keys()].sort()).toEqual(Object.keys(names).sort());
}

describe.each(targets)("on %s", (target) => {
  test("two layers, named by their positions", async () => {
    const name = "connector-mlp";
    const got = await runConnector(name, "TwoLayers", target, { inputs: { x: input(name, "x") } });
    await expectResults(got, name, { y: "y" }, target);
  });

  describe.each(lengths)("%s", (length) => {
    test("groups of five side by side", async () => {
      const name = "connector-stack";
      const inputs = { x: input(name, `${length}.x`) };
      const got = await runConnector(name, "Stacked", target, { inputs });
      const names = {
        stacked: `${length}.stacked`,
        linear: `${length}.linear`,
        mlp: `${length}.mlp`,
      };
      await expectResults(got, name, names, target);
    });

    test.each([2, 4])("the mean of %i", async (k) => {
      const name = "connector-avgpool";
      const inputs = { x: input(name, `${length}.x`) };
      const got = await runConnector(name, "Pooled", target, { inputs, settings: { k } });
      await expectResults(
        got,
        name,
        { pool: `${length}.pool${k}`, linear: `${length}.pool${k}.linear` },
        target,
      );
    });

    test("convolutions, with padding and without", async () => {
      const name = "connector-conv1d";
      const inputs = { x: input(name, `${length}.x`) };
      const got = await runConnector(name, "Convolved", target, { inputs });
      const names = {
        conv: `${length}.conv`,
        conv_gelu_linear: `${length}.conv_gelu_linear`,
        slam: `${length}.slam`,
      };
      await expectResults(got, name, names, target);
    });
  });

  describe.each(["full", "masked"])("%s", (entry) => {
    const mask = (name: string, tensor: string): Names =>
      entry === "masked" ? { [tensor]: input(name, tensor) } : {};

    test("cross-attention: results and probabilities", async () => {
      const name = "connector-crossattn";
      const inputs = { x: input(name, "x"), ...mask(name, "attention_mask") };
      const got = await runConnector(name, "Queried", target, { entry, inputs, taps: ["probabilities"] });
      await expectResults(got, name, { y: `${entry}.y`, probabilities: `${entry}.attn` }, target);
    });

    test("Q-Former: every layer", async () => {
      const name = "connector-qformer";
      const inputs = { x: input(name, "x"), ...mask(name, "encoder_attention_mask") };
      const layer = (index: number): string => `qformer.encoder.layer.${index}`;
      const taps = [layer(0), layer(1), "qformer"];
      const got = await runConnector(name, "Refined", target, { entry, inputs, taps });
      const names = {
        projected: `${entry}.projected`,
        [layer(0)]: `${entry}.hidden.layer0`,
        [layer(1)]: `${entry}.hidden.layer1`,
        qformer: `${entry}.last_hidden_state`,
      };
      await expectResults(got, name, names, target);
    });
  });
});
