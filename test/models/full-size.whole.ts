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
    readonly entries: readonly { readonly total: { readonly macs: { readonly value: number } } }[];
  };
}

const vit = (tokens: number): number => 12 * (12 * tokens * 768 ** 2 + 2 * tokens ** 2 * 768);

const models: readonly FullSize[] = [
  {
    // 12 layers, patches, class token and norms: 85,254,144 numbers, and a fixed table of 6144 positions.
    file: "classifiers/eat.oss",
    model: "EatClassifier",
    entry: "tokens",
    at: { B: 1 },
    parameters: 85_254_144 + 6144 * 768,
    macs: 512 * 256 * 768 + vit(513),
  },
  {
    // As many as AudioMAE's: both have 513 tokens of the same width, and classify by one.
    file: "classifiers/eat.oss",
    model: "EatAudioSet",
    entry: "forward",
    at: { B: 1 },
    parameters: 90_379_535,
    macs: 48_523_277_568,
  },
];

const named = (values: Readonly<Record<string, string | number>>): string[] =>
  Object.entries(values).map(([name, value]) => `${name}=${value}`);

test.each(models.map((model) => [model.model, model.entry, model] as const))(
  "%s %s",
  async (_, __, { file, model, entry, at, settings = {}, parameters, macs }) => {
    const { status, stdout, stderr } = await runHere([
      ...["cost", `ossicle/${file}`, "-m", model, "-e", entry, "--json"],
      ...named(settings).flatMap((pair) => ["--set", pair]),
      ...named(at).flatMap((pair) => ["--at", pair]),
    ]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const { cost }: Counts = JSON.parse(stdout);
    expect(cost.parameters.all.value).toBe(parameters);
    expect(cost.entries.map(({ total }) => total.macs.value)).toEqual([macs]);
  },
);
