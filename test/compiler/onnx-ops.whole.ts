/**
 * Every sample of every op: onnxruntime against the op's reference, with numbers for dimensions and
 * with symbols, at two sizes, in every profile that the op has a lowering for.
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compileOnnx } from "../../src/compiler/onnx/compile.ts";
import type { OnnxProfile } from "../../src/compiler/onnx/context.ts";
import { encodeModel } from "../../src/compiler/onnx/encode.ts";
import { ops } from "../../src/compiler/ops/index.ts";
import type { OpDefinition, Sample } from "../../src/compiler/ops/op.ts";
import { createOnnxSession } from "../../src/runtime/onnx-session.ts";
import { noWeights } from "../support/no-weights.ts";
import {
  type Case,
  expectClose,
  expectedResults,
  fixedCase,
  operandsFor,
  symbolicCase,
} from "../support/op-cases.ts";

const supported = ops.filter((op) => typeof op.onnx === "function");

async function check(
  op: OpDefinition,
  sample: Sample,
  { graph, bindings }: Case,
  profile: OnnxProfile,
): Promise<Uint8Array> {
  const artefact = compileOnnx([graph], noWeights, { profile });
  const [file] = artefact.models;
  if (!file) throw new Error("no model was made");
  const bytes = await encodeModel(file.model, () => Promise.reject(new Error("this model has no weights")));
  const session = await createOnnxSession(bytes, { threads: 1 });
  for (const sizes of bindings) {
    const operands = operandsFor(graph, sample, sizes);
    const inputs = new Map(operands.map((tensor, index) => [`x${index}`, tensor]));
    const got = await session.run(inputs);
    expectedResults(op, graph, operands, sizes).forEach((want, index) => {
      expectClose(got.get(`y${index}`), want, op.tolerance);
    });
  }
  await session.release();
  return bytes;
}

const profilesOf = (op: OpDefinition): readonly OnnxProfile[] =>
  op.ort === undefined ? ["portable"] : ["portable", "ort"];
const lowerings = supported.flatMap((op) => profilesOf(op).map((profile) => [op.name, profile, op] as const));

describe.each(lowerings)("%s, %s", (_, profile, op) => {
  it.each(op.samples.map((sample, index) => [index, sample] as const))(
    "sample %i",
    async (_index, sample) => {
      await check(op, sample, fixedCase(op, sample), profile);
    },
  );

  const symbolic = op.samples.flatMap((sample, index) => {
    const found = symbolicCase(op, sample);
    return found ? [[index, sample, found] as const] : [];
  });
  if (symbolic.length > 0) {
    it.each(symbolic)("sample %i with symbols", async (_index, sample, found) => {
      await check(op, sample, found, profile);
    });
  }
});

describe("coverage", () => {
  it("runs every op, or says in words why not", () => {
    for (const op of ops) if (typeof op.onnx !== "function") expect(op.onnx.unsupported).toMatch(/\w+ \w+/);
  });

  it("uses onnxruntime's own operators where an op has a lowering with them, and only then", () => {
    for (const [name, profile, op] of lowerings) {
      const domains = new Set<string>();
      for (const sample of op.samples) {
        const [file] = compileOnnx([fixedCase(op, sample).graph], noWeights, { profile }).models;
        for (const domain of Object.keys(file?.model.opsets ?? {})) domains.add(domain);
      }
      expect([...domains], name).toEqual(profile === "ort" ? ["", "com.microsoft"] : [""]);
    }
  });

  it("reaches every op that has operands with symbols, but for these", () => {
    const without = supported.filter(
      (op) =>
        op.samples.some((sample) => sample.operands.length > 0) &&
        op.samples.every((sample) => symbolicCase(op, sample) === undefined),
    );
    expect(without.map((op) => op.name)).toEqual([]);
  });
});

describe("loading", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "ossicle-ops-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("makes onnxruntime warn of nothing", async () => {
    const files: string[] = [];
    for (const [, profile, op] of lowerings) {
      for (const [index, sample] of op.samples.entries()) {
        for (const found of [fixedCase(op, sample), symbolicCase(op, sample)]) {
          if (!found) continue;
          const file = join(folder, `${op.name}-${profile}-${index}-${found.bindings.length}.onnx`);
          const [model] = compileOnnx([found.graph], noWeights, { profile }).models;
          if (!model) throw new Error("no model was made");
          await writeFile(
            file,
            await encodeModel(model.model, () => Promise.reject(new Error("no weights"))),
          );
          files.push(file);
        }
      }
    }
    // Only another process's standard error can be read: onnxruntime writes to the descriptor itself.
    const script = `
      const { env, InferenceSession } = require("onnxruntime-node");
      env.logLevel = "error";
      (async () => {
        for (const file of ${JSON.stringify(files)}) {
          await (await InferenceSession.create(file, { logSeverityLevel: 2, logId: file })).release();
        }
        console.log("loaded");
      })();`;
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ["-e", script], {
      maxBuffer: 1 << 26,
    });
    expect(stderr).toBe("");
    expect(stdout).toBe("loaded\n");
  });
});
