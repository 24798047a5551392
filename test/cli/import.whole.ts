/** `ossicle import`: folders of Hugging Face become programs that their checkpoints fit. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { parseRelaxedJson } from "../../src/runtime/checkpoint/relaxed-json.ts";
import { runHere, temporaryFolder } from "../support/cli.ts";
import { goldenFile } from "../support/golden.ts";

let folder = "";
beforeEach(() => {
  folder = temporaryFolder();
});

async function json(...arguments_: readonly string[]): Promise<Record<string, unknown>> {
  const { stdout } = await runHere([...arguments_, "--json"]);
  return JSON.parse(stdout);
}

/** What the import of a configuration says, by code. */
async function refusal(config: unknown): Promise<unknown> {
  const place = join(folder, "given");
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, "config.json"), typeof config === "string" ? config : JSON.stringify(config));
  const { diagnostics } = await json("import", place);
  return Array.isArray(diagnostics) ? diagnostics.map(({ code }) => code) : undefined;
}

const configOf = (name: string): Record<string, unknown> => {
  const value = parseRelaxedJson(readFileSync(goldenFile(`${name}/config.json`), "utf8"));
  // JSON.stringify has no word for a number without end.
  return typeof value === "object" ? { ...value, time_step_limit: undefined } : {};
};

test.each([
  ["mamba2-tiny", "Mamba-2", /Mamba2\(\s*width: 64,\s*depth: 3,\s*vocabulary: 128,\s*head_width: 16/],
  ["mamba2-groups", "Mamba-2", /norm: "full"/],
  ["mamba2-variant", "Mamba-2", /time_step_limit: \[0\.02, 0\.2\]/],
  ["ast-tiny", "AST", /labels: 7/],
  ["eat-tiny", "EAT", /longest: 192/],
])("%s", async (name, family, words) => {
  const out = join(folder, "model.oss");
  expect(await json("import", goldenFile(name), "--out", out, "--name", "Tiny")).toMatchObject({
    ok: true,
    family,
    model: "Tiny",
  });
  expect(readFileSync(out, "utf8")).toMatch(words);
  const weights = goldenFile(`${name}/weights.safetensors`);
  const checked = await json("weights", "check", out, weights);
  expect(checked["diagnostics"]).toEqual([]);
  expect((await runHere(["fmt", "--check", out])).status).toBe(0);
});

test("a program goes to standard output, called like the folder", async () => {
  const { stdout, status, stderr } = await runHere(["import", goldenFile("ast-tiny")]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toMatch(/^\/\/ AST, as its config\.json describes it\.\n/);
  expect(stdout).toMatch(/^model AstTiny\(?\)? =/m);
});

test("the original's configuration of Mamba-2, whose vocabulary is padded", async () => {
  const place = join(folder, "mamba2-130m");
  mkdirSync(place);
  const config = {
    ...{ d_model: 768, d_intermediate: 0, n_layer: 24, vocab_size: 50277, ssm_cfg: { layer: "Mamba2" } },
    ...{ attn_layer_idx: [], attn_cfg: {}, rms_norm: true, residual_in_fp32: true, fused_add_norm: true },
    ...{ pad_vocab_size_multiple: 16, tie_embeddings: true },
  };
  writeFileSync(join(place, "config.json"), JSON.stringify(config));
  const { text, model } = await json("import", place);
  expect(model).toBe("Mamba2130m");
  expect(text).toMatch(/width: 768,\s*depth: 24,\s*vocabulary: 50288,\s*tied: true/);
});

describe("refused", () => {
  test("families that the library does not have", async () => {
    expect(await refusal({ model_type: "llama" })).toEqual(["import-family"]);
    expect(await refusal({})).toEqual(["import-family"]);
  });
  test("only what is wrong", async () => {
    expect(await refusal(configOf("mamba2-tiny"))).toEqual([]);
    expect(await refusal(configOf("eat-tiny"))).toEqual([]);
  });
  test("settings that are not known, or that the library has no form of", async () => {
    expect(await refusal({ ...configOf("mamba2-tiny"), rope_theta: 10000 })).toEqual(["import-unknown"]);
    expect(await refusal({ ...configOf("mamba2-tiny"), hidden_act: "relu" })).toEqual(["import-unfit"]);
    expect(await refusal({ ...configOf("mamba2-tiny"), num_heads: 3 })).toEqual(["import-unfit"]);
    expect(await refusal({ ...configOf("mamba2-tiny"), hidden_size: "64" })).toEqual(["import-unfit"]);
    expect(await refusal({ ...configOf("ast-tiny"), patch_size: 8 })).toEqual(["import-unfit"]);
    expect(await refusal({ ...configOf("eat-tiny"), layer_norm_first: true })).toEqual(["import-unfit"]);
  });
  test("what is no configuration", async () => {
    expect(await refusal("{")).toEqual(["import-config"]);
    expect(await refusal("[]")).toEqual(["import-config"]);
    expect((await json("import", folder))["diagnostics"]).toMatchObject([{ code: "file-not-found" }]);
    const named = await json("import", goldenFile("ast-tiny"), "--name", "tiny model");
    expect(named["diagnostics"]).toMatchObject([{ code: "import-name" }]);
  });
});

test("numbers without end, in both forms, and texts that only look so", () => {
  const text =
    '{"a": [0.0, Infinity], "b": -Infinity, "c": NaN, "d": "Infinity \\" NaN", "e": {"__float__": "Infinity"}}';
  expect(parseRelaxedJson(text)).toEqual({
    a: [0, Number.POSITIVE_INFINITY],
    b: Number.NEGATIVE_INFINITY,
    c: null,
    d: 'Infinity " NaN',
    e: Number.POSITIVE_INFINITY,
  });
});
