/**
 * Where sizes come from: from a name to the text that gave it its value, to the names in that text, and on, up
 * the chain of blocks.
 *
 * Owns: the steps of that chain, and what a message says of each.
 */
import type { Expression, MemberExpression, NameExpression } from "./ast.ts";
import type { Label } from "./diagnostic.ts";
import type { Derivation, Scope, Written } from "./scope.ts";
import type { Span } from "./source.ts";
import type { Value } from "./value.ts";

/** The place of a size that is computed here, with what it is computed from. */
export function written(expression: Expression, value: Value, scope: Scope): Written | undefined {
  if (expression.kind === "number" || (value.kind !== "int" && value.kind !== "quotient")) return undefined;
  return { span: expression.span, from: { expression, scope } };
}

/** A name in a text, with what it stands for there. */
export interface Step {
  /** As the text has it: `width`, `decoder.width`. */
  readonly name: string;
  readonly value: Value;
  readonly place: Written;
}

/** The sizes that a text takes from elsewhere. Nothing is computed that was not before. */
export function stepsOf({ expression, scope }: Derivation): readonly Step[] {
  return namesIn(expression).flatMap((part): Step[] => {
    const step = part.kind === "name" ? ofName(part, scope) : ofMember(part, scope);
    return step === undefined ? [] : [step];
  });
}

function ofName({ name }: NameExpression, scope: Scope): Step | undefined {
  const slot = scope.lookup(name);
  const value = slot?.peek();
  const place = slot?.source ?? (slot?.span && { span: slot.span, from: undefined });
  return value === undefined || place === undefined ? undefined : { name, value, place };
}

/** `decoder.width`: the parameter of a part, or of a block that has no place yet. */
function ofMember({ object, name: member }: MemberExpression, scope: Scope): Step | undefined {
  if (object.kind !== "name") return undefined;
  const name = `${object.name}.${member.name}`;
  const owner = scope.lookup(object.name)?.peek();
  if (owner?.kind === "template") {
    const given = owner.arguments.get(member.name);
    if (given === undefined) return undefined;
    return { name, value: given.value, place: given.source ?? { span: given.span, from: undefined } };
  }
  if (owner?.kind !== "instance") return undefined;
  for (let part = owner.instance.base ?? owner.instance; ; part = part.base) {
    const inner = part.scope.own(member.name) ?? part.scope.parent?.own(member.name);
    const value = inner?.peek();
    const place = inner?.source ?? (inner?.span && { span: inner.span, from: undefined });
    if (value !== undefined && place !== undefined) return { name, value, place };
    if (part.base === undefined) return undefined;
  }
}

/**
 * Where the sizes in a text got their values, the nearest first, each place once: labels for a message. Text
 * without a tree is read word by word, one step far.
 */
export function originsOfNames(text: Expression | Span, scope: Scope): Label[] {
  const labels: Label[] = [];
  const seen = new Set<string>();
  let steps = "kind" in text ? stepsOf({ expression: text, scope }) : wordsOf(text, scope);
  const own = "kind" in text ? text.span : text;
  while (steps.length > 0) {
    const next: Step[] = [];
    for (const { name, value, place } of steps) {
      const { span, from } = place;
      const key = `${span.file.path}:${span.start}:${span.end}`;
      if (value.kind !== "int" || span === own || seen.has(key)) continue;
      seen.add(key);
      // A symbol stands for itself: nothing is learned from where it was named.
      if (String(value.dim) !== name) labels.push({ span, text: `\`${name}\` is ${value.dim} here` });
      if (from !== undefined) next.push(...stepsOf(from));
    }
    steps = next;
  }
  return labels;
}

function wordsOf(span: Span, scope: Scope): readonly Step[] {
  const words = new Set(sourceText(span).match(/[A-Za-z_][A-Za-z0-9_]*/g) ?? []);
  return [...words].flatMap((name) => {
    const step = ofName({ kind: "name", name, span }, scope);
    return step === undefined ? [] : [step];
  });
}

export function sourceText(span: Span): string {
  return span.file.text.slice(span.start, span.end);
}

/** The tree does not change. */
const known = new WeakMap<Expression, readonly (NameExpression | MemberExpression)[]>();

/** The names in an expression, each once; `a.b` is one. */
function namesIn(expression: Expression): readonly (NameExpression | MemberExpression)[] {
  const before = known.get(expression);
  if (before !== undefined) return before;
  const found = new Map<string, NameExpression | MemberExpression>();
  const visit = (part: Expression): void => {
    if (part.kind === "name") found.set(part.name, part);
    else if (part.kind === "member" && part.object.kind === "name") {
      found.set(`${part.object.name}.${part.name.name}`, part);
    } else for (const inner of partsOf(part)) visit(inner);
  };
  visit(expression);
  const names = [...found.values()];
  known.set(expression, names);
  return names;
}

/** What an expression that can be a size is made of. */
function partsOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case "unary":
      return [expression.operand];
    case "binary":
      return [expression.left, expression.right];
    case "conditional-expression":
      return [expression.condition, expression.consequent, expression.alternate];
    case "call":
      return expression.arguments.map(({ value }) => value);
    case "index":
      return [expression.object];
    case "list":
    case "tuple":
      return expression.items;
    default:
      return [];
  }
}
