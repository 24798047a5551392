/** How much is measured: so much that a run of the peer takes seconds, not minutes. */
import type { Extent } from "./workloads.ts";

export const whole: Extent = { frames: 1024, blocks: 2, keep: 0.7, layers: 4, prompt: 256, steps: 4 };
export const brief: Extent = { frames: 1024, blocks: 1, keep: 0.7, layers: 2, prompt: 128, steps: 4 };
/** For trying out the bench itself. */
export const tiny: Extent = { frames: 64, blocks: 1, keep: 0.5, layers: 1, prompt: 64, steps: 2 };
