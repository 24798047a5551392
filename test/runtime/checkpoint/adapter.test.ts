/** PEFT's adapters: scales and places as its configuration has them, and what can't be is an error. */
import { describe, expect, test } from "vitest";
import type { HostTensor, WeightSource } from "../../../src/compiler/host-tensor.ts";
import { adapted, readAdapterConfig } from "../../../src/runtime/checkpoint/adapter.ts";
import { codeOf, diagnosticOf } from "../support.ts";

const matrix = (rows: number, columns: number, data: readonly number[]): HostTensor => ({
  dtype: "f32",
  shape: [rows, columns],
  data: Float32Array.from(data),
});
function source(label: string, tensors: Readonly<Record<string, HostTensor>>): WeightSource {
  return {
    label,
    names: () => Object.keys(tensors),
    info: (name) => tensors[name],
    read: async (name) => {
      const tensor = tensors[name];
      if (tensor === undefined) throw new Error(`no ${name}`);
      return tensor;
    },
  };
}

const config = (more: Readonly<Record<string, unknown>> = {}) => ({
  peft_type: "LORA",
  r: 1,
  lora_alpha: 6,
  target_modules: ["in_proj"],
  ...more,
});
const key = (module: string, side: "A" | "B"): string => `base_model.model.${module}.lora_${side}.weight`;
const a = matrix(1, 2, [1, 2]);
const b = matrix(3, 1, [1, 0, -1]);
const weight = matrix(3, 2, [10, 20, 30, 40, 50, 60]);
const base = source("base", { "decoder.in_proj.weight": weight, "decoder.out_proj.weight": weight });
const paths = new Set(["decoder.in_proj.weight", "decoder.out_proj.weight"]);
const pair = { [key("decoder.in_proj", "A")]: a, [key("decoder.in_proj", "B")]: b };

const apply = (
  settings: Readonly<Record<string, unknown>> = {},
  tensors: Readonly<Record<string, HostTensor>> = pair,
  of: ReadonlySet<string> = paths,
): WeightSource => {
  const read = readAdapterConfig(JSON.stringify(config(settings)), "adapter_config.json");
  return adapted(base, { label: "adapter", config: read, tensors: source("adapter", tensors) }, of);
};
const merged = async (
  settings: Readonly<Record<string, unknown>> = {},
  tensors: Readonly<Record<string, HostTensor>> = pair,
  of: ReadonlySet<string> = paths,
): Promise<number[]> => [...(await apply(settings, tensors, of).read("decoder.in_proj.weight")).data];

describe("merged", () => {
  test("W + alpha / r B A, and nothing else changes", async () => {
    expect(await merged()).toEqual([16, 32, 30, 40, 44, 48]);
    expect((await apply().read("decoder.out_proj.weight")).data).toBe(weight.data);
  });
  test("at a part whose path ends with the module's name: a decoder within a captioner", async () => {
    expect(await merged({}, { [key("in_proj", "A")]: a, [key("in_proj", "B")]: b })).toEqual([
      16, 32, 30, 40, 44, 48,
    ]);
  });
  test("by √r with rsLoRA, and by the patterns of ranks and alphas", async () => {
    const two = {
      [key("decoder.in_proj", "A")]: matrix(2, 2, [1, 2, 0, 0]),
      [key("decoder.in_proj", "B")]: matrix(3, 2, [1, 0, 0, 0, -1, 0]),
    };
    const [first = 0] = await merged({ r: 2, use_rslora: true }, two);
    expect(first).toBeCloseTo(10 + 6 / Math.sqrt(2), 5);
    expect((await merged({ rank_pattern: { in_proj: 2 } }, two))[0]).toBe(13);
    expect((await merged({ alpha_pattern: { "decoder\\.in_proj": 2 } }))[0]).toBe(12);
    expect((await merged({ alpha_pattern: { proj: 2 } }))[0]).toBe(16);
  });
});

test("tensors of their own where the model declares them", async () => {
  const own = new Set([...paths, "decoder.in_proj.lora_A.weight", "decoder.in_proj.lora_B.weight"]);
  const result = apply({}, pair, own);
  expect(await result.read("decoder.in_proj.lora_A.weight")).toBe(a);
  expect(result.info("decoder.in_proj.lora_B.weight")?.shape).toEqual([3, 1]);
  expect((await result.read("decoder.in_proj.weight")).data).toBe(weight.data);
});

describe("refused", () => {
  test.each<[string, Readonly<Record<string, HostTensor>>, string]>([
    [
      "a tensor that binds to nothing",
      { [key("encoder.q", "A")]: a, [key("encoder.q", "B")]: b },
      "adapter-tensor",
    ],
    ["a tensor of another kind", { "base_model.model.head.weight": a }, "adapter-tensor"],
    ["half of a pair", { [key("decoder.in_proj", "A")]: a }, "adapter-incomplete"],
    ["nothing at all", {}, "adapter-tensor"],
    ["a wrong shape", { ...pair, [key("decoder.in_proj", "B")]: matrix(2, 1, [1, 2]) }, "adapter-shape"],
    ["a wrong rank", { ...pair, [key("decoder.in_proj", "A")]: matrix(2, 2, [1, 2, 3, 4]) }, "adapter-shape"],
  ])("%s", async (_, tensors, code) => {
    expect(await codeOf(() => apply({}, tensors))).toBe(code);
  });

  test("a place that could be several", async () => {
    const both = new Set(["a.in_proj.weight", "b.in_proj.weight"]);
    const tensors = { [key("in_proj", "A")]: a, [key("in_proj", "B")]: b };
    expect(await codeOf(() => apply({}, tensors, both))).toBe("adapter-tensor");
  });

  test("a target that matches nothing", async () => {
    const diagnostic = await diagnosticOf(() => apply({ target_modules: ["in_proj", "x_proj"] }));
    expect(diagnostic.code).toBe("adapter-target");
    expect(diagnostic.message).toContain("'x_proj'");
  });

  test.each<[string, Readonly<Record<string, unknown>>]>([
    ["DoRA", { use_dora: true }],
    ["another method", { peft_type: "IA3" }],
    ["trained biases", { bias: "all" }],
    ["modules that were trained whole", { modules_to_save: ["lm_head"] }],
    ["transposed weights", { fan_in_fan_out: true }],
    ["no rank", { r: undefined }],
    ["a rank of half", { r: 0.5 }],
    ["an alpha in words", { lora_alpha: "16" }],
    ["a pattern that is none", { rank_pattern: { "(": 4 } }],
    ["a pattern without a number", { alpha_pattern: { in_proj: "8" } }],
  ])("a configuration with %s", async (_, settings) => {
    expect(await codeOf(() => apply(settings))).toBe("adapter-config");
  });

  test("a configuration that is no JSON", async () => {
    expect(await codeOf(() => readAdapterConfig("r: 8", "adapter_config.json"))).toBe("adapter-config");
  });
});
