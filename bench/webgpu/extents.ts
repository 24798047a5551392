/** How much is measured, and how often: so much that a run of the peer takes seconds, not minutes. */
import type { Extent } from "./workloads.ts";

export interface Effort {
  /** Of our own runs, and the most of the peer's. */
  readonly rounds: number;
  /** A peer runs as often as fits into so many seconds, and once at least. */
  readonly peerSeconds: number;
  /** Whether the peer's profiles are compared for each call, or for the first of those with the same kernels alone. */
  readonly everyProfile: boolean;
  /** Whether plans run a second time with the kernels that win when they are measured. */
  readonly isTuned: boolean;
}

export const thorough: Effort = { rounds: 5, peerSeconds: 300, everyProfile: true, isTuned: true };
export const hasty: Effort = { rounds: 3, peerSeconds: 15, everyProfile: false, isTuned: false };

export const whole: Extent = {
  frames: 1024,
  blocks: 2,
  keep: 0.7,
  layers: 4,
  vocabulary: 50_288,
  prompt: 256,
  steps: 4,
};
export const brief: Extent = { ...whole, frames: 512, blocks: 1, layers: 2, prompt: 128 };
/** For trying out the bench itself. */
export const tiny: Extent = {
  frames: 64,
  blocks: 1,
  keep: 0.5,
  layers: 1,
  vocabulary: 4096,
  prompt: 64,
  steps: 2,
};
