/**
 * `ossicle cost --train`: what is trained by the text's own word, by patterns, and in comparison, against
 * the parameters of published adapters and the rule of products.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runHere, temporaryFolder } from "../support/cli.ts";

interface Row {
  readonly strategy: string;
  readonly at: string | null;
  readonly trained: { readonly value: number };
  readonly forwardMacs: { readonly value: number };
  readonly backwardMacs: { readonly value: number };
  readonly optimizerBytes: { readonly value: number };
}

/** 8·768 to 768 and 768 to 768, with biases. */
const connector = 8 * 768 * 768 + 768 + 768 * 768 + 768;

test("the captioner of arXiv:2509.15680 in one table", { timeout: 60_000 }, async () => {
  const { stdout, status } = await runHere([
    ...["cost", "ossicle/captioners/sam.oss", "--entry", "prefill", "--seconds", "10", "--at", "P=8"],
    ...["--train", "compare", "--set", "rank=8,256", "--set", "tuning=frozen", "--json"],
  ]);
  expect(status, stdout).toBe(0);
  const { training }: { training: { strategies: readonly Row[] } } = JSON.parse(stdout);
  const rows = training.strategies;
  expect(rows.map(({ strategy, at }) => [strategy, at])).toEqual([
    ["everything", null],
    ["everything but the encoder", null],
    ["as declared, with adapters", "rank = 8"],
    ["as declared, with adapters", "rank = 256"],
  ]);
  const [all, decoder, small, large] = rows;
  expect(decoder?.trained.value).toBe(128_989_632 + connector);
  expect(small?.trained.value).toBe(1_233_408 + connector);
  expect(large?.trained.value).toBe(39_469_056 + connector);
  expect(small?.optimizerBytes.value).toBe(8 * (small?.trained.value ?? 0));
  // Nothing runs backward through what is frozen and before what is trained.
  expect(decoder?.backwardMacs.value ?? 0).toBeLessThan((all?.backwardMacs.value ?? 0) / 5);
});

test("its encoder is trained with the rest, unless it is frozen", async () => {
  const request = [
    "cost",
    "ossicle/captioners/sam.oss",
    "--entry",
    "prefill",
    "--seconds",
    "10",
    "--at",
    "P=8",
  ];
  const { stdout, status } = await runHere([
    ...request,
    "--train",
    "compare",
    "--set",
    "tuning=joint,frozen",
    "--json",
  ]);
  expect(status, stdout).toBe(0);
  const { training }: { training: { strategies: readonly Row[] } } = JSON.parse(stdout);
  const [joint, frozen] = training.strategies.slice(-2).map(({ trained }) => trained.value);
  expect(frozen).toBe(1_233_408 + connector);
  // The learned tensors of EAT.
  expect((joint ?? 0) - (frozen ?? 0)).toBe(85_254_144);
});

const text = (frozen: string): string => `import { Linear } from "ossicle/blocks/linear.oss"

model Two(part: string = "none") {
  input x: f32[4, 8]
  first = Linear(8, 16)
  second = Linear(16, 2)
  ${frozen}
  entry run(x) -> y: f32[4, 2] = x |> first |> second
}
`;

async function train(frozen: string, ...more: readonly string[]) {
  const file = join(temporaryFolder(), "two.oss");
  writeFileSync(file, text(frozen));
  const { stdout, status } = await runHere(["cost", file, "--train", "--json", ...more]);
  expect(status, stdout).toBe(0);
  const { cost } = JSON.parse(stdout);
  const { training } = cost.entries[0];
  return {
    trainable: cost.parameters.trainable.value,
    forward: training.forwardMacs.value,
    backward: training.backwardMacs.value,
  };
}

describe("frozen", () => {
  const [first, second] = [4 * 8 * 16, 4 * 16 * 2];

  test("nothing: a product runs backward towards its weight, and towards its input where that is computed", async () => {
    const found = await train("");
    expect(found).toEqual({
      trainable: 8 * 16 + 16 + 32 + 2,
      forward: first + second,
      backward: first + 2 * second,
    });
  });

  test("the first: nothing runs back into it", async () => {
    const found = await train('frozen { "first" }');
    expect(found).toEqual({ trainable: 34, forward: first + second, backward: second });
  });

  test("the second: the gradient still passes through it", async () => {
    const found = await train('frozen { "second.*" }');
    expect(found).toEqual({ trainable: 144, forward: first + second, backward: first + second });
  });

  test("by a parameter, and inside a block by its own paths", async () => {
    const frozen = 'if part != "none" { frozen { "first" } }';
    expect((await train(frozen)).trainable).toBe(178);
    expect((await train(frozen, "--set", "part=first")).trainable).toBe(34);
  });
});

test("fmt keeps it, on one line while it fits", async () => {
  const file = join(temporaryFolder(), "two.oss");
  writeFileSync(file, text('frozen { "first", "second.bias" }'));
  expect((await runHere(["fmt", "--check", file])).status).toBe(0);
});
