/**
 * The outline of a file, and what of it can be folded.
 *
 * Owns: both, from the syntax tree alone.
 */
import { type DocumentSymbol, type FoldingRange, FoldingRangeKind, SymbolKind } from "vscode-languageserver";
import type { BlockDeclaration, Declaration, Member } from "../lang/ast.ts";
import { printFragment } from "../lang/print.ts";
import type { SourceFile, Span } from "../lang/source.ts";
import { allMembers } from "./describe.ts";
import { rangeOf } from "./places.ts";
import { parsedFile } from "./readings.ts";
import { nodesOf } from "./tree.ts";

export function documentSymbols(file: SourceFile): DocumentSymbol[] {
  return parsedFile(file).unit.declarations.flatMap((declaration) => {
    const found = symbolOf(declaration);
    return found === undefined ? [] : [found];
  });
}

function symbolOf(declaration: Declaration): DocumentSymbol | undefined {
  const { name, span } = declaration;
  if (declaration.kind === "let") return symbol(name.name, SymbolKind.Constant, span, name.span);
  const kind = declaration.blockKind === "model" ? SymbolKind.Module : SymbolKind.Class;
  const found = symbol(name.name, kind, span, name.span, declaration.blockKind);
  return found && { ...found, children: childrenOf(declaration) };
}

function childrenOf({ parameters, members }: BlockDeclaration): DocumentSymbol[] {
  return [
    ...parameters.flatMap(({ name, type, span }) => {
      const detail = printFragment(type);
      return symbol(name.name, SymbolKind.TypeParameter, span, name.span, detail) ?? [];
    }),
    ...allMembers(members).flatMap((member) => memberSymbol(member) ?? []),
  ];
}

function memberSymbol(member: Member): DocumentSymbol | undefined {
  switch (member.kind) {
    case "let":
      return symbol(member.name.name, SymbolKind.Constant, member.span, member.name.span);
    case "parameter": {
      const detail = printFragment(member.type);
      return symbol(dotted(member.name), SymbolKind.Field, member.span, member.name.span, detail);
    }
    case "binding":
      return symbol(dotted(member.name), SymbolKind.Property, member.span, member.name.span);
    case "forward": {
      const word = member.span.file.span(member.span.start, member.span.start + "forward".length);
      return symbol("forward", SymbolKind.Method, member.span, word);
    }
    case "handler":
      return symbol(`on ${member.site.name}`, SymbolKind.Event, member.span, member.site.span);
    case "entry":
      return symbol(member.name.name, SymbolKind.Method, member.span, member.name.span, "entry");
    case "input": {
      const detail = printFragment(member.type);
      return symbol(member.name.name, SymbolKind.Variable, member.span, member.name.span, detail);
    }
    case "carry":
      return symbol(member.name.name, SymbolKind.Variable, member.span, member.name.span, "carry");
    case "generate":
      return symbol(member.name.name, SymbolKind.Method, member.span, member.name.span, "generate");
    case "conditional":
    case "require":
    case "weights":
    case "frozen":
    case "stored":
    case "sweep":
    case "budget":
      return undefined;
  }
}

function dotted({ parts }: { readonly parts: readonly { readonly name: string }[] }): string {
  return parts.map(({ name }) => name).join(".");
}

/** `undefined` for what recovery made up: names without letters, places outside the whole. */
function symbol(
  name: string,
  kind: SymbolKind,
  span: Span,
  named: Span,
  detail?: string,
): DocumentSymbol | undefined {
  if (name === "" || named.start < span.start || named.end > span.end) return undefined;
  const ranges = { range: rangeOf(span), selectionRange: rangeOf(named) };
  return detail === undefined ? { name, kind, ...ranges } : { name, kind, detail, ...ranges };
}

/** Everything that has a brace, imports together, and comments of several lines. */
export function foldingRanges(file: SourceFile): FoldingRange[] {
  const { unit, comments } = parsedFile(file);
  const found = new Map<number, FoldingRange>();
  const add = (start: number, end: number, kind?: FoldingRangeKind): void => {
    const startLine = file.position(start).line - 1;
    const endLine = file.position(end).line - 1;
    if (endLine <= startLine || found.has(startLine)) return;
    found.set(startLine, kind === undefined ? { startLine, endLine } : { startLine, endLine, kind });
  };
  const [first] = unit.imports;
  const last = unit.imports.at(-1);
  if (first !== undefined && last !== undefined)
    add(first.span.start, last.span.end, FoldingRangeKind.Imports);
  for (const { span } of nodesOf(unit)) {
    // The closing bracket stays in sight.
    if (/[)\]}]/.test(file.text.charAt(span.end - 1))) add(span.start, lineBefore(file, span));
  }
  let from: number | undefined;
  for (const [i, { span }] of comments.entries()) {
    from ??= span.start;
    const next = comments[i + 1];
    const isNext = next !== undefined && file.text.slice(span.end, next.span.start).trim() === "";
    const isAdjacent = isNext && file.position(next.span.start).line === file.position(span.end).line + 1;
    if (isAdjacent) continue;
    add(from, span.end, FoldingRangeKind.Comment);
    from = undefined;
  }
  return [...found.values()].sort((a, b) => a.startLine - b.startLine);
}

function lineBefore(file: SourceFile, { end }: Span): number {
  const { column } = file.position(end);
  return Math.max(0, end - column);
}
