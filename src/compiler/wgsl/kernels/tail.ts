/**
 * The end of every kernel: what follows a result element by element, and storing it.
 */
import { internalFault } from "../../fault.ts";
import type { Node, Value } from "../../graph.ts";
import type { Tail } from "../groups.ts";
import { type Located, scalarTypeOf, type Term } from "../kernel-writer.ts";
import { Position } from "../position.ts";
import { type At, broadcastAt, contextOf, positionIn, type Reader } from "../reader.ts";
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
  const located = target(tail.value);
  const position = positionIn(located, place);
  const typed = converted(current, scalarTypeOf(tail.value.type.dtype));
  if (along === undefined) {
    writer.store(located, position, typed);
    return;
  }
  const wide = widened(typed, 4);
  if (position.slope(along) === "next" && position.isMultipleOf(4)) {
    writer.store(located, position, wide);
    return;
  }
  const named = writer.named(wide, "y");
  for (let lane = 0; lane < 4; lane++) {
    const one: Term = { ...named, text: `${named.text}[${lane}]`, lanes: 1 };
    writer.store(located, position.substituted(along, lane), one);
  }
}
