/**
 * What `cost` and `sweep` print as JSON is what docs/cost-schema.json says, and no more.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, test } from "vitest";
import { costSchema } from "../../src/compiler/cost/report-json.ts";
import { sweepSchema } from "../../src/compiler/cost/sweep-text.ts";
import { runHere, temporaryFolder } from "../support/cli.ts";
import { root } from "../support/product-files.ts";

const schema = JSON.parse(readFileSync(`${root}docs/cost-schema.json`, "utf8"));
const fits = new Ajv2020({ allErrors: true, strictTypes: false }).compile(schema);

const small = `import { AstClassifier } from "ossicle/classifiers/ast.oss"
model Tiny(keep: ratio = 50%) extends AstClassifier(
  frames: 256, labels: 10, width: 192, depth: 2, heads: 3, hidden: 768, keep: keep, at: [1],
) {
  sweep { keep: [50%, 70%] }
  budget { params <= 10M, macs("forward", B: 1) <= 1k, dispatches("forward") <= 100 }
  frozen { "audio_spectrogram_transformer" }
}
`;

async function print(...arguments_: readonly string[]): Promise<unknown> {
  const { stdout } = await runHere([...arguments_, "--json"]);
  return JSON.parse(stdout);
}

function expectFit(value: unknown): void {
  expect(fits(value), JSON.stringify(fits.errors?.slice(0, 3))).toBe(true);
}

test("the versions are those of the program", () => {
  expect(schema.$defs.cost.properties.schema.const).toBe(costSchema);
  expect(schema.$defs.sweep.properties.schema.const).toBe(sweepSchema);
});

test.each([
  ["open", []],
  ["bound", ["--at", "B=1", "--seconds", "10", "--by", "component"]],
  ["by another convention, with a parameter left open", ["--open", "keep", "--convention", "fvcore"]],
  ["on a target", ["--at", "B=1", "--target", "webgpu"]],
  ["on a target, with a parameter left open", ["--open", "keep", "--target", "webgpu", "--by", "kind"]],
  ["training", ["--train", "all", "--by", "op", "--depth", "1"]],
  ["ways to fine-tune", ["--train", "compare"]],
  ["wrong", ["--at", "Q=1"]],
])("cost: %s", async (_, more) => {
  const file = join(temporaryFolder(), "tiny.oss");
  writeFileSync(file, small);
  expectFit(await print("cost", file, ...more));
});

test("cost: a clip, and an estimate", async () => {
  const device = join(temporaryFolder(), "device.json");
  const rate = { products: 1e10, attention: 1e10, scan: 1e9, softmax: 1e9, norm: 1e9, function: 1e9 };
  const rates = {
    macsPerSecond: rate,
    elementsPerSecond: rate,
    weightBytesPerSecond: 1e10,
    scanBytesPerSecond: 1e10,
    resultBytesPerSecond: 1e10,
    secondsPerOp: 1e-6,
  };
  const traffic = [{ bytes: 1, bytesPerSecond: 1e10 }];
  writeFileSync(device, JSON.stringify({ profile: 3, name: "paper", ...rates, traffic }));
  const lm = ["cost", "ossicle/decoders/mamba2-lm.oss", "--at", "L=4"];
  expectFit(await print(...lm, "--tokens", "3", "--at", "B=1", "--device", device, "--target", "webgpu"));
});

test("sweep: as declared, and compared", async () => {
  const file = join(temporaryFolder(), "tiny.oss");
  writeFileSync(file, small);
  expectFit(await print("sweep", file, "--entry", "forward", "--at", "B=1"));
  expectFit(await print("sweep", file, "--entry", "forward", "--at", "B=1,2", "--plot", "macs,keep+"));
});

test("what is no report does not fit", () => {
  expect(fits({ ossicle: 1, command: "cost", ok: true, diagnostics: [], cost: { schema: 1 } })).toBe(false);
});
