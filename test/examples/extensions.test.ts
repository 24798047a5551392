/**
 * What the library lacks, a user writes in a few lines of the language: a policy, a score, a
 * connector and an adapter, each on every encoder, with nothing in TypeScript.
 */
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { root, runHere } from "../support/cli.ts";

const folder = "examples/extensions";
const files = readdirSync(join(root, folder)).filter((name) => name.endsWith(".oss") && name !== "model.oss");

/** Lines that are neither blank, nor comments, nor imports. */
function codeLines(path: string): string[] {
  const text = readFileSync(join(root, folder, path), "utf8");
  return text.split("\n").filter((line) => !/^\s*(\/\/.*|import .*)?$/.test(line));
}

async function json(...arguments_: string[]) {
  const { status, stdout, stderr } = await runHere([...arguments_, "--json"]);
  expect(stderr).toBe("");
  expect(status).toBe(0);
  return JSON.parse(stdout);
}

function spectrogram(): string {
  const path = join(mkdtempSync(join(tmpdir(), "ossicle-")), "x.npy");
  const header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 128, 64), }"
    .padEnd(117)
    .concat("\n");
  const values = Float32Array.from(
    { length: 128 * 64 },
    (_, i) => Math.sin(i * 0.37) + Math.cos(i * i * 0.001),
  );
  const bytes = new Uint8Array(10 + header.length + values.byteLength);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length, 0]);
  bytes.set(new TextEncoder().encode(header), 10);
  bytes.set(new Uint8Array(values.buffer), 10 + header.length);
  writeFileSync(path, bytes);
  return path;
}

describe("extensions in the language", () => {
  it.each(files)("%s takes at most 15 lines", (file) => {
    expect(codeLines(file).length).toBeGreaterThan(2);
    expect(codeLines(file).length).toBeLessThanOrEqual(15);
  });

  it("check, with `extends`, `with`, `for` and `sweep`", async () => {
    const { entries } = await json("check", `${folder}/model.oss`);
    expect(entries.map((entry: { model: string }) => entry.model)).toContain("AstByValues");
  });

  it.each(["ast", "audiomae"])("work on the encoder %s and compute", async (encoder) => {
    const { outputs } = await json(
      ...["run", `${folder}/model.oss`, "--target", "reference", "--weights", "random:1"],
      ...["--set", `encoder=${encoder}`, "--in", `spectrogram=${spectrogram()}`],
    );
    const { shape, data } = outputs.tokens;
    expect(shape).toEqual([1, encoder === "ast" ? 11 : 6, 32]);
    expect(data.every((value: number) => Number.isFinite(value))).toBe(true);
  });

  it("nucleus keeps the smallest set that holds the mass, within its bound", async () => {
    const path = "audio.blocks.1.tokens";
    const { outputs } = await json(
      ...["run", `${folder}/model.oss`, "--target", "reference", "--weights", "random:1"],
      ...["--set", "encoder=audiomae", "--set", "bound=70%", "--in", `spectrogram=${spectrogram()}`],
      ...["--tap", `${path}.best`, "--tap", `${path}.needed`, "--tap", `${path}.scores`],
    );
    const best: number[] = outputs[`${path}.best`].data;
    const needed: number[] = outputs[`${path}.needed`].data;
    const total = outputs[`${path}.scores`].data.reduce((sum: number, score: number) => sum + score, 0);
    expect(best.length).toBe(Math.ceil(0.7 * 32));
    let before = 0;
    for (const [i, score] of best.entries()) {
      expect(needed[i]).toBe(before < 0.9 * total ? 1 : 0);
      before += score;
    }
  });

  it("gives each layer the rank of its place", async () => {
    const { outputs } = await json(
      ...["run", `${folder}/model.oss`, "--target", "reference", "--weights", "random:1"],
      ...["--set", "encoder=audiomae", "--in", `spectrogram=${spectrogram()}`, "--tap", "audio.blocks.*"],
    );
    expect(Object.keys(outputs)).toContain("audio.blocks.1");
    const text = (await json("inspect", `${folder}/model.oss`, "--set", "encoder=audiomae")).text;
    expect(text).toContain("audio.blocks.0.attn.qkv.lora_A.weight: f32[2, 48]");
    expect(text).toContain("audio.blocks.1.attn.qkv.lora_A.weight: f32[4, 48]");
  });
});
