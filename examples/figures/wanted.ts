/**
 * The published figures, and those derived from published definitions.
 *
 * Owns: the numbers alone. Those of `fullsize-facts.json` were counted by another program, from the
 * architectures and not from this library.
 */
import facts from "../../test/golden/fullsize-facts.json" with { type: "json" };

export { facts };

export const keepRates = [1, 0.9, 0.8, 0.7, 0.6, 0.5] as const;

const ast = "ossicle/classifiers/ast.oss";
const audioMae = "ossicle/classifiers/audiomae.oss";

export interface PrunedModel {
  readonly title: string;
  readonly file: string;
  readonly model: string;
  readonly settings?: Readonly<Record<string, number>>;
  /** The first product of layer i's MLP. */
  readonly mlp: (layer: number) => string;
  /** Patches of the input, and tokens that are never dropped. */
  readonly patches: number;
  readonly extra: number;
  /** GMACs at each keep rate, to three decimals. */
  readonly core: readonly number[];
  readonly torchprofile?: readonly number[];
  /** Patches after layers 3, 6 and 9 at keep rate 0.7. */
  readonly kept: readonly number[];
  readonly facts?: Readonly<Record<string, MacFacts>>;
}

export interface MacFacts {
  readonly total: number;
  readonly conv: number;
  readonly linear_or_mm: number;
  readonly "bmm(attention)": number;
  readonly tokens_after_each_block: readonly number[];
}

const timm = { file: audioMae, mlp: (layer: number) => `blocks.${layer}.mlp.fc1`, extra: 1 };
const huggingFace = {
  file: ast,
  mlp: (layer: number) => `audio_spectrogram_transformer.encoder.layer.${layer}.intermediate.dense`,
  extra: 2,
};
const ten = [359, 252, 177];
const five = [180, 126, 89];
const one = [45, 32, 23];

/** TopK in layers 3, 6 and 9 of 12 (arXiv:2504.01690, table 1). */
export const prunedModels: readonly PrunedModel[] = [
  {
    ...timm,
    title: "AudioMAE, AS-20K",
    model: "AudioMaeAudioSet",
    patches: 512,
    core: [48.523, 41.755, 36.008, 31.187, 27.084, 23.638],
    torchprofile: [48.571, 41.793, 36.04, 31.213, 27.107, 23.659],
    kept: ten,
    facts: facts.macs["AudioMAE ViT-B, 1024 frames"],
  },
  {
    ...timm,
    title: "AudioMAE, ESC-50",
    model: "AudioMaeEsc50",
    patches: 256,
    core: [23.096, 20.01, 17.283, 15.008, 13.044, 11.361],
    torchprofile: [23.11, 20.022, 17.293, 15.017, 13.051, 11.368],
    kept: five,
  },
  {
    ...timm,
    title: "AudioMAE, SPC-2",
    model: "AudioMaeSpeechCommands",
    patches: 64,
    core: [5.611, 4.933, 4.296, 3.719, 3.265, 2.81],
    torchprofile: [5.613, 4.935, 4.298, 3.72, 3.266, 2.811],
    kept: one,
  },
  {
    ...huggingFace,
    title: "AST 16-16, AS-20K",
    model: "AstAudioSet16",
    patches: 512,
    core: [48.627, 41.857, 36.108, 31.285, 27.18, 23.733],
    torchprofile: [48.675, 41.895, 36.14, 31.311, 27.203, 23.754],
    kept: ten,
    facts: facts.macs["AST 16-16 (token-pruning repo), 1024 frames"],
  },
  {
    ...huggingFace,
    title: "AST 10-10, AS-20K",
    model: "AstAudioSet",
    patches: 1212,
    core: [130.514, 111.139, 95.188, 82.109, 71.319, 62.433],
    kept: [849, 595, 417],
    facts: facts.macs["AST 10-10 (strided projection swapped in), 1024 frames"],
  },
];

/** Counted at some keep rates only. */
export const otherPrunedModels: readonly Omit<PrunedModel, "core" | "kept">[] = [
  {
    ...huggingFace,
    title: "AST 16-16, ESC-50",
    model: "AstEsc50",
    patches: 256,
    facts: facts.macs["AST 16-16, 512 frames (ESC-50), 50 labels"],
  },
  {
    ...huggingFace,
    title: "AST 16-16, SPC-2",
    model: "AstSpeechCommands",
    patches: 64,
    facts: facts.macs["AST 16-16, 128 frames (Speech Commands), 35 labels"],
  },
];

/** To the last MAC. */
export const exactMacs = [
  { title: "AudioMAE, AS-20K", keep: 1, macs: 48_523_277_568 },
  { title: "AudioMAE, AS-20K", keep: 0.7, macs: 31_186_523_904 },
] as const;

/** GMACs as published: AudioMAE without pruning and at keep rate 0.5 (arXiv:2504.01690, table 1). */
export const publishedAudioMae = [
  { title: "AudioMAE, SPC-2", keep: 1, gigaMacs: 5.61 },
  { title: "AudioMAE, SPC-2", keep: 0.5, gigaMacs: 2.81 },
  { title: "AudioMAE, ESC-50", keep: 1, gigaMacs: 23.11 },
  { title: "AudioMAE, ESC-50", keep: 0.5, gigaMacs: 11.37 },
] as const;

export const mamba2Sizes = ["130m", "370m", "780m", "1.3b", "2.7b"] as const;
export type Mamba2Size = (typeof mamba2Sizes)[number];

export interface Mamba2Figures {
  readonly parameters: number;
  /** Multiply-adds of linear layers for a token, the head among them. */
  readonly linear: number;
  /** Trainable parameters of adapters on in_proj and out_proj, by rank. */
  readonly adapters: Readonly<Record<8 | 256, number>>;
}

export const mamba2Figures: Readonly<Record<Mamba2Size, Mamba2Figures>> = {
  "130m": { parameters: 128_989_632, linear: 128_716_800, adapters: { 8: 1_233_408, 256: 39_469_056 } },
  "370m": { parameters: 368_346_624, linear: 367_640_576, adapters: { 8: 3_256_320, 256: 104_202_240 } },
  "780m": { parameters: 780_161_280, linear: 779_132_928, adapters: { 8: 4_835_328, 256: 154_730_496 } },
  "1.3b": { parameters: 1_343_757_312, linear: 1_342_406_656, adapters: { 8: 6_414_336, 256: 205_258_752 } },
  "2.7b": {
    parameters: 2_702_599_680,
    linear: 2_700_369_920,
    adapters: { 8: 10_657_792, 256: 341_049_344 },
  },
};

/** A step of the smallest. */
export const mamba2Step = { size: "130m", macs: 138_362_880 } as const;

/** GMACs of DeiT-S with EViT (arXiv:2202.07800, table 2), and the same with more digits. */
export const evit = {
  published: [4.6, 4, 3.5, 3, 2.6, 2.3],
  digits: facts["EViT-DeiT-S 224 (counter sanity check)"],
} as const;
