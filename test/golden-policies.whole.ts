/** The recorded cases of EViT and ToMe, on both targets, through the command line. */
import { describe, expect, test } from "vitest";
import {
  closenessOf,
  goldenFile,
  goldenInputs,
  goldenOutputs,
  type RunRequest,
  runToTensors,
  type Target,
  targets,
} from "./support/golden.ts";
import { expectClose, expectSame, type Tensors, tensorOf } from "./support/tensors.ts";

const file = "../test/fixtures/models/vit.oss";

function runVit(name: string, policy: string, target: Target, more: Partial<RunRequest>): Promise<Tensors> {
  return runToTensors({
    file,
    model: "Vit",
    entry: "forward",
    settings: { policy },
    weights: goldenFile(`${name}/weights.safetensors`),
    target,
    ...more,
  });
}

/** Paths and the tensors of a case that they must give: integers exactly. */
async function expectValues(
  got: Tensors,
  name: string,
  paths: ReadonlyMap<string, string>,
  target: Target,
): Promise<void> {
  const want = await goldenOutputs(name);
  for (const [path, tensor] of paths) {
    const expected = tensorOf(want, tensor);
    if (expected.dtype === "i64") expectSame(tensorOf(got, path), expected, tensor);
    else expectClose(tensorOf(got, path), expected, closenessOf(target), `${tensor} on ${target}`);
  }
  expect(got.size).toBe(paths.size);
}

describe.each(targets)("on %s", (target) => {
  describe.each(["fuse", "nofuse"])("EViT, %s", (fuse) => {
    const name = "evit-tiny";
    const policy = (keep: string, order: string): string =>
      `Evit(keep: ${keep}, at: [1, 2, 3], fuse: ${fuse === "fuse"}, order: "${order}")`;
    const inputs = { x: goldenFile(`${name}/inputs.safetensors`) };

    test.each(["0.9", "0.7", "0.5"])("keep %s: logits, states, scores and indices", async (keep) => {
      const prefix = `keep${keep}.${fuse}.`;
      const paths = new Map([["logits", `${prefix}logits`]]);
      for (const layer of [0, 1, 2, 3]) paths.set(`blocks.${layer}`, `${prefix}hidden.layer${layer}`);
      for (const layer of [1, 2, 3]) {
        paths.set(`blocks.${layer}.tokens.scores`, `${prefix}layer${layer}.scores`);
        paths.set(`blocks.${layer}.tokens.kept`, `${prefix}layer${layer}.kept_local`);
      }
      const taps = [...paths.keys()].slice(1);
      await expectValues(
        await runVit(name, policy(keep, "score"), target, { inputs, taps }),
        name,
        paths,
        target,
      );
    });

    test("in the original order: the same tokens, and the same logits", async () => {
      const taps = ["blocks.1.tokens.kept"];
      const got = await runVit(name, policy("0.7", "original"), target, { inputs, taps });
      const want = await goldenOutputs(name);
      const logits = tensorOf(want, `keep0.7.${fuse}.logits`);
      expectClose(tensorOf(got, "logits"), logits, closenessOf(target), "logits");
      const kept = tensorOf(want, `keep0.7.${fuse}.layer1.kept_local`);
      const data = Float64Array.from(
        [0, 1].flatMap((row) => [...kept.data.subarray(row * 23, (row + 1) * 23)].sort((a, b) => a - b)),
      );
      expectSame(tensorOf(got, "blocks.1.tokens.kept"), { ...kept, data }, "kept");
    });
  });

  test("EViT without fusion is TopK by the class token", async () => {
    const name = "evit-tiny";
    const inputs = { x: goldenFile(`${name}/inputs.safetensors`) };
    const paths = new Map([["logits", "keep0.7.nofuse.logits"]]);
    await expectValues(
      await runVit(name, "TopK(keep: 0.7, at: [1, 2, 3])", target, { inputs }),
      name,
      paths,
      target,
    );
  });

  describe("ToMe", () => {
    const name = "tome-tiny";

    test.each([
      ["cls", 4, 1],
      ["none", 5, 0],
      ["cls_dist", 6, 2],
    ] as const)("merging alone: %s", async (kind, merge, extra) => {
      const input = (tensor: string): string =>
        `${goldenFile(`${name}/inputs.safetensors`)}:${kind}.${tensor}`;
      const got = await runToTensors({
        file,
        model: "Merging",
        entry: "run",
        settings: { merge, extra },
        inputs: { x: input("x"), metric: input("metric") },
        target,
      });
      const paths = new Map(["y", "size", "source"].map((result) => [result, `${kind}.${result}`]));
      await expectValues(got, name, paths, target);
    });

    test.each(["prop", "noprop"])("in a model, %s", async (attention) => {
      const proportional = attention === "prop";
      const inputs = { x: `${goldenFile(`${name}/inputs.safetensors`)}:model.x` };
      const prefix = `model.${attention}.`;
      const paths = new Map([["logits", `${prefix}logits`]]);
      for (const layer of [0, 1, 2, 3]) paths.set(`blocks.${layer}`, `${prefix}hidden.layer${layer}`);
      paths.set("blocks.3.tokens.source", `${prefix}source`);
      const policy = `Tome(merge: 5, at: 0..4, proportional: ${proportional})`;
      const taps = [...paths.keys()].slice(1);
      await expectValues(await runVit(name, policy, target, { inputs, taps }), name, paths, target);
    });

    test("every token of the input goes into one token, which counts them", async () => {
      const inputs = { x: `${goldenFile(`${name}/inputs.safetensors`)}:model.x` };
      const taps = ["blocks.2.tokens.size", "blocks.2.tokens.source"];
      const got = await runVit(name, "Tome(merge: 5, at: [0, 2])", target, { inputs, taps });
      const source = tensorOf(got, taps[1] ?? "");
      const sizes = tensorOf(got, taps[0] ?? "");
      const [, rows = 0, tokens = 0] = source.shape;
      const patches = tensorOf(await goldenInputs(name), "model.x").data.length / 2 / 256;
      expect([rows, tokens]).toEqual([patches + 1 - 10, patches + 1]);
      for (let token = 0; token < tokens; token++) {
        const owners = Array.from({ length: rows }, (_, row) => source.data[row * tokens + token] ?? 0);
        expect(owners.filter((owner) => owner === 1)).toHaveLength(1);
        expect(owners.filter((owner) => owner === 0)).toHaveLength(rows - 1);
      }
      for (let row = 0; row < rows; row++) {
        const members = [...source.data.subarray(row * tokens, (row + 1) * tokens)].map(Number);
        expect(sizes.data[row]).toBe(members.reduce((sum, member) => sum + member, 0));
      }
    });
  });
});
