/**
 * `ossicle sweep`: variants against published counts, against variants counted one by one, and what is
 * refused.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runHere, temporaryFolder } from "../support/cli.ts";

interface SweepJson {
  readonly axes: readonly { readonly name: string; readonly values: readonly string[] }[];
  readonly columns: readonly { readonly name: string; readonly unit: string }[];
  readonly variants: readonly {
    readonly at: Readonly<Record<string, string>>;
    readonly values: Readonly<Record<string, number>>;
    readonly best?: boolean;
  }[];
  readonly layouts: number;
}

async function sweep(...arguments_: readonly string[]): Promise<SweepJson> {
  const { stdout, status } = await runHere(["sweep", ...arguments_, "--json"]);
  expect(status, stdout).toBe(0);
  const { sweep: found }: { sweep: SweepJson } = JSON.parse(stdout);
  return found;
}

async function problem(...arguments_: readonly string[]): Promise<{ code: string; text: string }> {
  const { stdout, status } = await runHere(["sweep", ...arguments_, "--json"]);
  expect(status).toBe(1);
  const { diagnostics }: { diagnostics: { code: string; message: string; hint?: string }[] } =
    JSON.parse(stdout);
  expect(diagnostics).toHaveLength(1);
  const [first] = diagnostics;
  return { code: first?.code ?? "", text: `${first?.message} ${first?.hint}` };
}

const audioMae = ["ossicle/classifiers/audiomae.oss", "--model", "AudioMaeAudioSet", "--entry", "forward"];

describe("AudioMAE by keep rate", () => {
  test("in one layout, except where nothing is pruned, with the counts of the published code", async () => {
    const { variants, layouts, columns } = await sweep(
      ...audioMae,
      "--set",
      "keep=0.5..1.0:0.1",
      "--at",
      "B=1",
    );
    expect(columns.map(({ name }) => name)).toEqual(["forward.macs", "params"]);
    const counted = variants.map(({ at, values }) => [at["keep"], values["forward.macs"]]);
    const giga = counted.map(([keep, macs]) => [keep, Math.round(Number(macs) / 1e6) / 1e3]);
    expect(giga).toEqual([
      ["0.5", 23.638],
      ["0.6", 27.084],
      ["0.7", 31.187],
      ["0.8", 36.008],
      ["0.9", 41.755],
      ["1", 48.523],
    ]);
    expect(Object.fromEntries(counted)).toMatchObject({ "0.7": 31_186_523_904, "1": 48_523_277_568 });
    expect(layouts).toBe(2);
  });

  test("every variant is what `cost` counts of it alone", async () => {
    const { variants } = await sweep(
      ...["ossicle/classifiers/audiomae.oss", "--set", "keep=35%,0.62,0.9"],
      ...["--set", "labels=10,527", "--seconds", "3,10", "--measure", "macs,scalars,params,memory,weights"],
    );
    expect(variants).toHaveLength(12);
    for (const { at, values } of variants.filter((_, i) => i % 5 === 0)) {
      const { stdout } = await runHere([
        ...["cost", "ossicle/classifiers/audiomae.oss", "--entry", "classify", "--json"],
        ...[
          "--set",
          `keep=${at["keep"]}`,
          "--set",
          `labels=${at["labels"]}`,
          "--seconds",
          at["seconds"] ?? "",
        ],
      ]);
      const { cost } = JSON.parse(stdout);
      const { total } = cost.entries[0];
      expect(values).toEqual({
        "classify.macs": total.macs.value,
        "classify.scalars": total.scalar.value,
        params: cost.parameters.all.value,
        weights: total.weightBytes.value,
        "classify.memory": total.peakBytes.value,
      });
    }
  });
});

describe("Mamba-2 by size", () => {
  const decoder = ["ossicle/decoders/mamba2-lm.oss", "--set", "size=130m,780m", "--at", "L=4", "--at", "B=1"];

  test("a clip is the prompt once and a step for every token", async () => {
    const { variants } = await sweep(...decoder, "--tokens", "30,31");
    const [first, second, large] = variants.map(({ values }) => values);
    expect(first?.["params"]).toBe(128_989_632);
    expect(large?.["params"]).toBe(780_161_280);
    expect((second?.["clip.macs"] ?? 0) - (first?.["clip.macs"] ?? 0)).toBe(138_362_880);
  });

  test("the plot joins what no other beats, and stands in files of their own", async () => {
    const folder = temporaryFolder();
    const [svg, html] = [join(folder, "plot.svg"), join(folder, "plot.html")];
    const found = await sweep(...decoder, "--plot", "macs,params", "--svg", svg, "--html", html);
    expect(found.variants.map(({ best }) => best)).toEqual([true, false]);
    const drawn = readFileSync(svg, "utf8");
    expect(drawn.match(/<circle [^>]*<title>/g) ?? drawn.match(/<circle [^>]*>\s*<title>/g)).toHaveLength(2);
    expect(drawn).toContain("size = 780m\nprefill.macs");
    expect(readFileSync(html, "utf8")).toContain("<td>780m</td>");
  });

  test("CSV has a row for every variant", async () => {
    const { stdout } = await runHere(["sweep", ...decoder, "--csv", "--measure", "params"]);
    expect(stdout).toBe("size,L,B,params\n130m,4,1,128989632\n780m,4,1,780161280\n");
  });
});

describe("refused, with what is known", () => {
  test.each([
    ["a range that ends early", ["--set", "keep=0.9..0.5:0.1"], "bad-sweep-values", /ends before it begins/],
    ["a range of fractions without a step", ["--set", "keep=0.5..1"], "bad-sweep-values", /needs a step/],
    ["a step of nothing", ["--set", "keep=0.5..1:0"], "bad-sweep-values", /step is not positive/],
    ["words for numbers", ["--set", "keep=a..b:1"], "bad-sweep-values", /with numbers/],
    ["a value twice", ["--set", "keep=0.5,50%,0.5"], "bad-sweep-values", /twice/],
    ["no value", ["--set", "keep=0.5,,0.7"], "bad-sweep-values", /missing/],
    ["nothing that varies", ["--set", "keep=0.5"], "empty-sweep", /its parameters are .*keep/],
    ["an unknown parameter", ["--set", "keeep=0.5,0.6"], "bad-setting", /keep/],
    ["a ratio above 1", ["--set", "keep=0.5,1.3", "--at", "B=1"], "bad-setting", /1\.3/],
    ["an unknown size", ["--set", "keep=0.5,0.6", "--at", "Q=3"], "unknown-symbol", /what is open: .*B/],
    ["an open size", ["--set", "keep=0.5,0.6"], "unbound-symbol", /--at B=1/],
    [
      "an unknown column",
      ["--set", "keep=0.5,0.6", "--at", "B=1", "--plot", "x,macs"],
      "unknown-measure",
      /forward\.macs/,
    ],
    ["an unknown entry", ["--set", "keep=0.5,0.6", "--entry", "step"], "no-such-entry", /forward/],
    [
      "tokens of a classifier",
      ["--set", "keep=0.5,0.6", "--at", "B=1", "--tokens", "30"],
      "no-generation",
      /generates no tokens/,
    ],
    [
      "too many variants",
      ["--set", "keep=0.001..1:0.001", "--at", "B=1..1000"],
      "sweep-too-large",
      /1000000/,
    ],
  ])("%s", async (_, arguments_, code, says) => {
    const found = await problem(...audioMae.slice(0, 3), "--entry", "forward", ...arguments_);
    expect(found.code).toBe(code);
    expect(found.text).toMatch(says);
  });
});
