/**
 * How learned matrices are stored, as a program says it.
 *
 * Owns: the meaning of `stored { as: int8, group: 64 }`, which of several counts for a learned tensor, and
 * whether there is anything to store where one stands.
 */
import type { StoredMember } from "./ast.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { productDims } from "./dims.ts";
import type { Evaluation } from "./evaluation.ts";
import * as messages from "./messages.ts";
import type { Scope } from "./scope.ts";
import type { Span } from "./source.ts";
import { storageOf } from "./static-types.ts";
import type { Storage, StorageType } from "./storage-type.ts";
import { isFloat, type TensorType } from "./types.ts";
import { isSilent } from "./value.ts";

/** For every learned matrix at or below a path. */
export interface StorageRule extends Storage {
  readonly path: string;
  readonly span: Span;
}

/** @param use where the block that says so is put to use */
export function readStored(
  member: StoredMember,
  path: string,
  use: Span,
  scope: Scope,
  evaluation: Evaluation,
): StorageRule[] {
  let as: StorageType | undefined;
  let group: number | undefined;
  for (const option of member.options) {
    const value = evaluation.evaluate(option.value, scope);
    if (isSilent(value)) return [];
    const { name } = option.name;
    if (name === "as") as = storageOf(value);
    else if (name === "group" && value.kind === "int" && (value.dim.constant ?? 0) > 0)
      group = value.dim.constant;
    const isGood =
      name === "as" ? as !== undefined : name === "group" && (group !== undefined || value.kind === "none");
    if (!isGood) {
      evaluation.fail(messages.storedOption(option.name, option.value.span, value));
      return [];
    }
  }
  if (as === undefined || (group !== undefined && as !== "int8")) {
    evaluation.fail(messages.storedWithout(member.span, as));
    return [];
  }
  return [{ as, group, path, span: use }];
}

/** The rule that counts for a learned tensor: that of the innermost block, and of several there the last. */
export function storageRuleAt(path: string, rules: readonly StorageRule[]): StorageRule | undefined {
  let found: StorageRule | undefined;
  for (const rule of rules) {
    if (isBelow(path, rule.path) && rule.path.length >= (found?.path.length ?? 0)) found = rule;
  }
  return found;
}

const isBelow = (path: string, of: string): boolean => of === "" || path === of || path.startsWith(`${of}.`);

/** Says of each place where storage is asked for that there is no matrix, or one that its groups do not divide. */
export function checkStored(
  rules: readonly StorageRule[],
  parameters: ReadonlyMap<string, TensorType>,
): readonly Diagnostic[] {
  const uses = new Map<Span, StorageRule[]>();
  for (const rule of rules) uses.set(rule.span, [...(uses.get(rule.span) ?? []), rule]);
  return [...uses].flatMap(([span, own]) => {
    const covered = [...parameters].filter(([path]) => own.some((rule) => isBelow(path, rule.path)));
    const matrices = covered.filter(([, type]) => isFloat(type.dtype) && type.shape.length > 1);
    if (matrices.length === 0) return [messages.storesNothing(span, covered)];
    for (const [path, type] of matrices) {
      const rule = storageRuleAt(path, rules);
      const row = productDims(type.shape.slice(1)).constant;
      if (rule?.span !== span || rule.group === undefined || row === undefined || row % rule.group === 0)
        continue;
      return [messages.groupDividesNot(span, path, row, rule.group)];
    }
    return [];
  });
}
