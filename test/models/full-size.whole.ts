/** Parameters and multiply-adds of models of the library at full size, from their texts alone. */
import { expect, test } from "vitest";
import { runHere } from "../support/cli.ts";

interface FullSize {
  readonly file: string;
  readonly model: string;
  readonly entry: string;
  /** Numbers for what is open. */
  readonly at: Readonly<Record<string, number>>;
  readonly settings?: Readonly<Record<string, string | number>>;
  readonly parameters: number;
  readonly macs: number;
}

interface Counts {
  readonly cost: {
    readonly parameters: { readonly all: { readonly value: number } };
    readonly entries: readonly {
      readonly entry: string;
      readonly total: { readonly macs: { readonly value: number } };
    }[];
  };
}

const vit = (tokens: number): number => 12 * (12 * tokens * 768 ** 2 + 2 * tokens ** 2 * 768);

const models: readonly FullSize[] = [
  {
    // Its 12 layers, patches, class token and norms hold 85,254,144 numbers, a fixed table 6144 positions.
    file: "ossicle/classifiers/eat.oss",
    model: "EatClassifier",
    entry: "tokens",
    at: { B: 1 },
    parameters: 85_254_144 + 6144 * 768 + 2 * 768 + 527 * 769,
    macs: 512 * 256 * 768 + vit(513),
  },
  {
    // As many as AudioMAE's: both have 513 tokens of the same width, and classify by one.
    file: "ossicle/classifiers/eat.oss",
    model: "EatAudioSet",
    entry: "forward",
    at: { B: 1 },
    parameters: 90_379_535,
    macs: 48_523_277_568,
  },
];

/** transformers' WhisperEncoder holds as many; a frame for 10 ms, a token for 20. */
const whisper = (
  [
    ["tiny", 80, 384, 4, 8_208_384],
    ["base", 80, 512, 6, 20_590_592],
    ["small", 80, 768, 12, 88_154_112],
    ["medium", 80, 1024, 24, 307_216_384],
    ["large", 80, 1280, 32, 636_784_640],
    ["large", 128, 1280, 32, 636_968_960],
  ] as const
).map(
  ([size, bins, width, depth, parameters]): FullSize => ({
    file: "test/fixtures/models/encoders.oss",
    model: "Whisper",
    entry: "forward",
    settings: { size, bins },
    at: { B: 1 },
    parameters,
    macs:
      3000 * 3 * bins * width +
      1500 * 3 * width ** 2 +
      depth * (12 * 1500 * width ** 2 + 2 * 1500 ** 2 * width),
  }),
);

/** 998 frames are 62 × 8 patches; of a layer also the gates, of the positions 128 taps in 16 groups. */
const beats: FullSize = {
  file: "test/fixtures/models/encoders.oss",
  model: "Beats",
  entry: "forward",
  at: { B: 1, L: 998 },
  parameters: 90_311_792,
  macs: 496 * 512 * (256 + 768) + 496 * 128 * 768 * 48 + vit(496) + 12 * 496 * 12 * 64 * 8,
};

/** transformers' ClapAudioEncoder holds as many, with what batch normalisation counted. 1001 frames are resampled. */
const htsat: FullSize = {
  file: "test/fixtures/models/encoders.oss",
  model: "Htsat",
  entry: "forward",
  at: { B: 1 },
  parameters: 27_534_488 + 2 * 64,
  macs:
    1024 * 1001 * 64 +
    4096 * 16 * 96 +
    [2, 2, 6, 2].reduce((sum, depth, stage) => {
      const [tokens, width] = [4096 / 4 ** stage, 96 * 2 ** stage];
      const merging = stage === 3 ? 0 : (tokens / 4) * 4 * width * 2 * width;
      return sum + depth * (12 * tokens * width ** 2 + 2 * tokens * 64 * width) + merging;
    }, 0),
};

/** Of ten seconds: 998 frames, a transform of 400 samples into 256 frequencies, 128 bands. */
const filterbank = 998 * 256 * (2 * 400 + 128);
const llama7b = 6_738_415_616;
/** On the queries and values of every layer, at rank 8. */
const lora = (depth: number, width: number): number => depth * 2 * 8 * (width + width);

const attending: readonly FullSize[] = [
  {
    file: "ossicle/captioners/slam-aac.oss",
    model: "SlamAac",
    entry: "listen",
    at: { T: 160_000 },
    parameters: 89_972_736 + 3841 * 2048 + 2049 * 4096 + llama7b + lora(32, 4096),
    macs: filterbank + 512 * 256 * 768 + vit(513) + 102 * 2048 * (3840 + 4096),
  },
  {
    // Its authors count 6,831,480,832: their checkpoint has two unused pairs of norms in each of 12 layers.
    file: "ossicle/captioners/ltu.oss",
    model: "Ltu",
    entry: "listen",
    at: { T: 160_000 },
    parameters: 6_831_480_832 - 12 * 4 * 2 * 768,
    macs: filterbank + 512 * 256 * 768 + vit(512) + 32 * 768 * 4096,
  },
  {
    // Of the Q-Former, the first of two layers looks at the tokens, which are 2048 wide.
    file: "ossicle/captioners/salmonn.oss",
    model: "Salmonn",
    entry: "listen",
    at: { T: 480_000 },
    parameters:
      636_784_640 + 90_311_792 + 2 * 2048 + 18_508_032 + 769 * 5120 + 13_015_864_320 + lora(40, 5120),
    macs:
      // Whisper's features and layers
      3000 * 200 * (2 * 400 + 80) +
      3000 * 3 * 80 * 1280 +
      1500 * 3 * 1280 ** 2 +
      32 * (12 * 1500 * 1280 ** 2 + 2 * 1500 ** 2 * 1280) +
      // those of BEATs, of 2998 frames
      2998 * 256 * (2 * 400 + 128) +
      1496 * 512 * (256 + 768) +
      1496 * 128 * 768 * 48 +
      vit(1496) +
      12 * 1496 * 12 * 64 * 8 +
      // 88 windows of 17 tokens: the first layer from the queries on, which are learned, then the second
      88 * (9 * 768 ** 2 + 17 * 2 * (2048 + 1) * 768 + 12 * 768 ** 2 + 2 * 768) +
      88 * 768 * 5120,
  },
];

/** What SAM's parts hold: arXiv:2509.15680 has three sizes of decoder, and ranks 8 and 256. */
const sam = [
  {
    model: "Sam130m",
    decoder: 128_989_632,
    lora: { 8: 1_233_408, 256: 39_469_056 },
    wide: 5_309_952,
    each: 1_181_184,
    width: 768,
  },
  {
    model: "Sam780m",
    decoder: 780_161_280,
    lora: { 8: 4_835_328, 256: 154_730_496 },
    wide: 11_799_552,
    each: 3_542_016,
    width: 1536,
  },
  {
    model: "Sam2b7",
    decoder: 2_702_599_680,
    lora: { 8: 10_657_792, 256: 341_049_344 },
    wide: 22_287_360,
    each: 8_524_800,
    width: 2560,
  },
] as const;

/** Every size with every connector: parameters of all, and the MACs of hearing ten seconds. */
const captioners = sam.flatMap(({ model, decoder, lora, wide, each, width }): FullSize[] =>
  ([8, 256] as const).flatMap((rank) =>
    ["concat", "time", "frequency"].map((arrangement): FullSize => {
      const isConcat = arrangement === "concat";
      const mlp = isConcat ? 64 * (6144 + width) * width : 512 * (768 + width) * width;
      return {
        file: "ossicle/captioners/sam.oss",
        model,
        entry: "listen",
        settings: { arrangement, rank },
        at: { T: 160_000 },
        parameters: 89_972_736 + (isConcat ? wide : each + width) + decoder + lora[rank],
        macs: filterbank + 512 * 256 * 768 + vit(513) + mlp,
      };
    }),
  ),
);

const named = (values: Readonly<Record<string, string | number>>): string[] =>
  Object.entries(values).map(([name, value]) => `${name}=${value}`);

test.each(
  [...models, ...whisper, beats, htsat, ...attending, ...captioners].map(
    (model) => [model.model, named(model.settings ?? {}).join(", "), model] as const,
  ),
)("%s %s", async (_, __, { file, model, entry, at, settings = {}, parameters, macs }) => {
  const { status, stdout, stderr } = await runHere([
    ...["cost", file, "-m", model, "--json"],
    ...named(settings).flatMap((pair) => ["--set", pair]),
    ...named(at).flatMap((pair) => ["--at", pair]),
  ]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  const { cost }: Counts = JSON.parse(stdout);
  expect(cost.parameters.all.value).toBe(parameters);
  expect(cost.entries.find((each) => each.entry === entry)?.total.macs.value).toBe(macs);
});
