/**
 * Every policy of the library on every encoder of it, small: the text of one says nothing of the other.
 *
 * A policy or an encoder that is added has to be listed here: the folders are read.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { HostTensor } from "../../src/compiler/host-tensor.ts";
import { root } from "../support/cli.ts";
import { closenessOf } from "../support/golden.ts";
import { expectClose, expectSame, type Tensors, tensorOf } from "../support/tensors.ts";
import { literal, runSource } from "./run-source.ts";

/** The blocks of a kind that the files of a folder declare, with the file of each. */
function declared(folder: string, kind: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const file of readdirSync(join(root, "models", folder))) {
    const text = readFileSync(join(root, "models", folder, file), "utf8");
    for (const [, name = ""] of text.matchAll(new RegExp(`^${kind} (\\w+)`, "gm"))) {
      found.set(name, `ossicle/${folder}/${file}`);
    }
  }
  return found;
}

interface Small {
  readonly name: string;
  readonly encoder: string;
  /** What it takes. */
  readonly shape: readonly number[];
  readonly extra: number;
}

const size = "width: 16, depth: 4, heads: 2, hidden: 32";
const encoders: readonly Small[] = [
  {
    name: "AstEncoder",
    encoder: `AstEncoder(frames: 64, bins: 64, ${size}, frequency_stride: 16, time_stride: 16)`,
    shape: [2, 64, 64],
    extra: 2,
  },
  {
    name: "AudioMaeEncoder",
    encoder: `AudioMaeEncoder(frames: 64, bins: 64, ${size})`,
    shape: [2, 1, 64, 64],
    extra: 1,
  },
  { name: "EatEncoder", encoder: `EatEncoder(frames: 64, bins: 64, ${size})`, shape: [2, 64, 64], extra: 1 },
  {
    name: "CavMaeEncoder",
    encoder: "CavMaeEncoder(frames: 64, bins: 64, patch_width: 16, depth: 3, heads: 2, hidden: 32)",
    shape: [2, 64, 64],
    extra: 0,
  },
  {
    name: "WhisperEncoder",
    encoder: `WhisperEncoder(${size}, bins: 8, positions: 16)`,
    shape: [2, 8, 32],
    extra: 0,
  },
];

/** Encoders without a site for tokens: their attention is bound to the places of all. */
const closed = ["BeatsEncoder", "HtsatEncoder"];

/** What a policy leaves of 16 patches. */
const policies: readonly { readonly policy: string; readonly left: number }[] = [
  { policy: "TopK(50%, at: [1, 2])", left: 4 },
  { policy: 'TopK(70%, at: [0], score: TokenDistance, order: "original")', left: 12 },
  { policy: "TopK(50%, at: [3], score: MeanAttention, segments: 4)", left: 8 },
  { policy: "SegmentTopK(50%, at: [1, 2], segments: 2)", left: 4 },
  { policy: "RandomTokens(25%, at: [0])", left: 4 },
  { policy: "Evit(50%, at: [1])", left: 9 },
  { policy: "Evit(50%, at: [1, 3], fuse: false)", left: 4 },
  { policy: "Tome(2, at: 0..3)", left: 10 },
];

const known = new Map([
  ...declared("encoders", "encoder"),
  ...declared("policies", "policy"),
  ...declared("policies", "block"),
]);

/** Imports of everything that is named. */
function imports(text: string): string {
  return [...known]
    .filter(([name]) => new RegExp(`\\b${name}\\b`).test(text))
    .map(([name, file]) => `import { ${name} } from "${file}"\n`)
    .join("");
}

const program = (body: string): string => imports(body) + body;

function numbers(shape: readonly number[]): HostTensor {
  const length = shape.reduce((product, size) => product * size, 1);
  const data = Float64Array.from({ length }, (_, i) =>
    Math.fround(Math.sin(1 + i * 1.7) + Math.cos(i * 0.013)),
  );
  return { dtype: "f32", shape, data };
}

async function expectAgreement(
  source: string,
  inputs: Readonly<Record<string, string>>,
  options: readonly string[] = [],
): Promise<Tensors> {
  const reference = await runSource(source, inputs, options);
  const onnx = await runSource(source, inputs, [...options, "--target", "onnx"]);
  expect([...onnx.keys()]).toEqual([...reference.keys()]);
  for (const [path, want] of reference) {
    if (want.dtype === "i64") expectSame(tensorOf(onnx, path), want, path);
    else expectClose(tensorOf(onnx, path), want, closenessOf("onnx"), path);
  }
  return reference;
}

test("all encoders and policies of the library are here", () => {
  const files = new Map([...declared("encoders", "encoder")]);
  const listed = [...encoders.map(({ name }) => name), ...closed];
  expect(new Set(listed.map((name) => files.get(name)))).toEqual(new Set(files.values()));
  const names = [...declared("policies", "policy").keys()].sort();
  expect([...new Set(policies.map(({ policy }) => policy.replace(/\(.*/, "")))].sort()).toEqual(names);
});

describe.each(encoders)("$name", ({ encoder, shape, extra }) => {
  const takes = shape.slice(1).join(", ");

  test.each(policies)("with $policy", async ({ policy, left }) => {
    const source = program(`
      model M() {
        input x: f32[B, ${takes}]
        let encoder = ${encoder} with ${policy}
        entry run(x) -> tokens: f32[B, N, 16] = encoder(x)
      }`);
    const got = await expectAgreement(source, { x: literal(numbers(shape)) });
    expect(tensorOf(got, "tokens").shape).toEqual([2, extra + left, 16]);
  });

  // What is installed is a value: in a list, in a loop, in what extends a model, beside a sweep.
  test("in a loop, in an extension, beside a sweep", async () => {
    const text = `
      model Base(keep: ratio = 100%) {
        input x: f32[B, ${takes}]
        let encoder = ${encoder} with TopK(keep, at: [1])
        entry run(x) -> tokens: f32[B, N, 16] = encoder(x)
        sweep { keep: [50%, 70%, 100%] }
      }
      model M extends Base(keep: 50%) {
        let encoder = ${encoder} with Evit(50%, at: [2])
        let policies = [TopK(25%, at: [0]), Tome(6, at: [1]), RandomTokens(50%, at: [3])]
        rivals = [${encoder} with policy for policy in policies]
        entry all(x) -> (sum: f32[B, 16], own: f32[B, N, 16]) {
          let sum = mean(encoder(x), axes: [1])
          for rival in rivals {
            sum = sum + mean(rival(x), axes: [1])
          }
          (sum, encoder(x))
        }
      }`;
    const entry = ["-m", "M", "-e", "all"];
    const got = await expectAgreement(program(text), { x: literal(numbers(shape)) }, entry);
    expect(tensorOf(got, "own").shape).toEqual([2, extra + 9, 16]);
  });
});
