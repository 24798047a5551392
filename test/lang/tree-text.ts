/**
 * Syntax trees as short text, so that a test can state one in a line: `(+ a (* b c))`.
 */
import type { Argument, DimExpression, Expression, IndexItem, TypeExpression } from "../../src/lang/ast.ts";

export function expressionText(node: Expression): string {
  switch (node.kind) {
    case "number":
      return `${node.text}${node.unit ?? ""}`;
    case "string":
      return JSON.stringify(node.value);
    case "boolean":
      return String(node.value);
    case "name":
      return node.name;
    case "list":
      return `[${node.items.map(expressionText).join(" ")}]`;
    case "comprehension": {
      const condition = node.condition === undefined ? "" : ` if ${expressionText(node.condition)}`;
      const { element, variable, iterable } = node;
      return `[${expressionText(element)} for ${variable.name} in ${expressionText(iterable)}${condition}]`;
    }
    case "range":
      return `(.. ${expressionText(node.from)} ${expressionText(node.to)})`;
    case "tuple":
      return `(tuple ${node.items.map(expressionText).join(" ")})`;
    case "call":
      return `(call ${[expressionText(node.callee), ...node.arguments.map(argumentText)].join(" ")})`;
    case "index":
      return `(index ${[expressionText(node.object), ...node.items.map(indexText)].join(" ")})`;
    case "member":
      return `(. ${expressionText(node.object)} ${node.name.name})`;
    case "unary":
      return `(${node.operator} ${expressionText(node.operand)})`;
    case "binary":
      return `(${node.operator} ${expressionText(node.left)} ${expressionText(node.right)})`;
    case "conditional-expression":
      return `(if ${[node.condition, node.consequent, node.alternate].map(expressionText).join(" ")})`;
    case "pipe":
      return `(|> ${expressionText(node.left)} ${expressionText(node.right)})`;
    case "with":
      return `(with ${expressionText(node.subject)} ${expressionText(node.extension)})`;
    case "site":
      return `(site ${[node.name.name, expressionText(node.subject), ...node.fields.map(argumentText)].join(" ")})`;
    case "error":
      return "<error>";
  }
}

function argumentText({ name, value }: Argument): string {
  return name === undefined ? expressionText(value) : `${name.name}: ${expressionText(value)}`;
}

function indexText(item: IndexItem): string {
  if (item.kind === "ellipsis") return "...";
  if (item.kind === "at") return expressionText(item.value);
  const [start, stop, step] = [item.start, item.stop, item.step].map((part) =>
    part === undefined ? "" : expressionText(part),
  );
  return `${start}:${stop}:${step}`;
}

export function typeText(type: TypeExpression): string {
  switch (type.kind) {
    case "named-type":
      return type.name.name;
    case "list-type":
      return `[${typeText(type.element)}]`;
    case "union-type":
      return type.options.map(({ value }) => JSON.stringify(value)).join(" | ");
    case "tensor-type": {
      const rate = type.rate === undefined ? "" : ` @ ${expressionText(type.rate)}`;
      return `${type.name.name}[${type.dims.map(dimText).join(", ")}]${rate}`;
    }
  }
}

function dimText(dim: DimExpression): string {
  return dim.kind === "dim" ? expressionText(dim.value) : `*${dim.name.name}`;
}
