/**
 * Expressions and types as documents.
 *
 * Owns: where parentheses are written and where an expression may break. Parentheses stand where
 * precedence (operators.ts) needs them, and where few readers know it by heart: around `@` or `%`
 * beside `*` and `/`, `&&` inside `||`, and a choice inside anything but a place of its own.
 */
import type {
  Argument,
  ConditionalExpression,
  DimExpression,
  Expression,
  IndexItem,
  StringLiteral,
  TypeExpression,
} from "./ast.ts";
import {
  breaksLayout,
  choice,
  concat,
  type Document,
  group,
  hardLine,
  indent,
  join,
  line,
  type Option,
  series,
  softLine,
} from "./layout-document.ts";
import { writeString } from "./literals.ts";
import { precedenceOf, rangePrecedence, unchainable } from "./operators.ts";
import { type ListItem, PartPrinter, type SlotOptions } from "./print-parts.ts";
import type { Span } from "./source.ts";

/** How tightly an expression binds; the binary operators lie between. */
const tightness = { pipe: -2, choice: -1, loosest: 0, unary: 100, postfix: 101, primary: 102 } as const;

const singular: ReadonlySet<string> = new Set(["@", "%"]);

interface Link {
  readonly operator: string;
  readonly operand: Expression;
}

interface Pipeline {
  readonly document: Document;
  /** With each operator on a line of its own. */
  readonly broken: Document;
}

interface PrintedLink {
  readonly document: Document;
  /** Has comments of its own, beside those in its brackets. */
  readonly commented: boolean;
}

export abstract class ExpressionPrinter extends PartPrinter {
  // -------------------------------------------------------------- places of expressions

  /** `= value` with what belongs before it: on the same line, on the next, or broken behind the `=`. */
  protected assigned(value: Expression): Document {
    return this.assignment(value).document;
  }

  /** Also with the value below in any case. */
  protected assignment(value: Expression): { readonly document: Document; readonly below: Document } {
    let pipeline: Pipeline | undefined;
    let bare: Document = "";
    const printed = this.slot(value.span, { lineEnd: "none" }, () => {
      if (value.kind === "pipe" || value.kind === "with") pipeline = this.#pipeline(value, false);
      bare = pipeline?.document ?? this.expression(value, tightness.pipe, false);
      return bare;
    });
    const onNext = (content: Document) => concat(" =", indent(concat(hardLine, content)));
    const below: Option = { content: onNext(printed), fits: "all-lines" };
    if (printed !== bare) return { document: below.content, below: below.content };
    const beside: Option = { content: concat(" = ", printed), fits: "all-lines" };
    if (breaksLayout(printed) && opensBracket(value))
      return { document: beside.content, below: below.content };
    const options = [beside, below];
    if (pipeline !== undefined) options.push({ content: onNext(pipeline.broken), fits: "all-lines" });
    if (opensBracket(value)) options.push({ ...beside, fits: "first-line" });
    return { document: choice(...options, below), below: below.content };
  }

  /** What a keyword takes on its line: a condition, what to go through. */
  protected inline(value: Expression): Document {
    const isChoice = value.kind === "conditional-expression";
    return indent(isChoice ? this.parenthesised(value) : this.expression(value, tightness.pipe, false));
  }

  /** `minimum`: what binds more loosely is put in parentheses. `indented`: lines after the first. */
  protected expression(node: Expression, minimum: number = tightness.pipe, indented = true): Document {
    return tightnessOf(node) >= minimum ? this.#bare(node, indented) : this.parenthesised(node);
  }

  protected parenthesised(node: Expression): Document {
    const inner = this.slot(node.span, { lineEnd: "adjacent" }, () => this.#bare(node, false));
    return group(concat("(", indent(concat(softLine, inner)), softLine, ")"));
  }

  /** An operand with comments of its own: before it, and before its parentheses where it gets any. */
  #operand(
    node: Expression,
    minimum: number,
    options: SlotOptions,
    print: (bare: Document) => Document = (bare) => bare,
  ): Document {
    const span = tightnessOf(node) >= minimum ? node.span : this.extent(node);
    return this.slot(span, options, () => print(this.expression(node, minimum, false)));
  }

  /** A part with the parentheses around it, which its node leaves out. */
  protected extent({ span }: Expression): Span {
    const start = this.comments.tokenBefore(span.start, "(");
    const end = this.comments.nextToken(span.end, ")") + 1;
    const isEnclosed = start < span.start && this.comments.followedBy(span.end, ")");
    return isEnclosed ? { ...span, start, end } : span;
  }

  #bare(node: Expression, indented: boolean): Document {
    switch (node.kind) {
      case "number":
        return node.text + (node.unit ?? "");
      case "string":
        return this.string(node);
      case "boolean":
        return String(node.value);
      case "name":
        return node.name;
      case "list":
        return this.list("[]", this.#items(node.items), { style: "auto", from: node.span.start });
      case "tuple":
        return this.list("()", this.#items(node.items), {
          style: "auto",
          from: node.span.start,
          lastComma: node.items.length === 1,
        });
      case "comprehension": {
        const parts = [
          this.#operand(node.element, tightness.choice, { lineEnd: "adjacent" }),
          concat("for ", node.variable.name, " in ", this.#clause(node.iterable)),
        ];
        if (node.condition !== undefined) parts.push(concat("if ", this.#clause(node.condition)));
        return group(concat("[", indent(concat(softLine, join(line, parts))), softLine, "]"));
      }
      case "range":
        return concat(
          this.expression(node.from, rangePrecedence + 1),
          "..",
          this.expression(node.to, rangePrecedence + 1),
        );
      case "call":
        return concat(
          this.expression(node.callee, tightness.postfix),
          this.#arguments(node.arguments, node.callee.span.end),
        );
      case "index":
        return concat(
          this.expression(node.object, tightness.postfix),
          this.list(
            "[]",
            node.items.map((item) => ({ span: item.span, print: () => this.#indexItem(item) })),
            { style: "auto", from: node.object.span.end },
          ),
        );
      case "member":
        return concat(this.expression(node.object, tightness.postfix), ".", node.name.name);
      case "unary":
        return concat(node.operator, this.expression(node.operand, tightness.unary));
      case "binary":
        return this.#operation(node, indented);
      case "conditional-expression":
        return this.#choice(node);
      case "pipe":
      case "with":
        return this.#pipeline(node, indented).document;
      case "site": {
        const subject = { name: undefined, value: node.subject, span: node.subject.span };
        return concat(
          "site ",
          node.name.name,
          this.#arguments([subject, ...node.fields], node.name.span.end),
        );
      }
      case "error":
        return "";
    }
  }

  protected string(node: StringLiteral): string {
    return writeString(node.value);
  }

  // -------------------------------------------------------------- in brackets

  #items(nodes: readonly Expression[]): ListItem[] {
    return nodes.map((node) => ({ span: node.span, print: () => this.expression(node, tightness.pipe) }));
  }

  #arguments(args: readonly Argument[], from: number): Document {
    const items = args.map(({ name, value, span }) => ({
      span,
      print: () => concat(name === undefined ? "" : `${name.name}: `, this.expression(value, tightness.pipe)),
    }));
    return this.list("()", items, { style: "auto", from });
  }

  #indexItem(item: IndexItem): Document {
    if (item.kind === "ellipsis") return "...";
    const part = (node: Expression | undefined) =>
      node === undefined ? "" : this.expression(node, tightness.loosest);
    if (item.kind === "at") return this.expression(item.value, tightness.pipe);
    const bounds = concat(part(item.start), ":", part(item.stop));
    return item.step === undefined ? bounds : concat(bounds, ":", part(item.step));
  }

  /** A part of a comprehension. */
  #clause(node: Expression): Document {
    return indent(this.expression(node, tightness.loosest));
  }

  // -------------------------------------------------------------- chains

  #operation(node: Expression & { kind: "binary" }, indented: boolean): Document {
    const precedence = precedenceOf(node.operator);
    const links: Link[] = [];
    let first: Expression = node;
    while (first.kind === "binary" && precedenceOf(first.operator) === precedence) {
      const right = links[0]?.operator;
      if (right !== undefined && (unchainable.has(precedence) || !mayMix(first.operator, right))) break;
      links.unshift({ operator: first.operator, operand: first.right });
      first = first.left;
    }
    const minimum = (operand: Expression) => {
      const isAndInOr = operand.kind === "binary" && operand.operator === "&&" && node.operator === "||";
      // Chains of one level are flat by now: what is left of that level has its parentheses.
      return precedence + (isAndInOr ? 2 : 1);
    };
    const [head, ...rest] = this.#links(first, links, minimum);
    const tail = series(rest.map(({ document }) => concat(line, document)));
    return group(concat(head.document, indented ? indent(tail) : tail));
  }

  #pipeline(node: Expression, indented: boolean): Pipeline {
    const links: Link[] = [];
    let first = node;
    while (first.kind === "pipe" || first.kind === "with") {
      const [left, operand] =
        first.kind === "pipe" ? [first.left, first.right] : [first.subject, first.extension];
      links.unshift({ operator: first.kind === "pipe" ? "|>" : "with", operand });
      first = left;
    }
    const [head, ...rest] = this.#links(first, links, () => tightness.loosest);
    const below = series(rest.map(({ document }) => concat(hardLine, document)));
    const broken = concat(head.document, indented ? indent(below) : below);
    if ([head, ...rest].some(({ commented }) => commented)) return { document: broken, broken };
    const beside = concat(head.document, series(rest.map(({ document }) => concat(" ", document))));
    if (breaksLayout(head.document) && opensBracket(first)) return { document: beside, broken };
    const options: Option[] = [
      { content: beside, fits: "all-lines" },
      { content: broken, fits: "all-lines" },
    ];
    // A head that is itself too long is broken in its brackets, and the rest stays behind them.
    if (opensBracket(first)) options.push({ content: beside, fits: "first-line" });
    return { document: choice(...options, { content: broken, fits: "all-lines" }), broken };
  }

  /** The operands of a chain, each with the operator before it. */
  #links(
    first: Expression,
    links: readonly Link[],
    minimum: (operand: Expression) => number,
  ): [PrintedLink, ...PrintedLink[]] {
    const link = (operand: Expression, operator: string, options: SlotOptions): PrintedLink => {
      let alone: Document = "";
      const document = this.#operand(operand, minimum(operand), options, (bare) => {
        alone = concat(operator, bare);
        return alone;
      });
      return { document, commented: document !== alone };
    };
    return [
      link(first, "", { lineEnd: "adjacent", inside: "later" }),
      ...links.map(({ operator, operand }, index) => {
        const isLast = index === links.length - 1;
        return link(operand, `${operator} `, { lineEnd: isLast ? "none" : "adjacent", isOperand: true });
      }),
    ];
  }

  #choice(node: ConditionalExpression): Document {
    const branches: Document[] = [];
    let current = node;
    let prefix = "";
    for (;;) {
      const condition = indent(this.expression(current.condition, tightness.loosest));
      const { consequent, alternate } = current;
      const taken = this.#branch(consequent, tightness.loosest, { lineEnd: "adjacent" });
      branches.push(concat(prefix, "if ", condition, " then", taken));
      prefix = "else ";
      const isLast = alternate.kind !== "conditional-expression";
      if (isLast || this.comments.firstBefore(alternate.span.start) !== undefined) {
        branches.push(concat("else", this.#branch(alternate, tightness.choice, { lineEnd: "none" })));
        // Three values or more are read as a table.
        return group(join(branches.length > 2 ? hardLine : line, branches));
      }
      current = alternate;
    }
  }

  #branch(value: Expression, minimum: number, options: SlotOptions): Document {
    return group(indent(concat(line, this.#operand(value, minimum, options))));
  }

  // -------------------------------------------------------------- types

  protected type(node: TypeExpression): Document {
    switch (node.kind) {
      case "named-type":
        return node.name.name;
      case "list-type":
        return concat("[", this.type(node.element), "]");
      case "union-type": {
        const [first = "", ...rest] = node.options.map((option) => this.string(option));
        return group(concat(first, indent(series(rest.map((option) => concat(line, "| ", option))))));
      }
      case "tensor-type": {
        const dims = node.dims.map((dim) => ({ span: dim.span, print: () => this.#dim(dim) }));
        const shape = this.list("[]", dims, { style: "fill", from: node.name.span.end });
        const { rate } = node;
        return concat(
          node.name.name,
          shape,
          rate === undefined ? "" : concat(" @ ", this.expression(rate, tightness.postfix)),
        );
      }
    }
  }

  #dim(dim: DimExpression): Document {
    return dim.kind === "variadic-dim" ? `*${dim.name.name}` : this.expression(dim.value, tightness.pipe);
  }

  /** `name: type = value` */
  protected typed(name: string, type: TypeExpression | undefined, value: Expression | undefined): Document {
    return concat(
      name,
      type === undefined ? "" : concat(": ", this.type(type)),
      value === undefined ? "" : this.assigned(value),
    );
  }
}

function tightnessOf(node: Expression): number {
  switch (node.kind) {
    case "pipe":
    case "with":
      return tightness.pipe;
    case "conditional-expression":
      return tightness.choice;
    case "binary":
      return precedenceOf(node.operator);
    case "range":
      return rangePrecedence;
    case "unary":
      return tightness.unary;
    case "call":
    case "index":
    case "member":
      return tightness.postfix;
    default:
      return tightness.primary;
  }
}

/** Whether two operators of one level may stand side by side without parentheses. */
function mayMix(left: string, right: string): boolean {
  return left === right || !(singular.has(left) || singular.has(right));
}

/** Whether a value begins on its line and goes on inside brackets. */
function opensBracket(node: Expression): boolean {
  switch (node.kind) {
    case "call":
      return node.callee.kind === "name" || node.callee.kind === "member";
    case "list":
    case "comprehension":
    case "tuple":
    case "site":
      return true;
    case "with":
      return opensBracket(node.subject);
    default:
      return false;
  }
}

/** Whether the text of an expression begins with `-`, which the line before would take for its own. */
export function startsWithMinus(node: Expression): boolean {
  switch (node.kind) {
    case "unary":
      return node.operator === "-";
    case "binary":
      return tightnessOf(node.left) >= precedenceOf(node.operator) && startsWithMinus(node.left);
    case "range":
      return startsWithMinus(node.from);
    case "pipe":
      return startsWithMinus(node.left);
    case "with":
      return startsWithMinus(node.subject);
    default:
      return false;
  }
}
