/**
 * A model in short: what its entries take and give, hold and cost, with the parameters' defaults.
 *
 * Owns: evaluating every entry for it. Costs are expressions of the sizes that are open.
 */
import type { DiagnosticSink } from "../lang/diagnostic.ts";
import type { EntryInput } from "../lang/model.ts";
import type { Program } from "../lang/program.ts";
import { printType, type TensorType } from "../lang/types.ts";
import { elaborate, entryNames } from "./elaborate.ts";
import { groupPaths, type PathGroup } from "./path-groups.ts";
import { type Totals, totalsOf } from "./totals.ts";

export interface EntrySummary {
  readonly name: string;
  readonly doc: string;
  readonly continues: string | undefined;
  readonly inputs: readonly EntryInput[];
  readonly outputs: readonly { readonly name: string; readonly type: TensorType }[];
  /** What must hold of the open sizes, when run. */
  readonly guards: readonly string[];
  readonly totals: Totals;
}

export interface ModelSummary {
  readonly entries: readonly EntrySummary[];
  /** The learned tensors of all entries; `text` is the type. */
  readonly tensors: readonly PathGroup[];
}

const relations = { equal: "==", "at-most": "<=", divides: "divides" } as const;

/** `undefined` when a parameter has no default, or once the problems are in `sink`. */
export function summarizeModel(
  program: Program,
  model: string,
  sink: DiagnosticSink,
): ModelSummary | undefined {
  const declaration = program.root.unit.declarations.find(
    (candidate) => candidate.kind === "block" && candidate.name.name === model,
  );
  if (declaration?.kind !== "block") return undefined;
  if (declaration.parameters.some((parameter) => parameter.initial === undefined)) return undefined;
  const tensors = new Map<string, string>();
  const entries: EntrySummary[] = [];
  for (const entry of entryNames(program, { model }, sink) ?? []) {
    const elaboration = elaborate(program, { model, entry }, sink);
    if (elaboration === undefined) return undefined;
    const { graph, entry: evaluated } = elaboration;
    for (const { source, type } of graph.parameters) {
      if (source.kind === "parameter") tensors.set(source.parameter.path, printType(type));
    }
    entries.push({
      name: entry,
      doc: evaluated.doc,
      continues: evaluated.continues,
      inputs: evaluated.inputs,
      outputs: evaluated.outputs.map(({ name, value }) => ({ name, type: value.type })),
      guards: graph.guards.map(
        ({ requirement: { kind, left, right } }) => `${left} ${relations[kind]} ${right}`,
      ),
      totals: totalsOf(graph),
    });
  }
  const items = [...tensors].map(([path, text]) => ({ path, text }));
  return { entries, tensors: groupPaths(items) };
}
