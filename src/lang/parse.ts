/**
 * Text to syntax tree: the one door to the front end.
 *
 * Owns: the limit on reported errors and the order in which they come. A tree always comes back,
 * however broken the text; nothing is ever thrown.
 */
import type { Expression, SourceUnit } from "./ast.ts";
import { type Diagnostic, DiagnosticSink, type Label } from "./diagnostic.ts";
import { OssicleParser } from "./grammar.ts";
import { SourceFile } from "./source.ts";
import { type Comment, tokenize } from "./tokenize.ts";

/** More would not be read. */
const mostDiagnostics = 100;

export interface ParseResult {
  readonly unit: SourceUnit;
  /** In source order; empty when the text is well formed. */
  readonly diagnostics: readonly Diagnostic[];
  /** Every comment, doc comments included, in source order. */
  readonly comments: readonly Comment[];
}

// Built on first use: the lookahead tables take a few dozen milliseconds.
let parser: OssicleParser | undefined;

export function parse(file: SourceFile): ParseResult {
  const sink = new DiagnosticSink();
  const report = (diagnostic: Diagnostic) => {
    if (sink.size < mostDiagnostics) sink.report(diagnostic);
    return sink.size < mostDiagnostics;
  };
  const stream = tokenize(file, report);
  const { comments } = stream;
  if (stream.tooDeep) {
    const unit: SourceUnit = { file, language: undefined, imports: [], declarations: [] };
    return { unit, diagnostics: sink.sorted(), comments };
  }
  parser ??= new OssicleParser();
  const unit = { file, ...parser.read(stream, report) };
  return { unit, diagnostics: withoutFollowers(sink.sorted()), comments };
}

/** After a missing quote the rest of the line is read inside out: what else is found there is not a mistake. */
function withoutFollowers(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const lineOf = ({ span }: Label): number => span.file.position(span.start).line;
  const unterminated = new Set<number>();
  for (const { code, primary } of diagnostics) {
    if (code === "unterminated-string" && primary !== undefined) unterminated.add(lineOf(primary));
  }
  if (unterminated.size === 0) return diagnostics;
  return diagnostics.filter(({ code, primary, related }) => {
    const labels = primary === undefined ? related : [primary, ...related];
    return code === "unterminated-string" || !labels.some((label) => unterminated.has(lineOf(label)));
  });
}

/** Reads one expression, as a user types it for a setting. `undefined` when the text is anything else. */
export function parseExpression(
  label: string,
  text: string,
): { readonly expression: Expression | undefined; readonly diagnostics: readonly Diagnostic[] } {
  const { unit, diagnostics } = parse(new SourceFile(label, `let value = ${text}`));
  const [declaration] = unit.declarations;
  const single = unit.declarations.length === 1 && unit.imports.length === 0 && declaration?.kind === "let";
  return { expression: single && diagnostics.length === 0 ? declaration.value : undefined, diagnostics };
}
