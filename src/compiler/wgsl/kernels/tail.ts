/**
 * The end of every kernel: what follows a result element by element, and storing it.
 */
import { Dim } from "../../../lang/dims.ts";
import { internalFault } from "../../fault.ts";
import type { Node, Value } from "../../graph.ts";
import { type At, broadcastAt, positionIn } from "../coordinates.ts";
import type { Side, Tail } from "../groups.ts";
import { type KernelWriter, type Located, scalarTypeOf, type Term } from "../kernel-writer.ts";
import { Position } from "../position.ts";
import { contextOf, type Reader } from "../reader.ts";
import { converted, scalarTerm, widened } from "../scalar-text.ts";
import { movedTo } from "../views.ts";

/** What the steps make of an element of `value`, and where it then lies. */
export function applySteps(
  reader: Reader,
  start: Value,
  steps: readonly Node[],
  at: At,
  term: Term,
  along?: string,
): { readonly term: Term; readonly at: At } {
  const { writer } = reader;
  let place = at;
  let value = start;
  let current = writer.named(term, "y");
  for (const step of steps) {
    const { lowering } = step.op;
    const [result] = step.results;
    if (result === undefined) throw internalFault(`${step.op.name} has no result`);
    if (lowering.kind === "view") {
      const moved = movedTo(step, place);
      if (moved === undefined) throw internalFault(`${step.op.name} does not move every element`);
      place = moved;
    } else if (lowering.kind === "map") {
      const known = reader.knowing(new Map([[value, current]]));
      const here = place;
      const wanted = scalarTypeOf(result.type.dtype);
      current = writer.named(
        scalarTerm(
          lowering.expression(contextOf(step)),
          {
            operand: (index) => {
              const operand = step.operands[index];
              if (operand === undefined) throw internalFault(`${step.op.name} has no operand ${index}`);
              return known.read(operand, broadcastAt(operand, here), along);
            },
            coordinate: (axis) => writer.position(here[axis] ?? Position.of(0)),
          },
          writer,
          wanted,
        ),
        "y",
      );
    }
    value = result;
  }
  return { term: current, at: place };
}

/** Stores the tail's value for an element of its result; four of them when the term has four lanes along `along`. */
export function finish(
  reader: Reader,
  tail: Tail,
  at: At,
  given: Term,
  target: (value: Value) => Located,
  along?: string,
): void {
  const { writer } = reader;
  const { term: current, at: place } = applySteps(reader, tail.result, tail.steps, at, given, along);
  const typed = converted(current, scalarTypeOf(tail.value.type.dtype));
  const value = along === undefined ? typed : writer.named(widened(typed, 4), "y");
  store(writer, target(tail.value), place, value, along);
  for (const side of tail.sides ?? []) finishSide(reader, tail.value, side, place, value, target, along);
}

function store(
  writer: KernelWriter,
  located: Located,
  place: At,
  value: Term,
  along: string | undefined,
): void {
  const position = positionIn(located, place);
  if (along === undefined || (position.slope(along) === "next" && position.isMultipleOf(4))) {
    writer.store(located, position, value);
    return;
  }
  for (let lane = 0; lane < 4; lane++)
    writer.store(located, position.substituted(along, lane), laneOf(value, lane));
}

const laneOf = (value: Term, lane: number): Term => ({ ...value, text: `${value.text}[${lane}]`, lanes: 1 });

/** Stores what a side makes of the value at `place`, where the side has an element for it. */
function finishSide(
  reader: Reader,
  from: Value,
  { tail, shift }: Side,
  place: At,
  value: Term,
  target: (value: Value) => Located,
  along: string | undefined,
): void {
  const { writer } = reader;
  const { shape } = tail.result.type;
  const isCut = shape.map((size, axis) => from.type.shape[axis]?.equals(size) !== true);
  // Four in a row are all in the stretch or all outside of it.
  const isWhole =
    along === undefined ||
    place.every((position, axis) => {
      if (position.slope(along) === "same" || !isCut[axis]) return true;
      const ends = [position, Position.of(shift[axis] ?? Dim.of(0)), Position.of(shape[axis] ?? Dim.of(1))];
      return position.slope(along) === "next" && ends.every((end) => end.isMultipleOf(4));
    });
  if (along !== undefined && !isWhole) {
    for (let lane = 0; lane < 4; lane++) {
      const at = place.map((position) => position.substituted(along, lane));
      finishSide(reader, from, { tail, shift }, at, laneOf(value, lane), target, undefined);
    }
    return;
  }
  const conditions = place.flatMap((position, axis) => {
    if (!isCut[axis]) return [];
    const { text } = writer.position(position);
    const low = shift[axis] ?? Dim.of(0);
    return [`(${text} >= ${writer.size(low)})`, `(${text} < ${writer.size(low.add(shape[axis] ?? 1))})`];
  });
  writer.block(conditions.length === 0 ? "" : `if (${conditions.join(" & ")})`, true, () => {
    let lanes: string | undefined;
    const at = place.map((position, axis) => {
      if (!isCut[axis]) {
        if (along !== undefined && position.slope(along) !== "same") lanes = along;
        return position;
      }
      const isAlong = along !== undefined && position.slope(along) !== "same";
      const { text } = writer.position(position.add((shift[axis] ?? Dim.of(0)).negate()));
      const moved = writer.coordinate("side", text, shape[axis] ?? Dim.of(1), isAlong ? 4 : 1);
      if (isAlong) [lanes] = moved.names();
      return moved;
    });
    const known = reader.knowing(new Map([[from, value]]));
    finish(known, tail, at, known.inline(tail.result, at, lanes), target, lanes);
  });
}
