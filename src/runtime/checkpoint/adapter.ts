/**
 * Low-rank adapters as PEFT saves them: `adapter_config.json` beside `adapter_model.safetensors`.
 *
 * Owns: what the configuration says of scale (LoRA, arXiv:2106.09685; rsLoRA, arXiv:2312.03732), which weight of
 * the model each pair of tensors belongs to, and the weights with the adapter merged in: W + s B A. A tensor
 * that belongs nowhere and a target that no tensor adapts are errors: nothing is dropped in silence.
 */
import type { HostTensor, WeightSource } from "../../compiler/host-tensor.ts";
import { describeError, failure } from "../failure.ts";

export interface AdapterConfig {
  readonly rank: number;
  readonly alpha: number;
  /** Divided by √rank instead of rank. */
  readonly stabilised: boolean;
  readonly targets: readonly string[];
  readonly ranks: ReadonlyMap<string, number>;
  readonly alphas: ReadonlyMap<string, number>;
}

export interface Adapter {
  readonly label: string;
  readonly config: AdapterConfig;
  readonly tensors: WeightSource;
}

/** Settings that change what an adapter computes, and the values under which it is plain LoRA. */
const plain: Readonly<Record<string, readonly unknown[]>> = {
  peft_type: ["LORA"],
  use_dora: [undefined, false],
  fan_in_fan_out: [undefined, false],
  bias: [undefined, "none"],
  lora_bias: [undefined, false],
  modules_to_save: [undefined, null],
  megatron_config: [undefined, null],
  use_qalora: [undefined, false],
  alora_invocation_tokens: [undefined, null],
};

/** @throws DiagnosticError `adapter-config` */
export function readAdapterConfig(json: string, label: string): AdapterConfig {
  const bad = (why: string, hint?: string): Error =>
    failure(
      "adapter-config",
      `${label} is no adapter that can be used: ${why}.`,
      hint === undefined ? {} : { hint },
    );
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw bad(describeError(error));
  }
  if (!isRecord(value)) throw bad("it is no JSON object");
  for (const [name, allowed] of Object.entries(plain)) {
    const found = value[name];
    if (allowed.includes(found) || (Array.isArray(found) && found.length === 0)) continue;
    throw bad(`it has ${name}: ${JSON.stringify(found)}`, "plain LoRA and rsLoRA are read");
  }
  const { r, lora_alpha: alpha, target_modules: targets } = value;
  if (!isCount(r)) throw bad("its rank `r` is no whole number above 0");
  if (typeof alpha !== "number" || !Number.isFinite(alpha)) throw bad("its `lora_alpha` is no number");
  return {
    rank: r,
    alpha,
    stabilised: value["use_rslora"] === true,
    targets: Array.isArray(targets) ? targets.filter((target) => typeof target === "string") : [],
    ranks: patterns(value["rank_pattern"], (number) => isCount(number), bad),
    alphas: patterns(value["alpha_pattern"], (number) => Number.isFinite(number), bad),
  };
}

function patterns(
  value: unknown,
  fits: (number: number) => boolean,
  bad: (why: string) => Error,
): Map<string, number> {
  const found = new Map<string, number>();
  if (value === undefined || value === null) return found;
  for (const [pattern, number] of Object.entries(isRecord(value) ? value : { "": value })) {
    if (typeof number !== "number" || !fits(number)) throw bad(`the pattern '${pattern}' has no number`);
    try {
      new RegExp(pattern);
    } catch {
      throw bad(`'${pattern}' is no regular expression`);
    }
    found.set(pattern, number);
  }
  return found;
}

interface Pair {
  readonly module: string;
  /** Names in the adapter's file. */
  a?: string;
  b?: string;
}

const prefix = "base_model.model.";
const tensorName = /^(?:base_model\.model\.)?(.+)\.lora_([AB])(?:\.default)?\.weight$/;

/** Where an adapter's two tensors belong: W of `place`.weight acts as W + scale B A. */
export interface AdapterSite {
  readonly place: string;
  /** Names in the adapter's file. */
  readonly a: string;
  readonly b: string;
  readonly rank: number;
  readonly scale: number;
}

type Suggest = (name: string, candidates: Iterable<string>) => readonly string[];

/**
 * Every pair of tensors, with the part of the model that it adapts.
 * @param paths of all learned tensors of the model
 * @param suggest near names for a module that is not there
 * @throws DiagnosticError `adapter-…`
 */
export function adapterSites(
  adapter: Adapter,
  paths: ReadonlySet<string>,
  suggest: Suggest = () => [],
): AdapterSite[] {
  const { label, config, tensors } = adapter;
  const pairs = pairsOf(adapter);
  const sites = pairs.map(({ module, a, b }): AdapterSite => {
    if (a === undefined || b === undefined) {
      throw failure("adapter-incomplete", `${label} has only one of the two tensors that adapt '${module}'.`);
    }
    const place = placeOf(module, paths, label, suggest);
    return { place, a, b, ...scaleOf(module, config, tensors.info(a)?.shape[0], label) };
  });
  const unused = config.targets.filter((target) => !pairs.some(({ module }) => isTarget(module, target)));
  if (unused.length > 0) {
    const names = unused.map((target) => `'${target}'`).join(" or ");
    const some = pairs.slice(0, 4).map(({ module }) => module);
    const more = pairs.length > some.length ? ", …" : "";
    throw failure("adapter-target", `${label} adapts nothing that is called ${names}.`, {
      notes: [`it has tensors for ${some.join(", ")}${more}`],
    });
  }
  return sites;
}

/**
 * The weights of `base` with the adapter: merged into them, or as tensors of their own where the model
 * declares them (`with Lora(…)`), with the scale that the model declares.
 * @throws DiagnosticError `adapter-…`
 */
export function adapted(
  base: WeightSource,
  adapter: Adapter,
  paths: ReadonlySet<string>,
  suggest?: Suggest,
): WeightSource {
  const { label, tensors } = adapter;
  const own = new Map<string, string>();
  const merged = new Map<string, AdapterSite>();
  for (const site of adapterSites(adapter, paths, suggest)) {
    const [a, b] = declaredTensors(site.place);
    if (paths.has(a)) {
      own.set(a, site.a);
      own.set(b, site.b);
      continue;
    }
    const target = `${site.place}.weight`;
    merged.set(target, site);
    requireFit(base.info(target)?.shape, site, adapter);
  }
  return {
    label: `${base.label} with ${label}`,
    names: () => [...new Set([...base.names(), ...own.keys()])],
    info: (name) => tensors.info(own.get(name) ?? "") ?? base.info(name),
    read: async (name) => {
      const separate = own.get(name);
      if (separate !== undefined) return await tensors.read(separate);
      const change = merged.get(name);
      const weight = await base.read(name);
      if (change === undefined) return weight;
      return merge(weight, await tensors.read(change.a), await tensors.read(change.b), change.scale);
    },
  };
}

/** What the tensors of an adapter are called that the program itself puts around a part. */
export function declaredTensors(place: string): readonly [a: string, b: string] {
  return [`${place}.lora_A.weight`, `${place}.lora_B.weight`];
}

function pairsOf({ label, tensors }: Adapter): Pair[] {
  const pairs = new Map<string, Pair>();
  for (const name of tensors.names()) {
    const [, module, side] = tensorName.exec(name) ?? [];
    if (module === undefined) {
      throw failure("adapter-tensor", `'${name}' of ${label} is no part of a low-rank adapter.`, {
        notes: [`names are ${prefix}MODULE.lora_A.weight and ${prefix}MODULE.lora_B.weight`],
      });
    }
    const pair = pairs.get(module) ?? { module };
    pair[side === "A" ? "a" : "b"] = name;
    pairs.set(module, pair);
  }
  if (pairs.size === 0) throw failure("adapter-tensor", `${label} holds no tensors.`);
  return [...pairs.values()];
}

/** The module in the model: by its whole path, or as the end of exactly one path (a decoder within a captioner). */
function placeOf(module: string, paths: ReadonlySet<string>, label: string, suggest: Suggest): string {
  const target = `${module}.weight`;
  if (paths.has(target)) return module;
  const found = [...paths].filter((path) => path.endsWith(`.${target}`));
  const [only] = found;
  if (only !== undefined && found.length === 1) return only.slice(0, -".weight".length);
  if (found.length > 1) {
    throw failure(
      "adapter-tensor",
      `'${module}' of ${label} may be any of ${found.length} parts of the model.`,
      {
        notes: found.slice(0, 4),
      },
    );
  }
  const near = suggest(target, paths).slice(0, 3);
  throw failure("adapter-tensor", `'${module}' of ${label} adapts nothing: the model has no ${target}.`, {
    ...(near.length > 0 && { hint: `did you mean ${near.join(" or ")}?` }),
  });
}

/** A target names a module by its whole name or by the end of it, as PEFT matches. */
function isTarget(module: string, target: string): boolean {
  return module === target || module.endsWith(`.${target}`);
}

/** The first pattern that fits the end of the module's name decides, as in PEFT. */
function patternFor(module: string, patterns: ReadonlyMap<string, number>): number | undefined {
  for (const [pattern, number] of patterns) {
    if (new RegExp(`^(?:.*\\.)?(?:${pattern})$`).test(module)) return number;
  }
  return undefined;
}

function scaleOf(
  module: string,
  config: AdapterConfig,
  rank: number | undefined,
  label: string,
): Pick<AdapterSite, "rank" | "scale"> {
  const wanted = patternFor(module, config.ranks) ?? config.rank;
  if (rank !== wanted) {
    throw failure(
      "adapter-shape",
      `'${module}' of ${label} is of rank ${rank}, and its configuration says ${wanted}.`,
    );
  }
  const alpha = patternFor(module, config.alphas) ?? config.alpha;
  return { rank, scale: alpha / (config.stabilised ? Math.sqrt(rank) : rank) };
}

/** @throws DiagnosticError `adapter-shape` when B A is not of the weight's shape */
export function requireFit(
  weight: readonly number[] | undefined,
  { place, a: nameOfA, b: nameOfB }: AdapterSite,
  { tensors, label }: Adapter,
): void {
  if (weight === undefined) return;
  const [a, b] = [tensors.info(nameOfA)?.shape, tensors.info(nameOfB)?.shape];
  const fits = weight.length === 2 && a?.length === 2 && b?.length === 2 && a[0] === b[1];
  if (fits && weight[0] === b[0] && weight[1] === a[1]) return;
  throw failure("adapter-shape", `${label} does not fit ${place}.weight.`, {
    notes: [`the weight is [${weight.join(", ")}], A is [${a?.join(", ")}], B is [${b?.join(", ")}]`],
  });
}

/** W + s B A, accumulated in f64. */
function merge(weight: HostTensor, a: HostTensor, b: HostTensor, scale: number): HostTensor {
  const [rows = 0, columns = 0] = weight.shape;
  const rank = a.shape[0] ?? 0;
  const data = new Float32Array(rows * columns);
  const change = new Float64Array(columns);
  for (let row = 0; row < rows; row++) {
    change.fill(0);
    for (let k = 0; k < rank; k++) {
      const factor = scale * (b.data[row * rank + k] ?? 0);
      for (let column = 0; column < columns; column++)
        change[column] = (change[column] ?? 0) + factor * (a.data[k * columns + column] ?? 0);
    }
    for (let column = 0; column < columns; column++) {
      const at = row * columns + column;
      data[at] = (weight.data[at] ?? 0) + (change[column] ?? 0);
    }
  }
  return { dtype: "f32", shape: weight.shape, data };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value > 0;
}
