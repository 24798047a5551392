/**
 * How far a float32 target may be from the reference.
 *
 * Owns: the few bounds that records share. WebGPU promises little of its functions (exp within
 * 3 + 2|x| ulp, tanh and erf through other functions), so these are above what f32 rounding gives.
 */
import type { Tolerance } from "./op.ts";

/** Elements are moved or compared, or the arithmetic is on integers. */
export const exact: Tolerance = { absolute: 0, relative: 0 };
/** One rounding or a few. */
export const rounded: Tolerance = { absolute: 1e-6, relative: 1e-6 };
/** Through a transcendental function. */
export const transcendental: Tolerance = { absolute: 2e-6, relative: 1e-5 };
/** Sums of many products of values near 1. */
export const accumulated: Tolerance = { absolute: 2e-5, relative: 2e-5 };
