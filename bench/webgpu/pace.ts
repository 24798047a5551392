/**
 * How long runs took, and how one side's compare with the other's.
 *
 * Owns: medians of both clocks. On a machine that does other work too, what passes by the clock is that work's as well;
 * the processors' time is closer to what a quiet machine would show, and where shaders run in software it is all there is.
 */
import { type Spread, spread } from "../measure.ts";
import type { Spent } from "./contest.ts";

export interface Pace {
  readonly clock: Spread;
  readonly processor: Spread | undefined;
}

export function paceOf(spent: readonly Spent[]): Pace {
  const processor = spent.flatMap((each) => (each.processor === undefined ? [] : [each.processor]));
  return {
    clock: spread(spent.map(({ clock }) => clock)),
    processor: processor.length < spent.length || spent.length === 0 ? undefined : spread(processor),
  };
}

/** Medians of one over medians of the other. */
export interface PaceRatio {
  readonly clock: number;
  readonly processor: number | undefined;
}

export function paceRatio(a: Pace, b: Pace): PaceRatio {
  return {
    clock: a.clock.median / b.clock.median,
    processor:
      a.processor === undefined || b.processor === undefined || b.processor.median === 0
        ? undefined
        : a.processor.median / b.processor.median,
  };
}

/** The same, times a factor. */
export function scaled({ clock, processor }: PaceRatio, factor: number): PaceRatio {
  return { clock: factor * clock, processor: processor === undefined ? undefined : factor * processor };
}

/** `6.1 (5.8 by processor time)`. */
export function printRatio({ clock, processor }: PaceRatio, digits = 2): string {
  const more = processor === undefined ? "" : ` (${processor.toFixed(digits)} by processor time)`;
  return `${clock.toFixed(digits)}${more}`;
}
