import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runHere, temporaryFolder } from "../support/cli.ts";

const library = "ossicle/classifiers/ast.oss";
const small = ["-s", "depth=4", "-s", "width=24", "-s", "heads=2", "-s", "hidden=48", "-s", "at=[1,2]"];

describe("ossicle diff", () => {
  test("of pruning: what each site does and the sizes after it", async () => {
    const { status, stdout, stderr } = await runHere([
      ...["diff", library, ...small, "--set-b", "keep=50%", "-e", "forward"],
    ]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout.trimEnd().split("\n")).toEqual([
      "entry forward",
      "  ops",
      "    + audio_spectrogram_transformer.encoder.layer.{1,2}.tokens: 3 slice, reshape, mean, top_k, take_along, concat",
      "  sizes",
      "    ~ audio_spectrogram_transformer.encoder.layer.1: 1214 → 608",
      "    ~ audio_spectrogram_transformer.encoder.layer.2: 1214 → 608, 1214 → 305",
      "    ~ audio_spectrogram_transformer.encoder.layer.3: 1214 → 305",
      "    ~ audio_spectrogram_transformer.layernorm: 1214 → 305",
      "  in all",
      expect.stringMatching(/^ {4}learned: \d+,\d+, the same$/),
      expect.stringMatching(/^ {4}MACs: [\d,]+\*B → [\d,]+\*B, -\d\d\.\d %$/),
    ]);
  });

  test("of what is the same", async () => {
    const { status, stdout } = await runHere(["diff", library, ...small, "--exit-code"]);
    expect({ status, stdout }).toEqual({ status: 0, stdout: "The two compute the same.\n" });
  });

  test("of two files, as JSON: learned tensors, results and entries of one only", async () => {
    const folder = temporaryFolder();
    const text = (output: number, extra: string) => `import { Linear } from "ossicle/blocks/linear.oss"
model Other() {}
model Head() {
  input x: f32[B, 8]
  layers = [Linear(8, ${output}) for i in 0..2]
  entry run(x) -> y: f32[B, ${output}] = layers[0](x) + layers[1](x)
  ${extra}
}
`;
    const [a, b] = [join(folder, "a.oss"), join(folder, "b.oss")];
    writeFileSync(a, text(4, ""));
    writeFileSync(b, text(3, "entry twice(x) -> y: f32[B, 8] = x + x"));
    const { status, stdout } = await runHere([
      "diff",
      `${a}:Head`,
      b,
      "--model-b",
      "Head",
      "--json",
      "--exit-code",
    ]);
    expect(status).toBe(1);
    const result: unknown = JSON.parse(stdout);
    expect(result).toMatchObject({
      ok: true,
      same: false,
      differences: [
        {
          entry: "run",
          same: false,
          outputs: [{ name: "y", before: "f32[B, 4]", after: "f32[B, 3]" }],
          ops: [],
          totals: { before: { parameters: "72", macs: "64*B" }, after: { parameters: "54", macs: "48*B" } },
        },
        { entry: "twice", only: "B" },
      ],
    });
    const shown = await runHere(["diff", `${a}:Head`, `${b}:Head`]);
    expect(shown.stdout).toContain("    ~ layers.{0,1}.weight: f32[4, 8] → f32[3, 8]\n");
    expect(shown.stdout).toContain("\n+ entry twice\n");
  });

  test("many changes are cut short, unless all are asked for", async () => {
    const arguments_ = [
      "diff",
      library,
      "ossicle/classifiers/audiomae.oss",
      "-e",
      "forward",
      "-s",
      "depth=1",
      "-s",
      "at=[]",
    ];
    const short = await runHere(arguments_);
    expect(short.stdout).toMatch(/… \d+ more \(--all shows them\)/);
    const all = await runHere([...arguments_, "--all"]);
    expect(all.stdout).not.toContain("more (--all");
    expect(all.stdout.length).toBeGreaterThan(short.stdout.length);
  });

  test.each([
    ["an entry that neither has", [library, "-e", "nothing"], "no-such-entry"],
    ["a model that is not there", [`${library}:Nothing`], "no-model"],
    ["a file that is not there", [library, "nothing.oss"], "file-not-found"],
    ["a setting that is wrong", [library, "--set-b", "keep=lots"], "bad-setting"],
  ])("%s", async (_, arguments_, code) => {
    const { status, stdout } = await runHere(["diff", ...arguments_, "--json"]);
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, diagnostics: [{ code }] });
  });

  test("a model named twice", async () => {
    expect((await runHere(["diff", `${library}:A`, "--model-a", "B"])).status).toBe(2);
  });
});
