/**
 * Every measure of whole models as an expression of what is open, against numbers: evaluated at a
 * thousand random bindings each, and against layouts where the parameter is set instead of open.
 */
import { describe, expect, test } from "vitest";
import { countProgram } from "../src/cli/cost-options.ts";
import { conventions } from "../src/compiler/cost/conventions.ts";
import { type MeasureName, Measures } from "../src/compiler/cost/measures.ts";
import type { EntryCost, ModelCost } from "../src/compiler/cost/model-cost.ts";
import { DiagnosticError, DiagnosticSink } from "../src/lang/diagnostic.ts";
import { type ConcreteCount, countAt } from "./support/concrete-count.ts";
import { reducedProgram } from "./support/reduced-models.ts";
import { randomNumbers } from "./support/samples.ts";

interface OpenModel {
  readonly file: string;
  readonly model: string;
  readonly entry: string;
  readonly open: readonly string[];
  readonly settings?: Readonly<Record<string, string | number>>;
  /** How often it is bound. */
  readonly times: number;
}

const bindingsPerModel = 1000;
const atFullSize = 25;
const mamba2 = { file: "models/decoders/mamba2-lm.oss", model: "Mamba2Lm" };
const narrow = "Mamba2(width: 32, depth: 2, head_width: 16, state: 8, vocabulary: 48, chunk: 4)";
const transformer = { frames: 64, width: 24, depth: 4, heads: 3, bins: 32, at: "[1, 2, 3]" };
const small = { settings: transformer, times: bindingsPerModel };

const models: readonly OpenModel[] = [
  {
    ...small,
    file: "models/classifiers/audiomae.oss",
    model: "AudioMaeClassifier",
    entry: "forward",
    open: ["keep", "labels", "hidden"],
  },
  {
    ...small,
    file: "models/classifiers/ast.oss",
    model: "AstClassifier",
    entry: "classify",
    open: ["keep", "labels"],
  },
  ...["prefill", "step", "masked"].map((entry) => ({
    ...mamba2,
    entry,
    open: [],
    settings: { decoder: narrow },
    times: bindingsPerModel,
  })),
  {
    file: "models/classifiers/audiomae.oss",
    model: "AudioMaeAudioSet",
    entry: "classify",
    open: ["keep"],
    times: atFullSize,
  },
  {
    file: "examples/figures/models.oss",
    model: "AdaptedMamba2",
    entry: "prefill",
    open: ["rank"],
    settings: { merged: "false" },
    times: atFullSize,
  },
];

describe.each(models.map((model) => [`${model.model}.${model.entry}`, model] as const))("%s", (_, wanted) => {
  test(`every measure, at ${wanted.times} bindings`, () => {
    const model = counted(wanted);
    const [entry] = model.entries;
    if (entry === undefined) throw new Error("there is no entry");
    const all = conventions.map((convention) => new Measures(model, convention));
    const random = randomNumbers(1);
    const seen = new Set<number>();
    for (let time = 0; time < wanted.times; time++) {
      const [bindings, numbers] = drawBindings(entry, random);
      for (const measures of all) {
        const want = measures.convention === "core" ? numbers.macs : numbers[measures.convention];
        expect(measureAt(measures, "macs", entry, bindings), [...bindings].join(" ")).toBe(want);
      }
      const [core] = all;
      if (core === undefined) continue;
      const learned = [...numbers.parameters];
      const isTrained = (path: string) =>
        !learned.some(([other]) => other.includes("lora_")) || path.includes("lora_");
      const sum = (list: typeof learned, what: "elements" | "bytes") =>
        list.reduce((total, [, tensor]) => total + tensor[what], 0);
      const found = {
        scalars: measureAt(core, "scalars", entry, bindings),
        params: measureAt(core, "params", entry, bindings),
        trainable: measureAt(core, "trainable", entry, bindings),
        weights: measureAt(core, "weights", entry, bindings),
        state: measureAt(core, "state", entry, bindings),
        memory: measureAt(core, "memory", entry, bindings),
      };
      expect(found, [...bindings].join(" ")).toEqual({
        scalars: numbers.scalars,
        params: sum(learned, "elements"),
        trainable: sum(
          learned.filter(([path]) => isTrained(path)),
          "elements",
        ),
        weights: sum(learned, "bytes"),
        state: numbers.state,
        memory: numbers.memory,
      });
      seen.add(numbers.macs);
    }
    expect(seen.size).toBeGreaterThan(wanted.times / 20);
  });
});

describe("what is left open counts as what is set", () => {
  test.each([
    { keep: 0.9, labels: 3, hidden: 40 },
    { keep: 0.7, labels: 11, hidden: 8 },
    { keep: 0.5, labels: 527, hidden: 96 },
    { keep: 0.123456789, labels: 1, hidden: 1 },
  ])("$keep $labels $hidden", (values) => {
    const wanted = models[0];
    if (wanted === undefined) throw new Error("there is no model");
    const [open] = counted(wanted).entries;
    const set = counted({ ...wanted, open: [], settings: { ...wanted.settings, ...values } });
    const [closed] = set.entries;
    if (open === undefined || closed === undefined) throw new Error("there is no entry");
    const bindings = new Map<string, number>([["B", 3], ...Object.entries(values)]);
    const [found, want] = [countAt(open, bindings), countAt(closed, new Map([["B", 3]]))];
    expect(found).toEqual(want);
    const measures = new Measures(set);
    expect(measureAt(measures, "macs", closed, new Map([["B", 3]]))).toBe(found.macs);
  });
});

function counted({ file, model, entry, open, settings = {} }: OpenModel): ModelCost {
  const set = new Map(Object.entries(settings).map(([name, value]) => [name, String(value)]));
  return countProgram(reducedProgram({ file }), { model, entry, open, settings: set }, new DiagnosticSink());
}

function measureAt(
  measures: Measures,
  name: MeasureName,
  entry: EntryCost,
  bindings: ReadonlyMap<string, number>,
): number {
  const measured = measures.of(name, entry);
  const value = measured.value(bindings);
  if (measured.expression !== undefined) expect(measured.expression.evaluate(bindings)).toBe(value);
  return value;
}

/** Numbers for everything that is open, which no guard refuses. */
function drawBindings(
  entry: EntryCost,
  random: () => number,
): readonly [ReadonlyMap<string, number>, ConcreteCount] {
  for (let attempt = 0; attempt < 100; attempt++) {
    const bindings = new Map(
      entry.symbols.map(({ name, kind }) => {
        if (kind === "ratio") return [name, 0.01 + 0.98 * random()];
        // From 2: an open length is counted in chunks, the number 1 as a step.
        const most = kind === "samples" ? 200_000 : 60;
        return [name, 2 + Math.floor(most * random())];
      }),
    );
    try {
      return [bindings, countAt(entry, bindings)];
    } catch (error) {
      // A guard says that sizes do not go together: others may.
      if (!(error instanceof DiagnosticError)) throw error;
    }
  }
  throw new Error(`no sizes of ${entry.entry} hold its guards`);
}
