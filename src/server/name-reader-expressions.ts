/**
 * Reads the names in expressions and types.
 *
 * Owns: which names an expression uses, and the sizes that a tensor type introduces.
 */
import type {
  Argument,
  BlockDeclaration,
  CallExpression,
  DimExpression,
  Expression,
  Identifier,
  NameExpression,
  TypeExpression,
} from "../lang/ast.ts";
import type { Span } from "../lang/source.ts";
import { NameScope } from "./name-scope.ts";
import type { Meaning, Named, NamedKind, Occurrence } from "./names.ts";

export type Recorder = (name: string, span: Span, meaning: Meaning, role?: Occurrence["role"]) => void;

/** Told of the scope in which a certain name is written. */
export interface NameWatch {
  readonly name: string;
  readonly found: (scope: NameScope) => void;
}

const symbolName = /^[A-Z]/;

export class ExpressionReader {
  readonly record: Recorder;
  readonly #watch: NameWatch | undefined;
  /** The block whose text is read. */
  readonly owner: BlockDeclaration | undefined;

  constructor(record: Recorder, watch: NameWatch | undefined, owner?: BlockDeclaration) {
    this.record = record;
    this.#watch = watch;
    this.owner = owner;
  }

  read(expression: Expression, scope: NameScope): void {
    switch (expression.kind) {
      case "number":
      case "string":
      case "boolean":
      case "error":
        return;
      case "name":
        this.watch(expression.name, scope);
        this.record(expression.name, expression.span, scope.meaning(expression.name));
        return;
      case "list":
      case "tuple":
        for (const item of expression.items) this.read(item, scope);
        return;
      case "comprehension":
        this.#readComprehension(expression, scope);
        return;
      case "range":
        this.read(expression.from, scope);
        this.read(expression.to, scope);
        return;
      case "call":
        this.#readCall(expression, scope, false);
        return;
      case "index":
        this.read(expression.object, scope);
        for (const item of expression.items) {
          if (item.kind === "at") this.read(item.value, scope);
          if (item.kind === "slice") this.#readAll([item.start, item.stop, item.step], scope);
        }
        return;
      case "member":
        this.read(expression.object, scope);
        this.watch(expression.name.name, scope);
        this.record(expression.name.name, expression.name.span, { kind: "member", expression });
        return;
      case "unary":
        this.read(expression.operand, scope);
        return;
      case "binary":
        this.#readAll([expression.left, expression.right], scope);
        return;
      case "conditional-expression":
        this.#readAll([expression.condition, expression.consequent, expression.alternate], scope);
        return;
      case "pipe":
        this.read(expression.left, scope);
        if (expression.right.kind === "call") this.#readCall(expression.right, scope, true);
        else if (expression.right.kind === "name") this.#readCallee(expression.right, scope);
        else this.read(expression.right, scope);
        return;
      case "with":
        this.#readAll([expression.subject, expression.extension], scope);
        return;
      case "site": {
        const site = expression.name.name;
        this.watch(site, scope);
        this.record(site, expression.name.span, { kind: "site", site });
        this.read(expression.subject, scope);
        for (const { name, value } of expression.fields) {
          if (name !== undefined) this.record(name.name, name.span, { kind: "field", site });
          this.read(value, scope);
        }
        return;
      }
    }
  }

  watch(name: string, scope: NameScope): void {
    if (name === this.#watch?.name) this.#watch.found(scope);
  }

  define(
    kind: NamedKind,
    identifier: Identifier,
    scope: NameScope | undefined,
    parts: Partial<Named> & { readonly span: Span },
  ): Named {
    const named = makeNamed(kind, identifier, { owner: this.owner, ...parts });
    if (identifier.name === "_") return named;
    scope?.define(identifier.name, named);
    this.record(identifier.name, identifier.span, { kind: "binding", binding: named }, "definition");
    return named;
  }

  /** Sizes that types introduce, as a call does: those of all types first, then what depends on them. */
  introduceSizes(types: readonly TypeExpression[], scope: NameScope, view = scope): void {
    for (const type of types) {
      if (type.kind !== "tensor-type") continue;
      for (const dim of type.dims) {
        const name = sizeName(dim);
        if (name === undefined || scope.own(name.name) !== undefined) continue;
        if (dim.kind === "dim" && !(symbolName.test(name.name) && view.isFree(name.name))) continue;
        // `*b` lives beside ordinary names without meeting them.
        const key = dim.kind === "variadic-dim" ? `*${name.name}` : name.name;
        if (scope.own(key) !== undefined) continue;
        const named = makeNamed("size", name, { owner: this.owner, span: dim.span });
        scope.define(key, named);
      }
    }
  }

  readType(type: TypeExpression, scope: NameScope): void {
    switch (type.kind) {
      case "named-type":
        this.watch(type.name.name, scope);
        this.record(type.name.name, type.name.span, { kind: "word", word: type.name.name });
        return;
      case "list-type":
        this.readType(type.element, scope);
        return;
      case "union-type":
        return;
      case "tensor-type":
        this.record(type.name.name, type.name.span, { kind: "word", word: type.name.name });
        for (const dim of type.dims) this.#readDim(dim, scope);
        if (type.rate !== undefined) this.read(type.rate, scope);
    }
  }

  #readDim(dim: DimExpression, scope: NameScope): void {
    const name = sizeName(dim);
    if (name === undefined) {
      if (dim.kind === "dim") this.read(dim.value, scope);
      return;
    }
    this.watch(name.name, scope);
    const meaning = scope.meaning(dim.kind === "variadic-dim" ? `*${name.name}` : name.name);
    const isFirst =
      meaning.kind === "binding" && meaning.binding.kind === "size" && meaning.binding.spans[0] === name.span;
    this.record(name.name, name.span, meaning, isFirst ? "definition" : "read");
  }

  #readAll(expressions: readonly (Expression | undefined)[], scope: NameScope): void {
    for (const expression of expressions) if (expression !== undefined) this.read(expression, scope);
  }

  #readComprehension(expression: Extract<Expression, { kind: "comprehension" }>, scope: NameScope): void {
    this.read(expression.iterable, scope);
    const inner = new NameScope(scope);
    const { variable, iterable, span } = expression;
    this.define("variable", variable, inner, { span, value: iterable });
    this.#readAll([expression.condition, expression.element], inner);
  }

  #readCall(call: CallExpression, scope: NameScope, isApplied: boolean): void {
    if (call.callee.kind === "name") this.#readCallee(call.callee, scope);
    else this.read(call.callee, scope);
    this.#readArguments(call.arguments, call, isApplied, scope);
  }

  #readArguments(
    arguments_: readonly Argument[],
    call: CallExpression,
    isApplied: boolean,
    scope: NameScope,
  ): void {
    for (const { name, value } of arguments_) {
      if (name !== undefined) {
        this.watch(name.name, scope);
        this.record(name.name, name.span, { kind: "argument", call, isApplied });
      }
      this.read(value, scope);
    }
  }

  #readCallee(callee: NameExpression, scope: NameScope): void {
    this.watch(callee.name, scope);
    this.record(callee.name, callee.span, scope.calleeMeaning(callee));
  }
}

/** The name of a dimension that is nothing but a name. */
function sizeName(dim: DimExpression): Identifier | undefined {
  if (dim.kind === "variadic-dim") return dim.name;
  return dim.value.kind === "name" ? dim.value : undefined;
}

export function makeNamed(
  kind: NamedKind,
  identifier: Identifier,
  parts: Partial<Named> & { readonly span: Span },
): Named {
  return {
    kind,
    name: identifier.name,
    spans: [identifier.span],
    doc: "",
    type: undefined,
    value: undefined,
    position: undefined,
    block: undefined,
    owner: undefined,
    path: undefined,
    ...parts,
  };
}
