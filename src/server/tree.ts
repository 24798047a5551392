/**
 * Finding nodes of a syntax tree by their place.
 *
 * Owns: walking any node without knowing its kind.
 */
import type { CallExpression, Expression, HandlerMember } from "../lang/ast.ts";
import type { Span } from "../lang/source.ts";

export interface Node {
  readonly kind: string;
  readonly span: Span;
}

const expressionKinds: ReadonlySet<string> = new Set<Expression["kind"]>([
  "number",
  "string",
  "boolean",
  "name",
  "list",
  "comprehension",
  "range",
  "tuple",
  "call",
  "index",
  "member",
  "unary",
  "binary",
  "conditional-expression",
  "pipe",
  "with",
  "site",
  "error",
]);

export function isExpression(node: Node): node is Expression {
  return expressionKinds.has(node.kind);
}

export function isCall(node: Node): node is CallExpression {
  return node.kind === "call";
}

export function isHandler(node: Node): node is HandlerMember {
  return node.kind === "handler";
}

function isNode(value: object): value is Node {
  return "kind" in value && typeof value.kind === "string" && "span" in value;
}

/** The parts of a node, in the order in which it holds them. */
function* partsOf(node: object): Iterable<object> {
  for (const [key, value] of Object.entries(node)) {
    if (key === "span" || key === "operatorSpan" || key === "file") continue;
    if (typeof value === "object" && value !== null) yield value;
  }
}

/** Every node that an offset lies in or at the edge of, the outermost first. */
export function nodesAt(root: object, offset: number): readonly Node[] {
  const found: Node[] = [];
  const visit = (part: object): void => {
    const span = spanOf(part);
    if (span !== undefined && (span.start > offset || offset > span.end)) return;
    if (isNode(part)) found.push(part);
    for (const inner of partsOf(part)) visit(inner);
  };
  for (const part of partsOf(root)) visit(part);
  // Neighbours that touch at the offset: what begins there comes last, as what lies inside does.
  return found.sort((a, b) => a.span.start - b.span.start || b.span.end - a.span.end);
}

function spanOf(part: object): { readonly start: number; readonly end: number } | undefined {
  if (!("span" in part) || typeof part.span !== "object" || part.span === null) return undefined;
  const { span } = part;
  if (!("start" in span) || !("end" in span)) return undefined;
  return typeof span.start === "number" && typeof span.end === "number"
    ? { start: span.start, end: span.end }
    : undefined;
}

/** The smallest expression that an offset lies in. */
export function expressionAt(root: object, offset: number): Expression | undefined {
  return nodesAt(root, offset).findLast(isExpression);
}

/** Every node below `root`, outer ones first. */
export function* nodesOf(root: object): Iterable<Node> {
  for (const part of partsOf(root)) {
    if (isNode(part)) yield part;
    yield* nodesOf(part);
  }
}
