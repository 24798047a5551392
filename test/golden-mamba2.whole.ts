/** Every recorded case of the Mamba-2 decoder but for generation, on every target, through the command line. */
import { describe, expect, test } from "vitest";
import { closenessOf, goldenFile, goldenOutputs, targetsAndProfiles } from "./support/golden.ts";
import {
  checkDecoding,
  embeds,
  expectStates,
  expectValues,
  fullNorm,
  groupedNorm,
  inputOf,
  lowPrecision,
  type Mamba2Case,
  runMamba2,
  tiny,
  variant,
} from "./support/mamba2.ts";
import { expectClose, rowOf, tensorOf } from "./support/tensors.ts";

/** Values of a layer that a case records, by what the mixer calls them. */
const internals: Readonly<Record<string, string>> = {
  normed_in: "norm",
  zxbcdt: "mixer.in_proj",
  xBC_conv: "mixer.xBC",
  dt: "mixer.dt",
  y: "mixer.y",
  y_normed: "mixer.norm",
  mixer_out: "mixer",
};

/** Every recorded value of one text: `name` is `L37`, for example. */
async function recorded(given: Mamba2Case, name: string) {
  const pairs: [path: string, tensor: string][] = [["logits", `${name}.logits`]];
  for (const tensor of (await goldenOutputs(given.name)).keys()) {
    if (!tensor.startsWith(`${given.prefix}${name}.`)) continue;
    const [kind, place = "", value = ""] = tensor.slice(given.prefix.length + name.length + 1).split(".");
    const layer = `backbone.layers.${place.replace("layer", "")}`;
    const own = tensor.slice(given.prefix.length);
    if (kind === "hidden") pairs.push([place === "norm_f" ? "backbone.norm_f" : layer, own]);
    if (kind === "inter") pairs.push([`${layer}.${internals[value]}`, own]);
  }
  return pairs;
}

const texts: readonly (readonly [Mamba2Case, string, number])[] = [
  ...["L1", "L15", "L16"].map((name) => [tiny, name, 5] as const),
  [tiny, "L37", 19],
  ...[fullNorm, groupedNorm].flatMap((given) => ["L1", "L15"].map((name) => [given, name, 5] as const)),
  [fullNorm, "L37", 12],
  [groupedNorm, "L37", 5],
  [variant, "L2", 4],
  [variant, "L19", 4],
];

describe.each(targetsAndProfiles)("on %s", (target) => {
  test.each(texts.map(([given, name, values]) => [given.name, given.prefix, name, given, values] as const))(
    "%s %s%s: logits, residual stream, internals and state",
    async (_, __, name, given, values) => {
      const pairs = await recorded(given, name);
      expect(pairs).toHaveLength(values);
      const taps = pairs.slice(1).map(([path]) => path);
      const inputs = { tokens: inputOf(given, `${name}.input_ids`) };
      const ran = await runMamba2(given, target, { entry: "logits", inputs, taps });
      await expectValues(ran, given, pairs, target);
      await expectStates(ran, given, `${name}.final`, target);
      // The entry that generation starts with: the same at the last position alone.
      const start = await runMamba2(given, target, { entry: "prefill", inputs });
      const logits = tensorOf(ran.tensors, "logits");
      const [rows = 0, length = 0] = logits.shape;
      for (let row = 0; row < rows; row++) {
        const want = rowOf(rowOf(logits, row), length - 1);
        expectClose(rowOf(tensorOf(start.tensors, "logits"), row), want, closenessOf(target), "last");
      }
    },
  );

  test.each([
    [tiny, "decode"],
    [tiny, "decode_short"],
    [fullNorm, "decode"],
    [variant, "decode"],
  ])("$name %s: steps from a text, with their states", (given, name) => checkDecoding(given, name, target));

  test("a text in pieces", async () => {
    let last = await runMamba2(tiny, target, {
      entry: "logits",
      inputs: { tokens: inputOf(tiny, "pieces.part0_ids") },
    });
    for (const part of ["part0", "part1", "part2"]) {
      if (part !== "part0") {
        const inputs = { tokens: inputOf(tiny, `pieces.${part}_ids`) };
        last = await runMamba2(tiny, target, { entry: "extend", inputs }, last);
      }
      await expectValues(last, tiny, [["logits", `pieces.${part}.logits`]], target);
      await expectStates(last, tiny, `pieces.${part}`, target);
    }
  });

  test("padding in front leaves no trace", async () => {
    const inputs = {
      tokens: inputOf(tiny, "leftpad.input_ids"),
      attention_mask: inputOf(tiny, "leftpad.attention_mask"),
    };
    const ran = await runMamba2(tiny, target, { entry: "masked", inputs });
    await expectValues(ran, tiny, [["logits", "leftpad.logits"]], target);
  });

  test("embeddings instead of ids", async () => {
    const pairs = await recorded(embeds, "prefix");
    expect(pairs).toHaveLength(4);
    const taps = pairs.slice(1).map(([path]) => path);
    const inputs = { inputs_embeds: inputOf(embeds, "prefix.inputs_embeds") };
    const ran = await runMamba2(embeds, target, { entry: "embeds", inputs, taps });
    await expectValues(ran, embeds, pairs, target);
    await expectStates(ran, embeds, "prefix.final", target);
  });

  test.each([
    ["weights.safetensors", "bf16.logits"],
    ["weights_f16.safetensors", "f16.logits"],
  ])("weights stored in 16 bits: %s", async (file, logits) => {
    const weights = goldenFile(`${lowPrecision.name}/${file}`);
    const inputs = { tokens: inputOf(lowPrecision, "input_ids") };
    const ran = await runMamba2(lowPrecision, target, { entry: "logits", inputs, weights });
    await expectValues(ran, lowPrecision, [["logits", logits]], target);
  });
});
