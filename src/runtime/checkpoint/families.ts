/**
 * Families of models on Hugging Face, and the programs that they are in the library.
 *
 * Owns: for each family, what its `config.json` says in arguments of the library's model. What a setting means
 * is written down once, here; whatever the library has no form of is refused.
 */
import { failure } from "../failure.ts";
import { ConfigReader } from "./config-reader.ts";

/** A variant of a model of the library. */
export interface ImportedModel {
  readonly family: string;
  readonly imports: readonly { readonly name: string; readonly from: string }[];
  /** The expression that makes it. */
  readonly model: string;
}

interface Family {
  readonly name: string;
  readonly fits: (config: Readonly<Record<string, unknown>>) => boolean;
  readonly read: (config: ConfigReader) => Pick<ImportedModel, "imports" | "model">;
}

/** What every configuration of transformers may hold and no model computes with. */
const bookkeeping: readonly string[] = [
  ...[
    "_name_or_path",
    "architectures",
    "auto_map",
    "model_type",
    "transformers_version",
    "torch_dtype",
    "dtype",
  ],
  ...[
    "use_cache",
    "bos_token_id",
    "eos_token_id",
    "pad_token_id",
    "initializer_range",
    "id2label",
    "label2id",
  ],
  ...[
    "problem_type",
    "return_dict",
    "output_hidden_states",
    "is_encoder_decoder",
    "_attn_implementation_autoset",
  ],
];

const families: readonly Family[] = [
  { name: "Mamba-2", fits: (config) => config["model_type"] === "mamba2", read: readMamba2 },
  {
    name: "Mamba-2 (state-spaces)",
    fits: (config) => "ssm_cfg" in config && "d_model" in config,
    read: readStateSpaces,
  },
  { name: "AST", fits: (config) => config["model_type"] === "audio-spectrogram-transformer", read: readAst },
  {
    name: "EAT",
    fits: (config) => config["model_type"] === "eat" || ("embed_dim" in config && "norm_eps" in config),
    read: readEat,
  },
];

/** @throws DiagnosticError `import-family`, `import-unknown` or `import-unfit` */
export function importConfig(config: Readonly<Record<string, unknown>>, label: string): ImportedModel {
  const family = families.find(({ fits }) => fits(config));
  if (family === undefined) {
    const type = config["model_type"];
    const what =
      typeof type === "string" ? `a model of type ${JSON.stringify(type)}` : "a model of no known type";
    throw failure("import-family", `${label} is of ${what}, which the library does not have.`, {
      notes: [`it has ${families.map(({ name }) => name).join(", ")}`],
      hint: "write the model as .oss; its parts may be in the library",
    });
  }
  const reader = new ConfigReader(label, config);
  reader.ignore(...bookkeeping);
  const read = family.read(reader);
  reader.finish();
  return { family: family.name, ...read };
}

const mamba2Imports = [
  { name: "Mamba2", from: "ossicle/decoders/mamba2.oss" },
  { name: "Mamba2Lm", from: "ossicle/decoders/mamba2-lm.oss" },
];

function readMamba2(config: ConfigReader): Pick<ImportedModel, "imports" | "model"> {
  // How training started, and how long its pieces were: the numbers do not depend on them.
  config.ignore("time_step_rank", "time_step_min", "time_step_max", "time_step_floor", "chunk_size");
  config.ignore("rescale_prenorm_residual", "residual_in_fp32");
  config.only("hidden_act", "silu");
  config.only("rms_norm", true);
  const width = config.count("hidden_size");
  const expand = config.count("expand", 2);
  const head = config.count("head_dim", 64);
  const groups = config.count("n_groups", 8);
  config.only("num_heads", (expand * width) / head);
  return {
    imports: mamba2Imports,
    model: mamba2([
      ["width", width],
      ["depth", config.count("num_hidden_layers")],
      ["vocabulary", config.count("vocab_size")],
      ["head_width", head],
      ["state", config.count("state_size", 128)],
      ["groups", groups],
      ["conv", config.count("conv_kernel", 4)],
      ["expand", expand],
      ["epsilon", config.real("layer_norm_epsilon", 1e-5)],
      ["tied", config.boolean("tie_word_embeddings", false)],
      ["biased", config.boolean("use_bias", false)],
      ["conv_biased", config.boolean("use_conv_bias", true)],
      ["time_step_limit", timeLimits(config)],
      // Hugging Face's norm takes the whole width, whatever the groups.
      ...(groups === 1 ? [] : [["norm", "full"] as const]),
    ]),
  };
}

function readStateSpaces(config: ConfigReader): Pick<ImportedModel, "imports" | "model"> {
  config.ignore("residual_in_fp32", "fused_add_norm");
  config.only("rms_norm", true);
  config.only("d_intermediate", 0);
  config.only("attn_layer_idx", []);
  config.only("attn_cfg", {});
  config.only("ssm_cfg", { layer: "Mamba2" });
  const multiple = config.count("pad_vocab_size_multiple", 8);
  return {
    imports: mamba2Imports,
    model: mamba2([
      ["width", config.count("d_model")],
      ["depth", config.count("n_layer")],
      ["vocabulary", Math.ceil(config.count("vocab_size") / multiple) * multiple],
      ["tied", config.boolean("tie_embeddings", true)],
    ]),
  };
}

/** Absent, or from 0 without end, means that time steps are not clamped. */
function timeLimits(config: ConfigReader): readonly number[] {
  const value = config.get("time_step_limit");
  if (value === undefined) return [];
  const [low, high, ...rest] = Array.isArray(value) ? value : [];
  if (typeof low !== "number" || typeof high !== "number" || rest.length > 0) {
    throw failure("import-unfit", `The setting time_step_limit of ${config.label} is no pair of numbers.`);
  }
  if (low <= 0 && high === Number.POSITIVE_INFINITY) return [];
  // An open end as a number that softplus of a weight in f32 can't pass.
  return [low, high === Number.POSITIVE_INFINITY ? 3.4e38 : high];
}

function readAst(config: ConfigReader): Pick<ImportedModel, "imports" | "model"> {
  config.ignore("hidden_dropout_prob", "attention_probs_dropout_prob");
  config.only("hidden_act", "gelu");
  config.only("patch_size", 16);
  config.only("qkv_bias", true);
  const epsilon = config.real("layer_norm_eps", 1e-12);
  const depth = config.count("num_hidden_layers", 12);
  return {
    imports: [{ name: "AstClassifier", from: "ossicle/classifiers/ast.oss" }],
    model: `AstClassifier(${arguments_([
      ["frames", config.count("max_length", 1024)],
      ["bins", config.count("num_mel_bins", 128)],
      ["labels", labelsOf(config)],
      ["width", config.count("hidden_size", 768)],
      ["depth", depth],
      ["heads", config.count("num_attention_heads", 12)],
      ["hidden", config.count("intermediate_size", 3072)],
      ["frequency_stride", config.count("frequency_stride", 10)],
      ["time_stride", config.count("time_stride", 10)],
      ["epsilon", epsilon],
      ["head_epsilon", epsilon],
      ...sites(depth),
    ])})`,
  };
}

/** Where tokens may be dropped: at quarters, as the library does at its usual depth of 12. */
function sites(depth: number): readonly Argument[] {
  const at = [1, 2, 3].map((quarter) => Math.floor((quarter * depth) / 4));
  return depth === 12 ? [] : [["at", [...new Set(at)].filter((site) => site > 0)]];
}

/** Their number, or how many have a name; transformers has two where it says nothing. */
function labelsOf(config: ConfigReader): number {
  const names = config.get("id2label");
  const named = typeof names === "object" && names !== null ? Object.keys(names).length : 2;
  return config.count("num_labels", named);
}

function readEat(config: ConfigReader): Pick<ImportedModel, "imports" | "model"> {
  config.ignore("drop_rate", "attn_drop_rate", "activation_dropout", "post_mlp_drop");
  config.ignore("start_drop_path_rate", "end_drop_path_rate");
  config.only("in_chans", 1);
  config.only("patch_size", 16);
  config.only("stride", 16);
  config.only("qkv_bias", true);
  config.only("layer_norm_first", false);
  config.only("norm_affine", true);
  config.only("fixed_positions", true);
  config.only("model_variant", "finetune");
  const [frames, bins] = imageSize(config);
  const width = config.count("embed_dim", 768);
  const depth = config.count("depth", 12);
  return {
    imports: [{ name: "EatClassifier", from: "ossicle/classifiers/eat.oss" }],
    model: `EatClassifier(${arguments_([
      ["frames", frames],
      ["bins", bins],
      ["labels", config.count("num_classes", 527)],
      ["width", width],
      ["depth", depth],
      ["heads", config.count("num_heads", 12)],
      ["hidden", Math.round(width * config.real("mlp_ratio", 4))],
      // Positions are stored for so many patches along time.
      ["longest", config.count("max_length", 768) * 16],
      ["epsilon", config.real("norm_eps", 1e-6)],
      ...sites(depth),
    ])})`,
  };
}

function imageSize(config: ConfigReader): readonly [frames: number, bins: number] {
  const size = config.get("img_size") ?? [1024, config.count("mel_bins", 128)];
  config.ignore("mel_bins");
  const [frames, bins] = Array.isArray(size) ? size : [];
  if (typeof frames === "number" && typeof bins === "number") return [frames, bins];
  throw failure("import-unfit", `The setting img_size of ${config.label} is no pair of numbers.`);
}

type Argument = readonly [name: string, value: number | boolean | string | readonly number[]];

function mamba2(given: readonly Argument[]): string {
  return `Mamba2Lm(decoder: Mamba2(${arguments_(given)}))`;
}

function arguments_(given: readonly Argument[]): string {
  const written = given.flatMap(([name, value]) => {
    if (Array.isArray(value))
      return value.length === 0 ? [] : [`${name}: [${value.map(decimal).join(", ")}]`];
    return [`${name}: ${typeof value === "number" ? decimal(value) : JSON.stringify(value)}`];
  });
  return written.join(", ");
}

/** As the language writes numbers. */
function decimal(value: number): string {
  return String(value).replace("e+", "e");
}
