/**
 * Coordinates inside a kernel: how they move, what of a range they are known to keep, where in a buffer they lead.
 */
import { Dim } from "../../lang/dims.ts";
import type { Value } from "../graph.ts";
import type { CoordinateRange, Index } from "../ops/lowering.ts";
import type { Located } from "./kernel-writer.ts";
import { Position } from "./position.ts";

export type At = readonly Position[];

export function positionIn({ strides, offset }: Located, at: At): Position {
  return at.reduce(
    (sum, position, axis) => sum.add(position.times(strides[axis] ?? Dim.of(1))),
    Position.of(offset),
  );
}

/** How an operand that broadcasts to the coordinates is read. */
export function broadcastAt(operand: Value, at: At): At {
  const { shape } = operand.type;
  const lead = at.length - shape.length;
  return shape.map((size, axis) =>
    size.constant === 1 ? Position.of(0) : (at[axis + lead] ?? Position.of(0)),
  );
}

/** Whether they change along a name. */
export const moves = (at: At, along: string): boolean =>
  at.some((position) => position.slope(along) !== "same");

/** Whether an element that serves as an index changes along the name. */
export function isElementAlong(index: Index, at: At, along: string): boolean {
  if (index.kind === "constant" || index.kind === "coordinate") return false;
  if (index.kind !== "element") {
    return isElementAlong(index.a, at, along) || isElementAlong(index.b, at, along);
  }
  const moving = (part: Index): boolean => {
    if (part.kind === "constant") return false;
    if (part.kind === "coordinate") return at[part.axis]?.slope(along) !== "same";
    return part.kind === "element" ? part.at.some(moving) : moving(part.a) || moving(part.b);
  };
  return index.at.some(moving);
}

/** The position for the lane-th of four along a name. */
export function advanced(position: Position, along: string, lane: number): Position {
  if (lane === 0) return position;
  return position.substituted(along, lane);
}

export interface OpenRange {
  readonly position: Position;
  readonly low: Dim | undefined;
  readonly high: Dim | undefined;
}

/** The ends of a range that a coordinate is not known to keep. */
export function openEnds({ axis, low, high }: CoordinateRange, at: At): OpenRange[] | "never" {
  const position = at[axis] ?? Position.of(0);
  const { least, most } = position.range();
  const lowHolds = least !== undefined && Dim.provablyAtMost(low, least);
  const highHolds = most !== undefined && Dim.provablyAtMost(most, high.sub(1));
  if (least !== undefined && Dim.provablyAtMost(high, least)) return "never";
  if (most !== undefined && Dim.provablyAtMost(most.add(1), low)) return "never";
  if (lowHolds && highHolds) return [];
  return [{ position, low: lowHolds ? undefined : low, high: highHolds ? undefined : high }];
}
