/**
 * What `cost` says of a target is what its plan holds: dispatches, executed multiply-adds and their reasons,
 * under every heading, in every form; as a budget, in a sweep and between two variants.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { countProgram } from "../src/cli/cost-options.ts";
import { dispatchesOf, executedMacs } from "../src/compiler/cost/device-work.ts";
import { DiagnosticSink } from "../src/lang/diagnostic.ts";
import { runHere, temporaryFolder } from "./support/cli.ts";
import { reducedModels, reducedProgram } from "./support/reduced-models.ts";
import { expectPlanned } from "./support/target-cost.ts";

/** One of each family; every model is in cost-target.full.ts. */
const notes = ["one id", "adapters apart"];

test.each(
  reducedModels
    .filter(({ model, note }) => notes.includes(note) || (model === "AstClassifier" && note === "pruned"))
    .map((reduced) => [reduced.model, reduced.note, reduced] as const),
)("%s: %s", (_, __, reduced) => {
  expectPlanned(reduced);
  expect.hasAssertions();
});

const audioMae = { file: "models/classifiers/audiomae.oss" };

test("an open keep rate stands in the expressions", () => {
  const count = (open: readonly string[], settings: ReadonlyMap<string, string>) => {
    const request = { model: "AudioMaeAudioSet", entry: "forward", open, settings };
    const [entry] = countProgram(reducedProgram(audioMae), request, new DiagnosticSink()).entries;
    if (entry === undefined) throw new Error("there is no entry");
    return dispatchesOf(entry);
  };
  const open = count(["keep"], new Map());
  for (const keep of [0.5, 0.83]) {
    const set = count([], new Map([["keep", String(keep)]]));
    expect(open.length).toBe(set.length);
    const at = new Map([
      ["B", 1],
      ["keep", keep],
    ]);
    expect(executedMacs(open).evaluate(at)).toBe(executedMacs(set).evaluate(at));
  }
});

const small = (limit: number) => `import { AstClassifier } from "ossicle/classifiers/ast.oss"
model Tiny(depth: int = 4, keep: ratio = 50%) extends AstClassifier(
  frames: 256, labels: 10, width: 192, depth: depth, heads: 3, hidden: 768, keep: keep, at: [1],
) {
  budget { dispatches("forward") <= ${limit}, executed("forward", B: 1) <= 1G }
}
`;

const run = (...arguments_: readonly string[]) => runWithin(1000, ...arguments_);

/** `tiny.oss` allows so many dispatches. */
async function runWithin(limit: number, ...arguments_: readonly string[]) {
  const folder = temporaryFolder();
  const file = join(folder, "tiny.oss");
  writeFileSync(file, small(limit));
  const { stdout, stderr, status } = await runHere(
    arguments_.map((argument) => (argument === "tiny.oss" ? file : argument.replace("FOLDER", folder))),
  );
  return { stdout, stderr, status, folder };
}

test("a budget of dispatches is held, and says which parts have most and what would fit", async () => {
  const counted = await run("cost", "tiny.oss", "-e", "forward", "--target", "webgpu", "--json");
  const { dispatches } = JSON.parse(counted.stdout).cost.entries[0].target;
  const { stdout, stderr, status } = await runWithin(dispatches - 1, "check", "tiny.oss");
  expect(status).toBe(1);
  const said = stdout + stderr;
  expect(said).toContain(
    `Tiny has ${dispatches} dispatches on WebGPU, and its budget allows ${dispatches - 1}`,
  );
  expect(said).toMatch(/most of it: .*layer/);
  expect(said).toMatch(/`depth: 3` fits, with \d\d/);
});

test("as text, JSON, CSV and a page", async () => {
  const cost = ["cost", "tiny.oss", "-e", "forward", "--at", "B=1"];
  const json = JSON.parse((await run(...cost, "--target", "webgpu", "--json")).stdout);
  const [entry] = json.cost.entries;
  const { dispatches, executedMacs: executed, overhead } = entry.target;
  expect(entry.total.dispatches.value).toBe(dispatches);
  expect(entry.total.executedMacs).toEqual(executed);
  const named = overhead.reduce((sum: number, { macs }: { macs: { value: number } }) => sum + macs.value, 0);
  expect(entry.total.macs.value + named).toBe(executed.value);
  const text = (await run(...cost, "--target", "webgpu")).stdout;
  expect(text).toContain(`${dispatches} on WebGPU`);
  expect(text).toContain("rows that fill the last block");
  expect((await run(...cost)).stdout).toContain("--target webgpu compiles the plan");
  const [header = "", first = ""] = (await run(...cost, "--target", "webgpu", "--csv")).stdout.split("\n");
  expect(header.endsWith(",dispatches,executed_macs")).toBe(true);
  expect(first.endsWith(`,${dispatches},${executed.value}`)).toBe(true);
  const page = await run(...cost, "--target", "webgpu", "--html", "FOLDER/cost.html");
  const html = readFileSync(join(page.folder, "cost.html"), "utf8");
  expect(html).toContain("<th>dispatches</th><th>executed</th>");
  expect(html).toContain("rows that fill the last block");
});

test("in a sweep, plotted, and between two variants", async () => {
  const swept = await run(
    ..."sweep tiny.oss -e forward --at B=1 --set depth=2,4 --measure dispatches,executed --plot dispatches,executed --json --svg FOLDER/plot.svg".split(
      " ",
    ),
  );
  const { sweep } = JSON.parse(swept.stdout);
  const names = sweep.columns.map(({ name }: { name: string }) => name);
  expect(names).toEqual(["forward.dispatches", "forward.executed"]);
  const [[less], [more]] = sweep.variants.map(({ values }: { values: Record<string, number> }) =>
    Object.values(values),
  );
  expect(less).toBeLessThan(more);
  expect(readFileSync(join(swept.folder, "plot.svg"), "utf8")).toContain("dispatches on WebGPU");
  const compared = await run(
    ..."diff --cost tiny.oss --set-b depth=2 -e forward --at B=1 --target webgpu".split(" "),
  );
  expect(compared.stdout).toMatch(new RegExp(`dispatches on WebGPU +${more} +${less} +-`));
});

test("a formula too long for the table gives way to its number at the sizes that shares are given at", async () => {
  const sizes = [
    "-m",
    "Mamba2Lm",
    "-e",
    "prefill",
    "--set",
    "decoder=Mamba2(width: 32, depth: 2, head_width: 16)",
  ];
  const arguments_ = ["cost", "models/decoders/mamba2-lm.oss", ...sizes, "--target", "webgpu"];
  const { stdout, status } = await runHere(arguments_);
  expect(status).toBe(0);
  const lines = stdout.split("\n");
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(180);
  expect(lines.find((line) => line.trim().startsWith("layers"))).toMatch(/≈ [\d.]+ [kM]$/);
  expect(stdout).toContain("shares, and numbers after ≈, at B = 1, L = 64");
});
