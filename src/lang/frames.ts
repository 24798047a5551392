/**
 * The blocks at work: which use of a block led to which.
 *
 * Owns: the chain of uses, and two things read from it. A failure that depends on arguments is
 * placed at the use in the user's own file that brought it about, and a block that contains itself
 * is recognised by its circle of uses, or sooner by its arguments.
 */
import type { BlockDeclaration } from "./ast.ts";
import { diagnosticCodes, isDiagnosticCode } from "./codes.ts";
import type { Diagnostic, Label } from "./diagnostic.ts";
import type { SourceFile, Span } from "./source.ts";
import type { Template, Value } from "./value.ts";

export interface Frame {
  readonly declaration: BlockDeclaration;
  /** The text that uses the block. */
  readonly span: Span;
  readonly outer: Frame | undefined;
  /** How many blocks are at work. */
  readonly depth: number;
  /** Of a block that is applied: the use that made it. */
  readonly made: Frame | undefined;
  /** Where the block stands in the tree of parameters; unknown while it is only named. */
  readonly path: string | undefined;
  /** Of a block that is laid out: with its arguments. */
  readonly laidOut: Template | undefined;
  /** Whether a condition that is not decided here led to it. */
  readonly isUndecided: boolean;
  /** Whether its arguments turned out wrong: what else they lead to is no news. */
  isFailed: boolean;
}

/** What is known of a use besides. */
export type AboutUse = Partial<Pick<Frame, "made" | "path" | "laidOut" | "isUndecided">>;

export function innerFrame(
  declaration: BlockDeclaration,
  span: Span,
  outer: Frame | undefined,
  { made, path, laidOut, isUndecided = false }: AboutUse,
): Frame {
  return {
    declaration,
    span,
    outer,
    depth: (outer?.depth ?? 0) + 1,
    made,
    path,
    laidOut,
    isUndecided: isUndecided || outer?.isUndecided === true,
    isFailed: false,
  };
}

/** Whether a failure that depends on arguments follows from one that is reported already. */
export function isKnownFailure({ code }: Diagnostic, frame: Frame | undefined): boolean {
  if (!dependsOnArguments(code)) return false;
  for (let use = frame; use !== undefined; use = use.outer) {
    if (use.made?.isFailed === true) return true;
    // A block may state several requirements, each of which fails on its own.
    if (use.isFailed && code !== "requirement-failed") return true;
  }
  return false;
}

/** Marks the blocks whose arguments a failure puts in doubt. */
export function markFailed({ code }: Diagnostic, frame: Frame | undefined, blamed: Frame | undefined): void {
  if (frame === undefined || !dependsOnArguments(code)) return;
  if (code === "requirement-failed") {
    frame.isFailed = true;
    for (let use = frame.outer; use?.outer !== undefined; use = use.outer) use.isFailed = true;
  } else if (blamed !== undefined) {
    for (let use: Frame | undefined = frame; use !== undefined; use = use.outer) {
      use.isFailed = true;
      if (use === blamed) return;
    }
  }
}

function dependsOnArguments(code: string): boolean {
  return isDiagnosticCode(code) && diagnosticCodes[code].cause === "values";
}

/** The use in `root` that led to a failure elsewhere, if the failure depends on arguments. */
export function blamedUse(
  { code, primary }: Diagnostic,
  frame: Frame | undefined,
  root: SourceFile,
): Frame | undefined {
  if (primary === undefined || primary.span.file === root || !dependsOnArguments(code)) return undefined;
  let use = frame;
  while (use !== undefined && use.span.file !== root) use = use.outer;
  return use;
}

/** The same diagnostic, placed at a use. */
export function placedAt(diagnostic: Diagnostic, { span, declaration }: Frame): Diagnostic {
  const { primary, related } = diagnostic;
  const others = related.filter((label) => !sameSpan(label.span, span));
  // What the user can change comes first.
  const own = others.filter((label) => label.span.file === span.file);
  const library = others.filter((label) => label.span.file !== span.file);
  return {
    ...diagnostic,
    primary: { span, text: `in this use of ${declaration.name.name}` },
    related: [...own, ...(primary === undefined ? [] : [primary]), ...library],
    edits: diagnostic.edits.filter((edit) => edit.span.file === span.file),
  };
}

/** The uses that lead from a block back to itself, outermost first; empty when none do. */
export function circleOf(frame: Frame): readonly Frame[] {
  const uses = [frame];
  for (let outer = frame.outer; outer !== undefined; outer = outer.outer) {
    if (outer.declaration === frame.declaration) return uses.reverse();
    uses.push(outer);
  }
  return [];
}

/**
 * Whether a block is in itself, and in itself once more, because of a condition that is not decided here: it may
 * end there.
 */
export function mayEnd(frame: Frame): boolean {
  let times = 0;
  for (let outer = frame.isUndecided ? frame.outer : undefined; outer !== undefined; outer = outer.outer) {
    if (outer.declaration === frame.declaration && ++times > 1) return true;
  }
  return false;
}

/**
 * Whether a block is laid out within itself with the same plain arguments, which then never ends: nothing else
 * decides what a block contains. What other arguments lead to is seen when blocks are nested too deep.
 */
export function isEndless(frame: Frame): boolean {
  const { laidOut } = frame;
  if (laidOut === undefined || frame.declaration.blockKind === "adapter") return false;
  for (let outer = frame.outer; outer?.laidOut !== undefined; outer = outer.outer) {
    // What an adapter contains is decided by what it is put around, too.
    if (outer.declaration.blockKind === "adapter") return false;
    if (outer.declaration === frame.declaration && hasEqualArguments(outer.laidOut, laidOut)) return true;
  }
  return false;
}

function hasEqualArguments(a: Template, b: Template): boolean {
  if (a.arguments.size !== b.arguments.size) return false;
  for (const [name, { value }] of a.arguments) {
    const other = b.arguments.get(name)?.value;
    if (other === undefined || !isSamePlain(value, other)) return false;
  }
  return true;
}

function isSamePlain(a: Value, b: Value): boolean {
  if (a.kind === "int") return b.kind === "int" && a.dim.key === b.dim.key;
  if (a.kind === "real" || a.kind === "bool" || a.kind === "string") {
    return a.kind === b.kind && Object.is(a.value, b.value);
  }
  return false;
}

/** A circle turned so that it begins at the same place wherever it was entered. */
export function firstInText<T extends { readonly span: Span }>(circle: readonly T[]): readonly T[] {
  let start = 0;
  for (const [i, { span }] of circle.entries()) {
    const best = circle[start]?.span;
    if (best !== undefined && comesBefore(span, best)) start = i;
  }
  return [...circle.slice(start), ...circle.slice(0, start)];
}

function comesBefore(a: Span, b: Span): boolean {
  return a.file === b.file ? a.start < b.start : a.file.path < b.file.path;
}

function sameSpan(a: Label["span"], b: Span): boolean {
  return a.file === b.file && a.start === b.start && a.end === b.end;
}
