/** How much is measured: so much that a run of the peer takes seconds, not minutes. */
import type { Extent } from "./workloads.ts";

export const whole: Extent = {
  frames: 1024,
  blocks: 2,
  keep: 0.7,
  layers: 4,
  vocabulary: 50_288,
  prompt: 256,
  steps: 4,
};
export const brief: Extent = { ...whole, blocks: 1, layers: 2, prompt: 128 };
/** For trying out the bench itself. */
export const tiny: Extent = {
  frames: 64,
  blocks: 1,
  keep: 0.5,
  layers: 1,
  vocabulary: 1024,
  prompt: 64,
  steps: 2,
};
