/**
 * The passes that every target wants, in order.
 */
import { eliminateDead } from "./eliminate-dead.ts";
import { foldConstants } from "./fold-constants.ts";
import { mergeDuplicates } from "./merge-duplicates.ts";
import type { Pass } from "./pass.ts";
import { simplify } from "./simplify.ts";

export type { Pass } from "./pass.ts";

export const standardPasses: readonly Pass[] = [
  mergeDuplicates,
  simplify,
  foldConstants,
  simplify,
  eliminateDead,
];
