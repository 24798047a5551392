/**
 * The blocks at work: which use of a block led to which.
 *
 * Owns: the chain of uses, and two things read from it. A failure that depends on arguments is
 * placed at the use in the user's own file that brought it about, and a block that contains itself
 * is recognised by its circle of uses.
 */
import type { BlockDeclaration } from "./ast.ts";
import { diagnosticCodes, isDiagnosticCode } from "./codes.ts";
import type { Diagnostic, Label } from "./diagnostic.ts";
import type { SourceFile, Span } from "./source.ts";

export interface Frame {
  readonly declaration: BlockDeclaration;
  /** The text that uses the block. */
  readonly span: Span;
  readonly outer: Frame | undefined;
  /** How many blocks are at work. */
  readonly depth: number;
}

export function innerFrame(declaration: BlockDeclaration, span: Span, outer: Frame | undefined): Frame {
  return { declaration, span, outer, depth: (outer?.depth ?? 0) + 1 };
}

/** Moves the place of a failure that depends on arguments into `root`, if a use there led to it. */
export function blameUse(diagnostic: Diagnostic, frame: Frame | undefined, root: SourceFile): Diagnostic {
  const { code, primary, related } = diagnostic;
  if (primary === undefined || primary.span.file === root) return diagnostic;
  if (!isDiagnosticCode(code) || diagnosticCodes[code].cause === "text") return diagnostic;
  let use = frame;
  while (use !== undefined && use.span.file !== root) use = use.outer;
  if (use === undefined) return diagnostic;
  const { span, declaration } = use;
  return {
    ...diagnostic,
    primary: { span, text: `in this use of ${declaration.name.name}` },
    related: [primary, ...related.filter((label) => !sameSpan(label.span, span))],
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

/** The circle turned so that it begins at the same use wherever it was entered. */
export function firstInText(circle: readonly Frame[]): readonly Frame[] {
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
