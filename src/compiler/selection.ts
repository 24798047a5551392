/**
 * What a device chooses the next id from, as further outputs of an entry that gives scores.
 *
 * Owns: the outputs and the nodes behind them. They are made of ops that any model may use; which of them
 * are computed in a call is up to who asks for outputs.
 */
import { Dim } from "../lang/dims.ts";
import { internalFault } from "./fault.ts";
import type { Graph, Provenance, Value } from "./graph.ts";
import type { GraphBuilder } from "./graph-builder.ts";
import { findOp } from "./ops/index.ts";
import type { OpDefinition } from "./ops/op.ts";
import type { PlanSelection } from "./plan.ts";
import { mapGraph } from "./rewrite.ts";

/** Sampling with k up to one less reads no more than so many scores. */
const usualCount = 64;
/** Longer rows are summed in stretches, side by side. */
const summedAtOnce = 1024;

export interface Selecting {
  readonly graph: Graph;
  readonly selection: PlanSelection;
}

/**
 * The graph with outputs that are chosen from its scores.
 * @param scores the output that holds them: [rows, vocabulary] or [rows, positions, vocabulary]
 * @returns nothing where the vocabulary is an open dimension
 */
export function withSelection(graph: Graph, scores: string): Selecting | undefined {
  const output = graph.outputs.find(({ name }) => name === scores);
  const size = output?.value.type.shape.at(-1)?.constant;
  if (output === undefined || size === undefined || size === 0) return undefined;
  const count = Math.min(usualCount, size);
  const selection: PlanSelection = {
    best: `${scores}.best`,
    logSum: `${scores}.log_sum`,
    ids: `${scores}.top.ids`,
    scores: `${scores}.top.scores`,
    count,
    isAll: count === size,
  };
  const selected = mapGraph(
    graph,
    () => undefined,
    (builder, value) => {
      const { best, logSum, ids, top } = choose(builder, value(output.value), { scores, size, count });
      return [
        { name: selection.best, value: best },
        { name: selection.logSum, value: logSum },
        { name: selection.ids, value: ids },
        { name: selection.scores, value: top },
      ];
    },
  );
  return { graph: selected, selection };
}

interface Chosen {
  /** [rows]: the id that scores best. */
  readonly best: Value;
  /** [rows]: the logarithm of the sum of e^(score - best score). */
  readonly logSum: Value;
  /** [rows, count], the best first. */
  readonly ids: Value;
  readonly top: Value;
}

interface Scores {
  readonly scores: string;
  readonly size: number;
  readonly count: number;
}

function choose(builder: GraphBuilder, given: Value, { scores, size, count }: Scores): Chosen {
  const origin: Provenance = { path: scores, span: undefined };
  const apply = (name: string, operands: readonly Value[], attributes = {}): readonly Value[] =>
    builder.apply(opCalled(name), operands, attributes, origin);
  const one = (...parameters: Parameters<typeof apply>): Value => {
    const [result] = apply(...parameters);
    if (result === undefined) throw internalFault(`${parameters[0]} has no result`);
    return result;
  };
  const all = given.type.shape;
  const rows = all[0] ?? Dim.of(1);
  const shaped = (value: Value, ...shape: readonly Dim[]): Value => one("reshape", [value], { shape });
  const width = Dim.of(size);
  const starts = all.map((dim, axis) => (axis === 1 && all.length === 3 ? dim.sub(1) : Dim.of(0)));
  const last = all.length === 3 ? one("slice", [given], { starts, stops: all, steps: [] }) : given;
  const row = shaped(last, rows, width);
  const [highest, place] = apply("top_k", [row], { k: Dim.of(1), largest: true });
  const [top, ids] = apply("top_k", [row], { k: Dim.of(count), largest: true });
  if (highest === undefined || place === undefined || top === undefined || ids === undefined)
    throw internalFault("a selection has no result");
  const powers = one("exp", [one("sub", [row, highest])]);
  const stretches = stretchesOf(size);
  const parts =
    stretches === undefined
      ? powers
      : one("sum", [shaped(powers, rows, Dim.of(stretches), Dim.of(size / stretches))]);
  return { best: shaped(place, rows), logSum: one("log", [one("sum", [parts])]), top, ids };
}

/** How many stretches of one length make up a long row; nothing for a short one, or where no number will do. */
function stretchesOf(size: number): number | undefined {
  if (size <= summedAtOnce) return undefined;
  const root = Math.floor(Math.sqrt(size));
  for (let stretches = root; stretches > root / 8; stretches--) if (size % stretches === 0) return stretches;
  return undefined;
}

function opCalled(name: string): OpDefinition {
  const op = findOp(name);
  if (op === undefined) throw internalFault(`there is no op ${name}`);
  return op;
}
