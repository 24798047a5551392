/** Text from models, through the command: recorded ids, beams, streams, stops, and what can go wrong. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { root, runHere, temporaryFolder } from "../support/cli.ts";
import { goldenFile, goldenInputs, goldenOutputs, targets } from "../support/golden.ts";
import { tiny } from "../support/mamba2.ts";
import { tensorOf } from "../support/tensors.ts";
import { smallTokenizer } from "../support/tokenizer.ts";

const lm = "ossicle/decoders/mamba2-lm.oss";
const tinyArguments = [
  "generate",
  lm,
  ...["--set", `decoder=Mamba2(depth: ${tiny.depth}, ${tiny.decoder})`],
  ...["--weights", goldenFile("mamba2-tiny/weights.safetensors")],
];

async function json(arguments_: readonly string[]): Promise<Record<string, unknown>> {
  const { status, stdout, stderr } = await runHere([...arguments_, "--json"]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return JSON.parse(stdout);
}

async function idsOf(tensors: ReturnType<typeof goldenInputs>, name: string): Promise<number[]> {
  return [...tensorOf(await tensors, name).data];
}

describe.each(targets)("on %s", (target) => {
  test("greedy gives the recorded ids", async () => {
    const prompt = await idsOf(goldenInputs("mamba2-tiny"), "greedy.prompt_ids");
    const want = await idsOf(goldenOutputs("mamba2-tiny"), "greedy.new_ids");
    const request = [...tinyArguments, "--target", target, "--prompt-ids", prompt.join(","), "-n", "20"];
    expect(await json([...request, "--stop-id", "127"])).toMatchObject({
      ids: want,
      promptIds: prompt,
      reason: "limit",
      randomWeights: false,
      text: null,
      entries: ["prefill", "step"],
    });
    // One beam is greedy; four are at least as likely.
    const one = await json([...request, "--stop-id", "127", "--beams", "1"]);
    expect(one["ids"]).toEqual(want);
    const four = await json([...request, "--stop-id", "127", "--beams", "4"]);
    expect(Number(four["logProbability"])).toBeGreaterThanOrEqual(Number(one["logProbability"]) - 1e-6);
  });
});

test("a captioner that starts from features gives the recorded ids", async () => {
  const file = (name: string): string => goldenFile(`e2e-tiny/${name}.safetensors`);
  const found = await json([
    ...["generate", join(root, "test/fixtures/models/captioners.oss"), "-m", "Tiny"],
    ...["--weights", file("weights"), "--in", `input_values=${file("inputs")}`],
    ...["--prompt-ids", (await idsOf(goldenInputs("e2e-tiny"), "text_ids")).join(","), "-n", "12"],
  ]);
  expect(found["ids"]).toEqual(await idsOf(goldenOutputs("e2e-tiny"), "index_order.new_ids"));
  expect(found["entries"]).toEqual(["prefill", "step"]);
});

test("beams carry their state along: their sum is what the whole text scores", async () => {
  const request = [...tinyArguments, "--prompt-ids", "5,6,7", "-n", "12", "--stop-id", "127"];
  const found = await json([...request, "--beams", "5"]);
  const again = await json([...request, "--beams", "5", "--target", "reference"]);
  expect(again["ids"]).toEqual(found["ids"]);
  const ids = found["ids"];
  if (!Array.isArray(ids)) throw new Error("ids is no list");
  const all = [5, 6, 7, ...ids];
  const whole = await json([
    "run",
    ...tinyArguments.slice(1),
    ...["-e", "logits", "--in", `tokens=[[${all}]]`, "--target", "reference"],
  ]);
  const outputs = whole["outputs"] as Record<string, { shape: number[]; data: number[] }>;
  const { shape = [], data = [] } = outputs["logits"] ?? {};
  const size = shape[2] ?? 0;
  const sum = ids.reduce((total: number, id: number, i) => {
    const row = data.slice((i + 2) * size, (i + 3) * size);
    const highest = Math.max(...row);
    const scale = Math.log(row.reduce((powers, score) => powers + Math.exp(score - highest), 0));
    return total + (row[id] ?? 0) - highest - scale;
  }, 0);
  expect(again["logProbability"]).toBeCloseTo(sum, 4);
});

test("a recording is described, as far as random weights can", async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "tokenizer.json"), smallTokenizer());
  const decoder = "Mamba2(depth: 1, width: 32, head_width: 16, state: 8, vocabulary: 272)";
  writeFileSync(
    join(folder, "tiny.oss"),
    `import { Hear, Captioner } from "ossicle/captioners/captioner.oss"
    import { Linear } from "ossicle/blocks/linear.oss"
    import { Mamba2 } from "ossicle/decoders/mamba2.oss"
    import { KaldiFbank, Normalise } from "ossicle/frontends/kaldi-fbank.oss"

    encoder Frames(width: int = 48) {
      pool = Linear(16 * 128, width)
      forward(x: f32[1, 1024, 128]) -> f32[1, 64, width] = pool(reshape(x, [1, 64, 2048]))
    }
    model Tiny() = Captioner(
      Hear(KaldiFbank() |> Normalise(1024, -4.268, 4.569), Frames()), Linear(48, 32), ${decoder}, limit: 6)`,
  );
  const request = [
    ...["caption", join(folder, "tiny.oss"), "--audio", join(root, "examples/demo/recording.wav")],
    ...["--random-weights", "--tokenizer", join(folder, "tokenizer.json")],
  ];
  const found = await json([...request, "--prompt", " the dog"]);
  expect(found).toMatchObject({ randomWeights: true, promptIds: [259, 262] });
  expect(typeof found["text"]).toBe("string");
  // Where nothing is asked, the model's own question is.
  const asked = await json([...request, "--prompt", "Describe the sound."]);
  expect((await json(request))["promptIds"]).toEqual(asked["promptIds"]);
});

describe("with text", () => {
  let folder = "";
  let tokenizer = "";
  beforeEach(() => {
    folder = temporaryFolder();
    tokenizer = join(folder, "tokenizer.json");
    writeFileSync(tokenizer, smallTokenizer());
  });
  const model = [
    "generate",
    lm,
    "--set",
    "decoder=Mamba2(depth: 2, width: 32, head_width: 16, state: 8, vocabulary: 272)",
  ];

  test("is given out as it comes, and labelled when the weights are random", async () => {
    const request = [
      ...model,
      "--random-weights",
      "--tokenizer",
      tokenizer,
      "--prompt",
      " the dog",
      "--seed",
      "3",
    ];
    const { status, stdout, stderr } = await runHere(request);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const again = await json(request);
    expect(stdout).toBe(`${again["text"]}\nThe weights are random (random:1): this text means nothing.\n`);
    expect(again).toMatchObject({ randomWeights: true, promptIds: [259, 262] });
    expect((await json([...request.slice(0, -1), "4"]))["ids"]).not.toEqual(again["ids"]);
  });

  test("without a tokenizer is ids, and says that a declared stop can't be found", async () => {
    const request = [...model, "--random-weights", "--prompt-ids", "5", "-n", "4"];
    const { status, stdout, stderr } = await runHere(request);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^\d+( \d+){3}\nThe weights are random/);
    expect(stderr).toMatch(/warning\[stop-unknown\].*<\|endoftext\|>/);
  });

  test("as bytes: by name, or where random weights have no tokenizer", async () => {
    const request = [...model, "--random-weights", "--prompt", "é!", "-n", "4"];
    const { status, stdout, stderr } = await runHere(request);
    expect(status).toBe(0);
    expect(stderr).toMatch(/^warning\[tokenizer-missing\].*read as bytes/);
    expect(stderr).not.toContain("stop-unknown");
    const named = await json([...request, "--tokenizer", "bytes"]);
    expect(named["promptIds"]).toEqual([0xc3, 0xa9, 0x21]);
    expect(stdout).toContain(String(named["ids"]).replaceAll(",", " "));
    expect(typeof named["text"]).toBe("string");
  });

  test("by the tokenizer of a folder with the weights", async () => {
    const request = [...model, "--random-weights", "--prompt", " the dog", "-n", "1", "--tokenizer"];
    expect((await json([...request, folder]))["promptIds"]).toEqual([259, 262]);
  });

  test("needs a tokenizer, a prompt, and a model that generates", async () => {
    const failing = async (arguments_: readonly string[]): Promise<unknown> => {
      const { status, stdout } = await runHere([...arguments_, "--json"]);
      expect(status).toBe(1);
      return JSON.parse(stdout).diagnostics.map(({ code }: { code: string }) => code);
    };
    const weights = ["--weights", "random:1"];
    expect(await failing([...tinyArguments, "--prompt", "a"])).toEqual(["tokenizer-missing"]);
    expect(await failing([...model, "--prompt", "a"])).toEqual(["weights-missing"]);
    expect(await failing([...model, ...weights, "--tokenizer", tokenizer])).toEqual(["input-missing"]);
    expect(await failing([...model, ...weights, "--tokenizer", tokenizer, "--prompt", ""])).toEqual([
      "prompt-empty",
    ]);
    expect(await failing([...model, ...weights, "--prompt-ids", "900"])).toEqual(["unknown-id"]);
    const named = [...model, ...weights, "--stop-id", "0", "--prompt-ids", "1"];
    expect(await failing([...named, "--stop", "x"])).toEqual(["tokenizer-missing"]);
    expect(await failing([...named, "--beams", "2", "--seed", "1"])).toEqual(["bad-generation-option"]);
    expect(await failing([...named, "--length-penalty", "1"])).toEqual(["bad-generation-option"]);
    expect(await failing([...named, "--top-p", "2"])).toContain("bad-generation-option");
    expect(await failing(["caption", ...named.slice(1), "--audio", "x.wav"])).toContain("not-a-captioner");
    expect(await failing(["generate", "ossicle/classifiers/ast.oss", "--prompt-ids", "1"])).toEqual([
      "no-generation",
    ]);
    writeFileSync(tokenizer, "{}");
    expect(await failing([...named.slice(0, -2), "--tokenizer", tokenizer, "--prompt", "a"])).toEqual([
      "bad-tokenizer",
    ]);
  });
});
