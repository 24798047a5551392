/**
 * One kernel for a selection and what becomes of the rows that it chooses: each invocation counts what comes
 * before its candidate, and those that are in front put their row where it belongs, normalised or as it is.
 * Rows that were never up for choice have invocations of their own, behind the candidates.
 */
import { Dim, productDims, sumDims } from "../../../lang/dims.ts";
import { internalFault } from "../../fault.ts";
import type { Node } from "../../graph.ts";
import type { At } from "../coordinates.ts";
import type { Group, Selection } from "../groups.ts";
import { KernelWriter, scalarTypeOf, type Term } from "../kernel-writer.ts";
import { Position, unflattened } from "../position.ts";
import { contextOf, Reader } from "../reader.ts";
import { type Kernel, type KernelContext, none, spread } from "./kernel.ts";
import { computing, firstOperand, rowsOver, storeRow } from "./rows.ts";

export function selectionKernel(
  group: Group,
  selection: Selection,
  context: KernelContext,
): readonly Kernel[] {
  const { select, result, axis, stretches } = selection;
  const { lowering } = select.op;
  const { source } = result;
  if (lowering.kind !== "select" || source.kind !== "result")
    throw internalFault(`${select.op.name} is no selection`);
  const x = firstOperand(select);
  const candidates = x.type.shape[axis] ?? Dim.of(1);
  const plain = stretches.filter(({ isChosen }) => !isChosen);
  const chosen = stretches.find(({ isChosen }) => isChosen);
  if (chosen === undefined) throw internalFault(`${select.op.name} chooses no row`);
  const outer = x.type.shape.with(axis, Dim.of(1));
  const each = sumDims([candidates, ...plain.map(({ size }) => size)]);
  const total = productDims(outer).mul(each);
  if (total.constant === 0) return [];

  const { workgroup } = context.tuning;
  const writer = new KernelWriter([workgroup, 1, 1]);
  const groups = total.ceilDivide(workgroup);
  const [outside = Position.of(0), number = Position.of(0)] = unflattened(
    rowsOver(writer, total, groups, workgroup),
    [productDims(outer), each],
  );
  const around = unflattened(outside, outer);
  const reader = new Reader(writer, computing(group, context));
  const own = writer.position(number).text;
  // The last axis of what is moved is not the selection's.
  const rowAt = (place: Position) => [...around.with(axis, place), Position.of(0)];

  const choose = (): void => {
    const candidate = writer.coordinate("candidate", own, candidates);
    const at = around.with(axis, candidate);
    const value = writer.copied(reader.read(x, at), "own");
    const rank = rankOf(reader, select, at, value);
    writer.block(`if (${rank} < ${writer.size(chosen.size)})`, true, () => {
      const place = writer.coordinate("place", rank, chosen.size);
      const isPlace = lowering.results[source.index] === "indices";
      const term: Term = isPlace
        ? writer.position(candidate)
        : { ...value, type: scalarTypeOf(x.type.dtype) };
      const known = reader.knowing(new Map([[result, term]]));
      storeRow(known, group, rowAt(place.add(chosen.low)), context);
    });
  };
  const [first, ...others] = plain;
  const rest = (start: Dim, stretch: (typeof plain)[number], later: typeof plain): void => {
    const put = (): void => {
      const text = `${own} - ${writer.size(start)}`;
      const place = writer.coordinate("place", text, stretch.size).add(stretch.low);
      storeRow(reader, group, rowAt(place), context);
    };
    const [next, ...more] = later;
    if (next === undefined) {
      put();
      return;
    }
    const end = start.add(stretch.size);
    writer.either(`${own} < ${writer.size(end)}`, put, () => rest(end, next, more));
  };
  if (first === undefined) choose();
  else writer.either(`${own} < ${writer.size(candidates)}`, choose, () => rest(candidates, first, others));
  return [
    {
      writer,
      label: `select of ${candidates}, moved${group.root.op.lowering.kind === "row" ? " and normalised" : ""}`,
      workgroups: spread(groups),
      executed: none,
    },
  ];
}

/** A variable that holds how many elements of the row come before the one at `at`, which is `own`. */
function rankOf(reader: Reader, select: Node, at: At, own: Term): string {
  const { lowering } = select.op;
  if (lowering.kind !== "select") throw internalFault(`${select.op.name} is no selection`);
  const { writer } = reader;
  const x = firstOperand(select);
  const axis = lowering.axis(contextOf(select));
  const sign = lowering.descending(contextOf(select)) ? ">" : "<";
  const index = writer.position(at[axis] ?? Position.of(0));
  const rank = writer.variable("rank", "i32", "0");
  writer.loop("j", x.type.shape[axis] ?? Dim.of(1), 1, (position, name) => {
    const other = writer.named(reader.read(x, at.with(axis, position)), "other");
    const tie = `(${other.text} == ${own.text}) & (${name} < ${index.text})`;
    writer.line(`${rank} += select(0, 1, (${other.text} ${sign} ${own.text}) | (${tie}));`);
  });
  return rank;
}
