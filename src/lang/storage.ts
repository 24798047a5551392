/**
 * How learned matrices are stored.
 *
 * Owns: the types there are, and which of a program's `stored` members counts for a learned tensor: the one
 * of the innermost block around it, and of several there the last.
 */
import type { Span } from "./source.ts";

export const storageTypes = ["f32", "f16", "int8"] as const;
export type StorageType = (typeof storageTypes)[number];

export interface Storage {
  readonly as: StorageType;
  /** Elements in a row that share a scale, of `int8`; where it is left out, as many as suit. */
  readonly group?: number | undefined;
}

/** For every learned matrix at or below a path. */
export interface StorageRule extends Storage {
  readonly path: string;
  readonly span: Span;
}

/** The rule that counts for a learned tensor. */
export function storageRuleAt(path: string, rules: readonly StorageRule[]): StorageRule | undefined {
  let found: StorageRule | undefined;
  for (const rule of rules) {
    const isInside = rule.path === "" || path === rule.path || path.startsWith(`${rule.path}.`);
    if (isInside && rule.path.length >= (found?.path.length ?? 0)) found = rule;
  }
  return found;
}
