/**
 * Does a checkpoint fit a model?
 *
 * Owns: comparing what the model expects with what a source holds, and saying it in a way that helps:
 * layers are counted together, a common prefix is recognised, transposed tensors are named as such.
 * Nothing is read here but names, dtypes and shapes.
 */
import type { TensorInfo, WeightSource } from "../compiler/host-tensor.ts";
import { elementCount } from "../compiler/host-tensor.ts";
import type { Diagnostic } from "../lang/diagnostic.ts";
import { countOf, failureDiagnostic } from "./failure.ts";

export interface Misshapen {
  readonly name: string;
  readonly expected: TensorInfo;
  readonly found: TensorInfo;
}

export interface WeightsReport {
  /** Expected and not there, in the model's order. */
  readonly missing: readonly string[];
  /** There and not expected, in the source's order. */
  readonly unexpected: readonly string[];
  readonly misshapen: readonly Misshapen[];
  /** Errors for what is missing or misshapen, a warning for what is not expected. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Ranks candidates by closeness to a name; the closest first. */
export type Suggest = (name: string, candidates: Iterable<string>) => readonly string[];

/** Lines in a list before "and … more". */
const listed = 8;

/**
 * Any floating-point dtype serves for any other, since weights are converted to what the target
 * wants; integers and booleans must be what they are.
 * @param suggest how to find near names; without it none are suggested
 */
export function checkWeights(
  expected: ReadonlyMap<string, TensorInfo>,
  source: WeightSource,
  suggest: Suggest = () => [],
): WeightsReport {
  const missing: string[] = [];
  const misshapen: Misshapen[] = [];
  for (const [name, wanted] of expected) {
    const found = source.info(name);
    if (found === undefined) missing.push(name);
    else if (!fits(wanted, found)) misshapen.push({ name, expected: wanted, found });
  }
  const unexpected = source.names().filter((name) => !expected.has(name));
  const diagnostics: Diagnostic[] = [];
  if (missing.length > 0) diagnostics.push(missingDiagnostic(expected, missing, unexpected, source, suggest));
  if (misshapen.length > 0) diagnostics.push(misshapenDiagnostic(misshapen, source));
  if (unexpected.length > 0) diagnostics.push(unexpectedDiagnostic(unexpected, source));
  return { missing, unexpected, misshapen, diagnostics };
}

function fits(wanted: TensorInfo, found: TensorInfo): boolean {
  return kindOf(wanted) === kindOf(found) && sameShape(wanted.shape, found.shape);
}

function kindOf({ dtype }: TensorInfo): string {
  return dtype === "f16" || dtype === "bf16" ? "f32" : dtype;
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

function missingDiagnostic(
  expected: ReadonlyMap<string, TensorInfo>,
  missing: readonly string[],
  unexpected: readonly string[],
  source: WeightSource,
  suggest: Suggest,
): Diagnostic {
  const notes = listGrouped(missing);
  const prefix = commonPrefix(missing, unexpected);
  if (prefix !== undefined) {
    return failureDiagnostic("weights-missing", missingSentence(expected, missing, source), {
      notes: [...notes, prefix.note],
      hint: "Rename them by pattern in the model's `weights` section.",
    });
  }
  const near = nearNames(expected, missing, unexpected, source, suggest);
  return failureDiagnostic("weights-missing", missingSentence(expected, missing, source), {
    notes: [...notes, ...near],
    hint:
      near.length > 0
        ? "If these are the same tensors, rename them in the model's `weights` section."
        : "Check that the checkpoint is of this model and of this size.",
  });
}

function missingSentence(
  expected: ReadonlyMap<string, TensorInfo>,
  missing: readonly string[],
  source: WeightSource,
) {
  const [only] = missing;
  if (missing.length === 1) return `${source.label} lacks the tensor '${only}'.`;
  if (missing.length === expected.size)
    return `${source.label} has none of the model's ${expected.size} tensors.`;
  return `${source.label} lacks ${missing.length} of the model's ${expected.size} tensors.`;
}

/** One suggestion for each pattern of names, of the same shape where there is one. */
function nearNames(
  expected: ReadonlyMap<string, TensorInfo>,
  missing: readonly string[],
  unexpected: readonly string[],
  source: WeightSource,
  suggest: Suggest,
): string[] {
  const notes: string[] = [];
  for (const { first } of groupNames(missing).slice(0, listed)) {
    const near = suggest(first, unexpected);
    const shape = expected.get(first)?.shape ?? [];
    const best = near.find((name) => sameShape(source.info(name)?.shape ?? [], shape)) ?? near[0];
    if (best !== undefined) notes.push(`'${first}' may be '${best}' there`);
  }
  return notes;
}

function misshapenDiagnostic(misshapen: readonly Misshapen[], source: WeightSource): Diagnostic {
  const [first] = misshapen;
  const message =
    misshapen.length === 1 && first !== undefined
      ? `The tensor '${first.name}' of ${source.label} has another shape or type than the model's.`
      : `${misshapen.length} tensors of ${source.label} have another shape or type than the model's.`;
  const notes = misshapen.slice(0, listed).map(({ name, expected, found }) => {
    return `'${name}': expected ${printInfo(expected)}, found ${printInfo(found)}${explainShape(expected, found)}`;
  });
  if (misshapen.length > listed) notes.push(`and ${misshapen.length - listed} more`);
  return failureDiagnostic("weights-misshapen", message, {
    notes,
    hint: "Check that the checkpoint is of this model and of this size.",
  });
}

function printInfo({ dtype, shape }: TensorInfo): string {
  return `${dtype}[${shape.join(", ")}]`;
}

function explainShape(expected: TensorInfo, found: TensorInfo): string {
  if (sameShape(expected.shape, found.shape)) return "";
  if (sameShape(expected.shape, found.shape.toReversed())) return " (transposed)";
  if (elementCount(expected.shape) === elementCount(found.shape))
    return " (as many values, in another shape)";
  return "";
}

function unexpectedDiagnostic(unexpected: readonly string[], source: WeightSource): Diagnostic {
  const [only] = unexpected;
  const message =
    unexpected.length === 1
      ? `The tensor '${only}' of ${source.label} is not used by the model.`
      : `${unexpected.length} tensors of ${source.label} are not used by the model.`;
  return failureDiagnostic("weights-unexpected", message, {
    severity: "warning",
    notes: listGrouped(unexpected),
  });
}

interface NameGroup {
  /** The name with its layer numbers replaced by `*`. */
  readonly pattern: string;
  readonly first: string;
  readonly count: number;
}

/** `layers.0.bias` and `layers.1.bias` are of one group; in order of first appearance. */
function groupNames(names: readonly string[]): NameGroup[] {
  const groups = new Map<string, NameGroup>();
  for (const name of names) {
    const pattern = name.replace(/(?<![^.])\d+(?![^.])/g, "*");
    const group = groups.get(pattern);
    groups.set(pattern, { pattern, first: group?.first ?? name, count: (group?.count ?? 0) + 1 });
  }
  return [...groups.values()];
}

function listGrouped(names: readonly string[]): string[] {
  const groups = groupNames(names);
  const lines = groups.slice(0, listed).map(({ pattern, first, count }) => {
    return count === 1 ? `'${first}'` : `'${pattern}' (${countOf(count, "tensor")})`;
  });
  const rest = groups.slice(listed).reduce((total, group) => total + group.count, 0);
  if (rest > 0) lines.push(`and ${rest} more`);
  return lines;
}

/** A prefix that one side has and the other lacks, if it explains at least half of what is missing. */
function commonPrefix(
  missing: readonly string[],
  unexpected: readonly string[],
): { note: string } | undefined {
  const extra = mostCommonPrefix(unexpected, new Set(missing));
  const lacking = mostCommonPrefix(missing, new Set(unexpected));
  const [best, where] = extra.count >= lacking.count ? [extra, "there"] : [lacking, "in the model"];
  if (best.count * 2 < missing.length || best.count === 0) return undefined;
  const subject = best.count === missing.length ? "all of them" : `${best.count} of them`;
  return { note: `${subject} would be found if the names ${where} did not start with '${best.prefix}'` };
}

/** The prefix, up to a dot, whose removal turns most of `names` into one of `targets`. */
function mostCommonPrefix(
  names: readonly string[],
  targets: ReadonlySet<string>,
): { prefix: string; count: number } {
  const counts = new Map<string, number>();
  for (const name of names) {
    for (let dot = name.indexOf("."); dot >= 0; dot = name.indexOf(".", dot + 1)) {
      const prefix = name.slice(0, dot + 1);
      if (targets.has(name.slice(dot + 1))) counts.set(prefix, (counts.get(prefix) ?? 0) + 1);
    }
  }
  let best = { prefix: "", count: 0 };
  for (const [prefix, count] of counts) if (count > best.count) best = { prefix, count };
  return best;
}
