/**
 * The models that are measured, compiled and opened.
 *
 * Owns: from a model and its settings to a session; graphs that are opened together share their weights.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeArtefact } from "../src/cli/compile-command.ts";
import { Output } from "../src/cli/output.ts";
import { compileEntry } from "../src/cli/program.ts";
import type { Progress } from "../src/cli/progress.ts";
import type { Elaboration } from "../src/compiler/elaborate.ts";
import type { Graph } from "../src/compiler/graph.ts";
import type { WeightSource } from "../src/compiler/host-tensor.ts";
import { compileOnnx } from "../src/compiler/onnx/compile.ts";
import type { OnnxProfile } from "../src/compiler/onnx/context.ts";
import { createOnnxSession, type OnnxSession } from "../src/runtime/onnx-session.ts";

export interface ModelChoice {
  readonly name: string;
  readonly file: string;
  readonly model: string;
  readonly input: string;
  readonly shape: readonly number[];
}

/** Features in, logits out: the front end is left aside. */
export const encoders: readonly ModelChoice[] = [
  {
    name: "AST 10-10, 1214 tokens",
    file: "models/classifiers/ast.oss",
    model: "AstAudioSet",
    input: "input_values",
    shape: [1, 1024, 128],
  },
  {
    name: "AST 16-16, 514 tokens",
    file: "models/classifiers/ast.oss",
    model: "AstAudioSet16",
    input: "input_values",
    shape: [1, 1024, 128],
  },
  {
    name: "AudioMAE, 513 tokens",
    file: "models/classifiers/audiomae.oss",
    model: "AudioMaeAudioSet",
    input: "x",
    shape: [1, 1, 1024, 128],
  },
];

export function compileModel(choice: ModelChoice, keep: number): Elaboration {
  const options = { model: choice.model, set: new Map([["keep", String(keep)]]), color: false };
  return compileEntry(choice.file, options, { entry: "forward" }, quiet());
}

export function quiet(): Output {
  return new Output("bench", { json: false, color: false });
}

export interface OpenSessions {
  readonly sessions: readonly OnnxSession[];
  release(): Promise<void>;
}

/** A session for each graph, on one file of weights. `release` ends them and removes the files. */
export async function openSessions(
  graphs: readonly Graph[],
  weights: WeightSource,
  progress: Progress,
  profile: OnnxProfile = "portable",
  threads?: number,
): Promise<OpenSessions> {
  const folder = await mkdtemp(join(tmpdir(), "ossicle-"));
  const sessions: OnnxSession[] = [];
  const release = async (): Promise<void> => {
    for (const session of sessions) await session.release();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const named = graphs.map((graph, i) => ({ ...graph, name: `graph${i}` }));
    const artefact = compileOnnx(named, weights, {
      storage: "external",
      dataFile: "weights.data",
      profile,
    });
    await writeArtefact(artefact, folder, false, progress);
    for (const { name } of named)
      sessions.push(
        await createOnnxSession(join(folder, `${name}.onnx`), threads === undefined ? {} : { threads }),
      );
    return { sessions, release };
  } catch (error) {
    await release();
    throw error;
  }
}
