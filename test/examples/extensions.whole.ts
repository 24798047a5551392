/**
 * The extensions of examples/extensions on every encoder of the library, whichever there are: with `with`,
 * `for`, `extends` and `sweep`. An encoder without sites takes what needs none, and says so of the rest.
 */
import { existsSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, test } from "vitest";
import { elaborate } from "../../src/compiler/elaborate.ts";
import { catalog } from "../../src/compiler/ops/index.ts";
import type { BlockDeclaration } from "../../src/lang/ast.ts";
import { checkProgram } from "../../src/lang/check.ts";
import { DiagnosticSink } from "../../src/lang/diagnostic.ts";
import { parse } from "../../src/lang/parse.ts";
import { loadProgram, type ModuleLoader, type Program } from "../../src/lang/program.ts";
import { SourceFile } from "../../src/lang/source.ts";
import { filesUnder, readText, root } from "../support/product-files.ts";
import { parameterPaths } from "../support/program.ts";

const loader: ModuleLoader = (specifier, from) => {
  const path = specifier.startsWith("ossicle/")
    ? specifier.replace("ossicle/", "models/")
    : normalize(join(dirname(from.path), specifier));
  if (!existsSync(root + path)) return { ok: false, reason: "there is no such file" };
  return { ok: true, file: new SourceFile(path, readText(path)) };
};

function load(text: string, sink: DiagnosticSink): Program {
  return loadProgram(new SourceFile("examples/extensions/every.oss", text), loader, sink);
}

function codesOf(text: string): string[] {
  const sink = new DiagnosticSink();
  const program = load(text, sink);
  checkProgram(program, catalog, sink);
  // Where no policy is installed, there is nothing to bound.
  const found = sink.sorted().filter(({ code }) => code !== "unused-parameter");
  return found.map(({ code, message }) => `${code}: ${message}`);
}

/** The paths of everything learned, below `audio`, and how wide its tokens are. */
function bare(text: string): { readonly learned: string[]; readonly width: number } {
  const sink = new DiagnosticSink();
  const elaboration = elaborate(load(text, sink), { model: "Bare" }, sink);
  if (elaboration === undefined)
    throw new Error(
      sink
        .sorted()
        .map(({ message }) => message)
        .join("\n"),
    );
  const learned = parameterPaths(elaboration).filter((path) => path.startsWith("audio."));
  return { learned, width: elaboration.graph.outputs[0]?.value.type.shape[2]?.constant ?? 0 };
}

interface Encoder {
  readonly name: string;
  readonly path: string;
  readonly declaration: BlockDeclaration;
  readonly hasSites: boolean;
}

/** Every encoder that a file declares itself; variants are the same with other numbers. */
const encoders = filesUnder("models/encoders", /\.oss$/).flatMap(({ path, text }) =>
  parse(new SourceFile(path, text)).unit.declarations.flatMap((declaration): Encoder[] => {
    if (declaration.kind !== "block" || declaration.blockKind !== "encoder") return [];
    if (declaration.value !== undefined) return [];
    const hasSites = /\bsite tokens\(/.test(text);
    return [{ name: declaration.name.name, path, declaration, hasSites }];
  }),
);

/** What the encoder takes, its sizes asked of the encoder: `f32[B, encoder.frames, encoder.bins]`. */
function inputType({ declaration }: Encoder): string {
  const forward = declaration.members.find((member) => member.kind === "forward");
  const type = forward?.parameters[0]?.type;
  if (type === undefined) throw new Error(`${declaration.name.name} has no forward`);
  const names = new Set(declaration.parameters.map(({ name }) => name.name));
  const text = type.span.file.text.slice(type.span.start, type.span.end);
  return text.replace(/[a-z_]\w*/g, (word) => (names.has(word) ? `encoder.${word}` : word));
}

function programFor(encoder: Encoder, extensions: string, width = 1): string {
  const input = inputType(encoder);
  return `
import { ${encoder.name} } from "ossicle/${encoder.path.replace("models/", "")}"
import { TopK } from "ossicle/policies/topk.oss"
import { AttentionPool } from "./attention-pool.oss"
import { LayeredLora } from "./layered-lora.oss"
import { Nucleus } from "./nucleus.oss"
import { ValueNorm } from "./value-norm.oss"

model Bare(encoder: encoder = ${encoder.name}()) {
  input spectrogram: ${input}
  audio = encoder
  entry tokens(spectrogram) = audio(spectrogram)
}

model Extended(stride: int = 4, bound: ratio = 70%, encoder: encoder = ${encoder.name}()) {
  input spectrogram: ${input}
  audio = encoder ${extensions}
  pools = [AttentionPool(${width}, ${width}, stride) for i in 0..2]
  entry tokens(spectrogram) -> tokens: f32[B, N, ${width}] {
    let x = audio(spectrogram)
    for pool in pools {
      x = pool(x)
    }
    x
  }
  sweep { stride: [2, 4], bound: [30%, 70%] }
}

model More extends Extended(bound: 50%) {
  entry longer(spectrogram) = audio(spectrogram)
}
`;
}

test("there are encoders to extend", () => {
  expect(encoders.length).toBeGreaterThanOrEqual(3);
});

describe.each(encoders)("$name", (encoder) => {
  /** The matrix of queries in each layer, by the end of its path, and how many layers have it. */
  const { learned, width } = bare(programFor(encoder, ""));
  const layers = learned.flatMap((path) => {
    const [, index, rest] = /\.(\d+)\.(.+)\.weight$/.exec(path) ?? [];
    return index === undefined || rest === undefined || !/(?:^|\.)(?:q|qkv|query|q_proj)$/.test(rest)
      ? []
      : [{ index, rest }];
  });
  const target = layers[0]?.rest ?? "";
  const depth = new Set(layers.filter(({ rest }) => rest === target).map(({ index }) => Number(index)));
  const ranks = Array.from({ length: Math.max(...depth) + 1 }, (_, i) => 1 + (i % 4));
  const lora = `with LayeredLora([${ranks.join(", ")}], on: ["${target}"])`;

  test("takes an adapter, a connector and variants", () => {
    expect(target).not.toBe("");
    expect(codesOf(programFor(encoder, lora, width))).toEqual([]);
  });

  for (const policy of ["Nucleus(bound: bound, at: [1])", "TopK(bound, at: [1], score: ValueNorm)"]) {
    test(`${encoder.hasSites ? "takes" : "has no sites for"} ${policy}`, () => {
      const codes = codesOf(programFor(encoder, `with ${policy} ${lora}`, width));
      if (encoder.hasSites) expect(codes).toEqual([]);
      else
        expect(new Set(codes.map((code) => code.split(":", 1)[0]))).toEqual(
          new Set(["policy-meets-nothing"]),
        );
    });
  }
});
