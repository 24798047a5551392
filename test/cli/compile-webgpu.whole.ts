/**
 * What `ossicle compile --target webgpu` writes: a folder that a page can load.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, test } from "vitest";
import { readPlan } from "../../src/runtime/gpu/plan-reader.ts";
import { root, runHere, temporaryFolder } from "../support/cli.ts";
import { smallTokenizer } from "../support/tokenizer.ts";

const talkers = join(root, "test/fixtures/models/talkers.oss");
const model = [talkers, "-m", "Echo", "--weights", "random:1", "--target", "webgpu"];

async function compile(more: readonly string[]) {
  const out = join(temporaryFolder(), "model.json");
  const { status, stdout } = await runHere(["compile", ...model, ...more, "--out", out, "--json"]);
  return { out, status, answer: JSON.parse(stdout) };
}

describe("a model that generates", () => {
  test("is compiled with both entries, how they go together, and its tokenizer", async () => {
    const tokenizer = join(temporaryFolder(), "tokenizer.json");
    writeFileSync(tokenizer, smallTokenizer());
    const { out, status, answer } = await compile(["--tokenizer", tokenizer]);
    expect(status).toBe(0);
    const files = answer.files.map(({ path }: { path: string }) => basename(path));
    expect(files).toEqual(["model.safetensors", "model.tokenizer.json", "model.json"]);
    expect(readFileSync(out.replace(".json", ".tokenizer.json"), "utf8")).toBe(smallTokenizer());
    const plan = readPlan("model.json", readFileSync(out, "utf8"));
    expect(plan.entries.map(({ name }) => name)).toEqual(["prefill", "step"]);
    expect(plan.generation).toMatchObject({
      name: "caption",
      prompt: "What is it?",
      stop: ["<|endoftext|>"],
      limit: 12,
      tokenizer: "model.tokenizer.json",
      entries: {
        first: "prefill",
        next: "step",
        audio: { name: "audio", sampleRate: 16000 },
        prompt: { name: "prompt", dtype: "i64", rank: 2 },
        token: { name: "token", dtype: "i64", rank: 2 },
      },
      selection: { next: { best: "logits.best", count: 64, isAll: false } },
    });
    // Only what the scores need runs where nothing is chosen from them.
    for (const { outputs, dispatches } of plan.entries) {
      const names = outputs.map(({ name }) => name);
      expect(names.filter((name) => name.startsWith("logits"))).toHaveLength(5);
      const chosen = dispatches.filter(({ only }) => only !== undefined);
      expect(chosen.length).toBeGreaterThan(1);
      for (const { only } of chosen) expect(only).not.toContain("logits");
      expect(dispatches.length - chosen.length).toBeLessThan(8);
    }
  });

  test("has none where there is none, and a file that is no tokenizer stops it", async () => {
    const plain = await compile([]);
    expect(readPlan("model.json", readFileSync(plain.out, "utf8")).generation?.tokenizer).toBeUndefined();
    const { out, status, answer } = await compile(["--tokenizer", talkers]);
    expect(status).toBe(1);
    expect(answer.diagnostics[0].code).toBe("bad-tokenizer");
    expect(existsSync(out)).toBe(false);
  });

  test("can be compiled without it", async () => {
    const { out } = await compile(["-e", "prefill"]);
    const plan = readPlan("model.json", readFileSync(out, "utf8"));
    expect(plan.entries.map(({ name }) => name)).toEqual(["prefill"]);
    expect(plan.generation).toBeUndefined();
  });
});

test("a tokenizer that nothing would use is refused", async () => {
  const request = [
    "compile",
    "ossicle/classifiers/ast.oss",
    "-w",
    "random:1",
    "--tokenizer",
    "tokenizer.json",
  ];
  const { status, stdout } = await runHere([...request, "--out", "model.onnx", "--json"]);
  expect(status).toBe(1);
  expect(JSON.parse(stdout).diagnostics[0].code).toBe("tokenizer-unused");
});

test("a plan that says of generation what is not there is damaged", async () => {
  const { out } = await compile([]);
  const plan = JSON.parse(readFileSync(out, "utf8"));
  const broken = (change: object): string =>
    JSON.stringify({ ...plan, generation: { ...plan.generation, ...change } });
  const { entries } = plan.generation;
  for (const [change, words] of [
    [{ entries: { ...entries, next: "stride" } }, "generates from stride"],
    [{ entries: { ...entries, nextScores: "scores" } }, "generates with scores, which step does not have"],
    [{ entries: { ...entries, audio: { name: "sound", sampleRate: 1 } } }, "generates with sound"],
    [{ tokenizer: "../secret.json" }, "its tokenizer lies elsewhere"],
    [{ stop: "." }, "generation.stop is no list"],
    [{ selection: { first: {}, next: {} } }, "generation.selection.first.best is no text"],
  ] as const) {
    expect(() => readPlan("model.json", broken(change))).toThrow(words);
  }
});
