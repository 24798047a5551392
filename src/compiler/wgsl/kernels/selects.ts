/**
 * Kernels that order rows.
 *
 * Owns: three ways to find the first of a row. One element is found by walking the row, a long row by many
 * invocations that a last one compares. Several are found by counting, for each element, those before it: rows
 * are as long as a sequence of tokens, so that n² comparisons of what the cache holds need no exchange between
 * invocations. Of a row as long as a vocabulary each stretch is counted by itself first; what it leaves is
 * counted again. Equal values stay in the order of their indices throughout.
 */
import { Dim, productDims } from "../../../lang/dims.ts";
import { internalFault } from "../../fault.ts";
import type { Node } from "../../graph.ts";
import { positionIn } from "../coordinates.ts";
import type { Tail } from "../groups.ts";
import { KernelWriter, type Located, scalarTypeOf, type Term } from "../kernel-writer.ts";
import { Position, unflattened } from "../position.ts";
import { contextOf, Reader } from "../reader.ts";
import { type Kernel, type KernelContext, type KernelMaker, none, spread } from "./kernel.ts";
import { firstOperand, rowsOver } from "./rows.ts";
import { finish } from "./tail.ts";

interface Candidate {
  readonly value: Term;
  /** Where it stood in the row. */
  readonly index: Term;
}

/** What is ordered: `count` candidates for each row, those of equal value with ascending indices. */
interface Candidates {
  readonly count: Dim;
  /** @param outer the coordinates of the row */
  read(reader: Reader, outer: readonly Position[], at: Position): Candidate;
}

interface Selection {
  readonly context: KernelContext;
  readonly root: Node;
  readonly tails: readonly Tail[];
  readonly axis: number;
  /** The rows' own shape. */
  readonly outer: readonly Dim[];
  readonly descending: boolean;
  readonly label: string;
}

/** A row of more is walked by several invocations. */
const longestWalk = 128;
/** Rows of so many candidates are counted at once. */
const countedAtOnce = 1024;
const leastStretch = 64;

export const selectKernel: KernelMaker = ({ root, tails: all }, context): readonly Kernel[] => {
  const { lowering } = root.op;
  if (lowering.kind !== "select") throw internalFault(`${root.op.name} is no selection`);
  const x = firstOperand(root);
  const { shape } = x.type;
  if (productDims(shape).constant === 0) return [];
  const axis = lowering.axis(contextOf(root));
  const size = shape[axis];
  const tails = all.filter(({ isRead }) => isRead);
  if (size === undefined) throw internalFault(`${root.op.name} orders an axis that there is not`);
  const selection: Selection = {
    context,
    root,
    tails,
    axis,
    outer: shape.toSpliced(axis, 1),
    descending: lowering.descending(contextOf(root)),
    label: `select of ${size}`,
  };
  const row: Candidates = {
    count: size,
    read: (reader, outer, at) => ({
      value: reader.read(x, outer.toSpliced(axis, 0, at)),
      index: reader.writer.position(at),
    }),
  };
  const taken = tails.map(({ result }) => takenBy(selection, result.type.shape));
  if (taken.every((count) => count.constant === 1)) return walked(selection, row);
  const [first] = taken;
  return counted(selection, row, first?.constant);
};

/** How many elements of each row a result holds. */
function takenBy({ outer, axis }: Selection, shape: readonly Dim[]): Dim {
  return shape.length > outer.length ? (shape[axis] ?? Dim.of(1)) : Dim.of(1);
}

// ---------------------------------------------------------------- one of each row

function walked(selection: Selection, row: Candidates): Kernel[] {
  const length = row.count.constant ?? 0;
  if (length <= longestWalk) return [walk(selection, row, undefined)];
  const walkers = Math.ceil(Math.sqrt(length));
  const kept = keep(selection, walkers);
  return [walk(selection, row, { walkers, kept }), walk(selection, kept, undefined)];
}

/** Neighbouring invocations read neighbouring elements; without `several`, one walks the whole row. */
function walk(
  selection: Selection,
  given: Candidates,
  several: { readonly walkers: number; readonly kept: Kept } | undefined,
): Kernel {
  const { outer, descending, label } = selection;
  const walkers = several?.walkers ?? 1;
  const { writer, reader, at, groups } = begin(selection, [...outer, Dim.of(walkers)]);
  const rows = at.slice(0, -1);
  const start = at.at(-1) ?? Position.of(0);
  const first = given.read(reader, rows, start);
  const type = first.value.type;
  const value = writer.variable("best", type, first.value.text);
  const index = writer.variable("place", "i32", first.index.text);
  const best: Candidate = {
    value: { ...first.value, text: value, depth: writer.depth },
    index: { ...first.index, text: index, depth: writer.depth },
  };
  const { constant } = given.count;
  writer.loop("step", given.count.ceilDivide(walkers), 1, (step) => {
    const next = step.times(walkers).add(start);
    // The last element again where the row has no more: it is no better than itself.
    const isInside = constant !== undefined && constant % walkers === 0;
    const { text } = writer.position(next);
    const place = isInside
      ? next
      : writer.coordinate("j", `min(${text}, ${writer.size(given.count.sub(1))})`, given.count);
    const other = given.read(reader, rows, place);
    const named = { value: writer.named(other.value, "other"), index: writer.named(other.index, "at") };
    writer.block(`if (${isBefore(named, best, descending)})`, true, () => {
      writer.line(`${value} = ${named.value.text};`);
      writer.line(`${index} = ${named.index.text};`);
    });
  });
  if (several !== undefined) several.kept.store(writer, rows, start, best);
  else giveOut(selection, reader, rows, Position.of(0), best);
  return { writer, label, workgroups: spread(groups), executed: none };
}

// ---------------------------------------------------------------- several of each row

function counted(selection: Selection, row: Candidates, taken: number | undefined): Kernel[] {
  const kernels: Kernel[] = [];
  let left = row;
  const stretch = Math.max(leastStretch, 4 * (taken ?? 0));
  for (;;) {
    const { constant } = left.count;
    if (taken === undefined || constant === undefined || constant <= Math.max(countedAtOnce, 2 * stretch))
      break;
    const count = Math.floor(constant / stretch) * taken + Math.min(taken, constant % stretch);
    const kept = keep(selection, count);
    kernels.push(countBefore(selection, left, { stretch, taken, kept }));
    left = kept;
  }
  return [...kernels, countBefore(selection, left, undefined)];
}

/** Counts those before each candidate, in its stretch of the row or in all of it. */
function countBefore(
  selection: Selection,
  given: Candidates,
  stretches: { readonly stretch: number; readonly taken: number; readonly kept: Kept } | undefined,
): Kernel {
  const { outer, descending, label, tails } = selection;
  const { writer, reader, at, groups } = begin(selection, [...outer, given.count]);
  const rows = at.slice(0, -1);
  const place = at.at(-1) ?? Position.of(0);
  const read = given.read(reader, rows, place);
  const own = { value: writer.named(read.value, "own"), index: writer.named(read.index, "place") };
  const rank = writer.variable("rank", "i32", "0");
  const number = stretches && place.div(Dim.of(stretches.stretch));
  const from = number === undefined ? "0" : writer.position(number.times(stretches?.stretch ?? 0)).text;
  const size = writer.size(given.count);
  const to = stretches === undefined ? size : `min(${from} + ${stretches.stretch}, ${size})`;
  writer.range("j", from, to, given.count, 1, (position) => {
    const other = given.read(reader, rows, position);
    const named = { value: writer.named(other.value, "other"), index: other.index };
    writer.line(`${rank} += select(0, 1, ${isBefore(named, own, descending)});`);
  });
  if (stretches !== undefined && number !== undefined) {
    const { taken, kept } = stretches;
    writer.block(`if (${rank} < ${taken})`, true, () => {
      const within = writer.coordinate("place", rank, Dim.of(taken));
      kept.store(writer, rows, number.times(taken).add(within), own);
    });
  } else {
    for (const tail of tails) {
      const taken = takenBy(selection, tail.result.type.shape);
      writer.block(`if (${rank} < ${writer.size(taken)})`, true, () => {
        giveOut({ ...selection, tails: [tail] }, reader, rows, writer.coordinate("place", rank, taken), own);
      });
    }
  }
  return { writer, label, workgroups: spread(groups), executed: none };
}

// ---------------------------------------------------------------- parts of both

interface Begun {
  readonly writer: KernelWriter;
  readonly reader: Reader;
  readonly at: readonly Position[];
  readonly groups: Dim;
}

function begin({ context: { tuning, buffers } }: Selection, shape: readonly Dim[]): Begun {
  const total = productDims(shape);
  const writer = new KernelWriter([tuning.workgroup, 1, 1]);
  const groups = total.ceilDivide(tuning.workgroup);
  const at = unflattened(rowsOver(writer, total, groups, tuning.workgroup), shape);
  return { writer, reader: new Reader(writer, buffers), at, groups };
}

function isBefore(a: Candidate, b: Candidate, descending: boolean): string {
  const better = `${a.value.text} ${descending ? ">" : "<"} ${b.value.text}`;
  return `(${better}) | ((${a.value.text} == ${b.value.text}) & (${a.index.text} < ${b.index.text}))`;
}

/** Candidates that one kernel leaves for the next. */
interface Kept extends Candidates {
  store(writer: KernelWriter, outer: readonly Position[], at: Position, candidate: Candidate): void;
}

function keep({ context, outer, root }: Selection, count: number): Kept {
  const shape = [...outer, Dim.of(count)];
  const { path } = root.provenance;
  const dtype = scalarTypeOf(firstOperand(root).type.dtype) === "f32" ? "f32" : "i32";
  const values = context.scratch(`${path} values`, { dtype, shape });
  const indices = context.scratch(`${path} indices`, { dtype: "i32", shape });
  const place = (kept: Located, rows: readonly Position[], at: Position): Position =>
    positionIn(kept, [...rows, at]);
  return {
    count: Dim.of(count),
    read: ({ writer }, rows, at) => ({
      value: writer.load(values, place(values, rows, at), 1),
      index: writer.load(indices, place(indices, rows, at), 1),
    }),
    store: (writer, rows, at, { value, index }) => {
      writer.store(values, place(values, rows, at), value);
      writer.store(indices, place(indices, rows, at), index);
    },
  };
}

/** Gives a candidate, number `rank` of its row, to every result. */
function giveOut(
  { root, tails, outer, axis, context }: Selection,
  reader: Reader,
  rows: readonly Position[],
  rank: Position,
  { value, index }: Candidate,
): void {
  const { lowering } = root.op;
  if (lowering.kind !== "select") throw internalFault(`${root.op.name} is no selection`);
  for (const tail of tails) {
    const which = root.results.indexOf(tail.result);
    const term = lowering.results[which] === "indices" ? index : value;
    const at = tail.result.type.shape.length > outer.length ? rows.toSpliced(axis, 0, rank) : rows;
    finish(reader, tail, at, { ...term, depth: reader.writer.depth }, context.target);
  }
}
