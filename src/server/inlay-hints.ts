/**
 * Shapes beside `let`s.
 *
 * Owns: which names get one: those whose value is not written out beside them.
 */
import { type InlayHint, InlayHintKind } from "vscode-languageserver";
import type { Expression, Identifier, LetDeclaration, LetStatement } from "../lang/ast.ts";
import type { Value } from "../lang/value.ts";
import { itemsAt, shapeText } from "./hover.ts";
import { positionOf } from "./places.ts";
import { parsedFile } from "./readings.ts";
import { type Node, nodesOf } from "./tree.ts";
import type { OpenDocument, Workspace } from "./workspace.ts";

/** Longer hints push the text away. */
const longestHint = 60;

export function inlayHints(
  { file }: OpenDocument,
  start: number,
  end: number,
  workspace: Workspace,
): InlayHint[] {
  const hints: InlayHint[] = [];
  for (const node of nodesOf(parsedFile(file).unit)) {
    if (!isLet(node) || node.span.end < start || node.span.start > end) continue;
    const values = workspace.values(node.value.span);
    const names = "names" in node ? node.names : [node.name];
    for (const [i, name] of names.entries()) {
      if (name.name === "_" || name.span.end === name.span.start) continue;
      const known = itemsAt(values, names.length === 1 ? undefined : i);
      const hint = hintOf(name, known.length > 0 ? known : workspace.values(name.span), node.value);
      if (hint !== undefined) hints.push(hint);
    }
  }
  return hints;
}

function hintOf(name: Identifier, values: readonly Value[], expression: Expression): InlayHint | undefined {
  const [first] = values;
  const text = shapeText(values);
  if (first === undefined || text === undefined) return undefined;
  const { file } = name.span;
  const label = text.length > longestHint ? `${text.slice(0, longestHint)}…` : text;
  if (first.kind === "tensor") {
    return { position: positionOf(file, name.span.end), label: `: ${label}`, kind: InlayHintKind.Type };
  }
  const isComputed = expression.kind !== "number" && (first.kind === "int" || first.kind === "real");
  const written = file.text.slice(expression.span.start, expression.span.end);
  if (!isComputed || written.replace(/\s/g, "") === text.replace(/\s/g, "")) return undefined;
  return {
    position: positionOf(file, expression.span.end),
    label: `= ${label}`,
    kind: InlayHintKind.Type,
    paddingLeft: true,
  };
}

type Let = LetDeclaration | LetStatement;

function isLet(node: Node): node is Let {
  return node.kind === "let";
}
