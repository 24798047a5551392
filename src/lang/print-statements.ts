/**
 * Signatures, bodies and statements as documents.
 *
 * Owns: how a signature that is too long is broken, and sequences of lines with the empty lines
 * that their author put between them.
 */
import type {
  Body,
  Expression,
  ForwardMember,
  Identifier,
  RequireMember,
  ResultDeclaration,
  Statement,
} from "./ast.ts";
import {
  blankLine,
  choice,
  concat,
  type Document,
  following,
  group,
  hardLine,
  indent,
  join,
  line,
  type Option,
  series,
} from "./layout-document.ts";
import { ExpressionPrinter, startsWithMinus } from "./print-expressions.ts";
import type { ListItem } from "./print-parts.ts";

/** Columns of what continues a signature: deeper than the body that follows. */
const continuation = 4;

export abstract class StatementPrinter extends ExpressionPrinter {
  // -------------------------------------------------------------- sequences

  /** Parts on lines of their own, with at most one empty line between them. */
  protected sequence(parts: readonly ListItem[]): Document[] {
    return parts.flatMap((part, index) => {
      const isSpaced = index > 0 && this.comments.blankBefore(this.startOf(part.span));
      const printed = this.slot(part.span, { lineEnd: "adjacent" }, part.print);
      return index === 0 ? [printed] : [isSpaced ? blankLine : hardLine, printed];
    });
  }

  /** `{ … }` around a sequence. `from`: where to look for the brace. */
  protected braces(from: number, print: () => readonly Document[]): Document {
    const places = this.comments.brackets(from, "{");
    const opener = this.afterOpener(places?.inside);
    const lines = print();
    const isEmpty = lines.length === 0;
    const dangling = this.dangling(places?.close, !isEmpty);
    if (isEmpty && dangling === "" && opener === "") return "{}";
    return concat(
      "{",
      opener,
      indent(concat(isEmpty ? "" : hardLine, series(lines), dangling)),
      hardLine,
      "}",
    );
  }

  protected hasComments(before: number): boolean {
    return this.comments.firstBefore(before) !== undefined;
  }

  /** `if condition { … } else { … }`, of members or of statements. */
  protected conditional<T extends { readonly span: ListItem["span"] }>(
    node: { condition: Expression; consequent: readonly T[]; alternate: readonly T[] },
    lines: (parts: readonly T[]) => readonly Document[],
    elseIf: (part: T) => (() => Document) | undefined,
  ): Document {
    const { condition, consequent, alternate } = node;
    const head = concat("if ", this.inline(condition), " ");
    const taken = this.braces(condition.span.end, () => lines(consequent));
    const [first, ...others] = alternate;
    if (first === undefined) return concat(head, taken);
    const chained = others.length === 0 ? elseIf(first) : undefined;
    if (chained !== undefined && !this.hasComments(first.span.start)) {
      return concat(head, taken, " else ", chained());
    }
    const from = consequent.at(-1)?.span.end ?? condition.span.end;
    return concat(
      head,
      taken,
      " else ",
      this.braces(this.comments.nextToken(from, "else"), () => lines(alternate)),
    );
  }

  // -------------------------------------------------------------- signatures

  protected signature(
    head: Document,
    node: Omit<ForwardMember, "kind" | "body" | "doc">,
    from: number,
  ): Document {
    const items = node.parameters.map((parameter) => ({
      span: parameter.span,
      print: () => this.typed(parameter.name.name, parameter.type, parameter.initial),
    }));
    const parameters = this.list("()", items, {
      style: "lines",
      from,
      ...(node.open ? { tail: "..." } : {}),
    });
    return this.#withResults(concat(head, parameters), node.results, node.where);
  }

  protected names(identifiers: readonly Identifier[], from: number): Document {
    const items = identifiers.map(({ name, span }) => ({ span, print: () => name }));
    return this.list("()", items, { style: "fill", from });
  }

  /** `-> results where conditions` behind a head with brackets. */
  #withResults(
    head: Document,
    results: readonly ResultDeclaration[],
    where: readonly Expression[],
  ): Document {
    const arrow = results.length === 0 ? undefined : concat("-> ", this.#results(results));
    const conditions =
      where.length === 0
        ? undefined
        : concat(
            "where ",
            join(
              ", ",
              where.map((condition) => this.inline(condition)),
            ),
          );
    if (arrow === undefined && conditions === undefined) return head;
    const parts = [arrow, conditions].flatMap((part) => (part === undefined ? [] : [part]));
    const beside = concat(head, ...parts.map((part) => concat(" ", part)));
    const onNext = (part: Document) => indent(concat(hardLine, part), continuation);
    const options: Option[] = [{ content: beside, fits: "all-lines" }];
    if (arrow !== undefined && conditions !== undefined) {
      options.push({ content: concat(head, " ", arrow, onNext(conditions)), fits: "all-lines" });
    }
    options.push({ content: concat(head, ...parts.map(onNext)), fits: "all-lines" });
    return choice(...options, { content: beside, fits: "all-lines" });
  }

  #results(results: readonly ResultDeclaration[]): Document {
    const items = results.map((result) => ({
      span: result.span,
      print: () => concat(result.name === undefined ? "" : `${result.name.name}: `, this.type(result.type)),
    }));
    const [only] = items;
    // Brackets are only there for several: comments beside a single result go above the member.
    if (only !== undefined && items.length === 1) return only.print();
    const from = this.comments.tokenBefore(only?.span.start ?? 0, "(");
    return this.list("()", items, { style: "lines", from });
  }

  protected results(head: Document, results: readonly ResultDeclaration[]): Document {
    return this.#withResults(head, results, []);
  }

  // -------------------------------------------------------------- bodies

  /** A signature with `= expression` behind it, or braces where there are statements or comments to put in them. */
  protected body(body: Body, signature: Document): Document {
    const { statements, result, span } = body;
    const isBraced = this.comments.followedBy(span.start, "{") && this.hasComments(span.end);
    if (statements.length === 0 && !isBraced) {
      const { document, below } = this.assignment(result);
      if (typeof signature === "string" || signature.kind !== "choice") return concat(signature, document);
      // Under results on a line of their own, the value has one as well.
      const last = signature.options.length - 1;
      const bodies = signature.options.map((_, index) => (index === 0 || index === last ? document : below));
      return concat(signature, following(signature, ...bodies));
    }
    const previous = statements.at(-1);
    const isBound = previous !== undefined && !endsInBrace(previous) && startsWithMinus(result);
    const parts: ListItem[] = [
      ...statements.map((statement) => ({ span: statement.span, print: () => this.statement(statement) })),
      isBound
        ? { span: this.extent(result), print: () => this.parenthesised(result) }
        : { span: result.span, print: () => this.expression(result) },
    ];
    return concat(
      signature,
      " ",
      this.braces(span.start, () => this.sequence(parts)),
    );
  }

  // -------------------------------------------------------------- statements

  protected statement(node: Statement): Document {
    switch (node.kind) {
      case "let":
        return concat("let ", this.#targets(node.names), this.typed("", node.type, node.value));
      case "assign":
        return concat(this.#targets(node.names), this.assigned(node.value));
      case "for": {
        const index = node.index === undefined ? "" : `${node.index.name}, `;
        const head = concat("for ", index, node.variable.name, " in ", this.inline(node.iterable), " ");
        return concat(
          head,
          this.braces(node.iterable.span.end, () => this.#statements(node.statements)),
        );
      }
      case "if":
        return this.conditional(
          node,
          (statements) => this.#statements(statements),
          (statement) => (statement.kind === "if" ? () => this.statement(statement) : undefined),
        );
      case "require":
        return this.require(node);
    }
  }

  #statements(statements: readonly Statement[]): Document[] {
    return this.sequence(
      statements.map((statement) => ({ span: statement.span, print: () => this.statement(statement) })),
    );
  }

  #targets(names: readonly Identifier[]): Document {
    const [only] = names;
    if (only !== undefined && names.length === 1) return only.name;
    return concat("(", names.map(({ name }) => name).join(", "), ")");
  }

  protected require(node: RequireMember): Document {
    const condition = this.inline(node.condition);
    if (node.message === undefined) return concat("require ", condition);
    return group(concat("require ", condition, ",", indent(concat(line, this.string(node.message)))));
  }
}

function endsInBrace(statement: Statement): boolean {
  return statement.kind === "for" || statement.kind === "if";
}
