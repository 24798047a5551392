/**
 * The grammar of types and expressions.
 *
 * Owns: one rule for each construct, from the loosest to the tightest binding. Binary operators
 * are one flat rule (operators.ts binds them), which keeps the descent shallow. Statements and
 * declarations are grammar.ts.
 */
import type {
  Argument,
  DimExpression,
  Expression,
  Identifier,
  IndexItem,
  StringLiteral,
  TypeExpression,
  UnaryOperator,
} from "./ast.ts";
import { RecoveringParser, type Rule } from "./grammar-recovery.ts";
import { readNumber, readString } from "./literals.ts";
import { type Operand, OperatorChain } from "./operators.ts";
import type { Span } from "./source.ts";
import { syntaxError } from "./syntax-messages.ts";
import {
  At,
  Bar,
  BinaryOperator,
  Colon,
  Comma,
  Dot,
  Ellipsis,
  Else,
  False,
  For,
  If,
  In,
  isToken,
  LeftBracket,
  LeftParen,
  Name,
  NumberToken,
  PipeOperator,
  PrefixOperator,
  RightBracket,
  RightParen,
  Site,
  Star,
  StringToken,
  Then,
  type Token,
  True,
  With,
  Word,
} from "./tokens.ts";

export const errorExpression = (span: Span): Expression => ({ kind: "error", span });
export const wantsName = { ERR_MSG: "a name" };

export abstract class ExpressionParser extends RecoveringParser {
  // -------------------------------------------------------------- names and literals

  readonly name: Rule<Identifier> = this.RULE(
    "name",
    (): Identifier => this.identifier(this.CONSUME(Name, wantsName)),
  );

  readonly string: Rule<StringLiteral> = this.RULE("string", (): StringLiteral => {
    const token = this.CONSUME(StringToken, { ERR_MSG: "a string" });
    return { kind: "string", value: readString(token.image).value, span: this.spanOf(token) };
  });

  protected identifier(token: Token): Identifier {
    return { name: token.image, span: this.spanOf(token) };
  }

  // -------------------------------------------------------------- types

  readonly type: Rule<TypeExpression> = this.RULE("type", (): TypeExpression => {
    this.descend();
    const type = this.OR({
      DEF: [
        { ALT: () => this.SUBRULE(this.unionType) },
        { ALT: () => this.SUBRULE(this.listType) },
        { ALT: () => this.SUBRULE(this.namedType) },
      ],
      ERR_MSG: "a type",
    });
    this.ascend();
    return type;
  });

  readonly unionType: Rule<TypeExpression> = this.RULE("unionType", (): TypeExpression => {
    const first = this.next();
    const options = [this.SUBRULE(this.string)];
    this.MANY(() => {
      this.CONSUME(Bar);
      options.push(this.SUBRULE2(this.string));
    });
    return { kind: "union-type", options, span: this.spanFrom(first) };
  });

  readonly listType: Rule<TypeExpression> = this.RULE("listType", (): TypeExpression => {
    const first = this.next();
    this.CONSUME(LeftBracket);
    const element = this.SUBRULE(this.type);
    this.CONSUME(RightBracket);
    return { kind: "list-type", element, span: this.spanFrom(first) };
  });

  readonly namedType: Rule<TypeExpression> = this.RULE("namedType", (): TypeExpression => {
    const first = this.next();
    const name = this.SUBRULE(this.name);
    let dims: DimExpression[] | undefined;
    let rate: Expression | undefined;
    this.OPTION({
      GATE: () => this.continuesLine(),
      DEF: () => {
        this.CONSUME(LeftBracket);
        dims = this.items<DimExpression>(1, this.dim, "a dimension", (span) => ({
          kind: "dim",
          value: errorExpression(span),
          span,
        }));
        this.CONSUME(RightBracket);
        this.OPTION2(() => {
          this.CONSUME(At);
          rate = this.SUBRULE(this.postfix);
        });
      },
    });
    const span = this.spanFrom(first);
    return dims === undefined
      ? { kind: "named-type", name, span }
      : { kind: "tensor-type", name, dims, rate, span };
  });

  readonly dim: Rule<DimExpression> = this.RULE("dim", (): DimExpression => {
    const first = this.next();
    return this.OR<DimExpression>({
      DEF: [
        {
          ALT: () => {
            this.CONSUME(Star);
            const name = this.SUBRULE(this.name);
            return { kind: "variadic-dim", name, span: this.spanFrom(first) };
          },
        },
        {
          ALT: () => {
            const value = this.SUBRULE(this.expression);
            return { kind: "dim", value, span: this.spanFrom(first) };
          },
        },
      ],
      ERR_MSG: "a dimension",
    });
  });

  // -------------------------------------------------------------- operators

  // Expressions nest: see `choose` and `repeat` for why these rules avoid OR and MANY.
  readonly expression: Rule<Expression> = this.RULE("expression", (): Expression => {
    this.descend();
    const first = this.next();
    let left = this.#withoutPipe(1);
    let height = this.height;
    this.MANY(() => {
      const operator = this.CONSUME(PipeOperator);
      const right = this.#withoutPipe(2);
      const span = this.spanFrom(first);
      left = isToken(operator, With)
        ? { kind: "with", subject: left, extension: right, span }
        : { kind: "pipe", left, right, span };
      this.grow(Math.max(height, this.height), first);
      height = this.height;
    });
    this.height = height;
    this.ascend();
    return left;
  });

  #withoutPipe(index: number): Expression {
    return this.choose(index, this.#operandKind, [
      () => this.subrule(index, this.ifExpression),
      () => this.subrule(index, this.binary),
    ]);
  }

  readonly #operandKind = () => (this.nextIs(If) ? 0 : 1);

  readonly ifExpression: Rule<Expression> = this.RULE("ifExpression", (): Expression => {
    this.descend();
    const first = this.CONSUME(If);
    const condition = this.SUBRULE(this.expression);
    let height = this.height;
    this.CONSUME(Then, { ERR_MSG: "`then`" });
    const consequent = this.#withoutPipe(1);
    height = Math.max(height, this.height);
    this.CONSUME(Else, { ERR_MSG: "`else` and a second value" });
    const alternate = this.#withoutPipe(2);
    this.grow(Math.max(height, this.height), first);
    this.ascend();
    return { kind: "conditional-expression", condition, consequent, alternate, span: this.spanFrom(first) };
  });

  readonly binary: Rule<Expression> = this.RULE("binary", (): Expression => {
    const first = this.next();
    const node = this.#unary(1);
    let chain: OperatorChain | undefined;
    this.MANY(() => {
      chain ??= new OperatorChain(this.#operand(node, first), (operator) => this.#reportChained(operator));
      const operator = this.CONSUME(BinaryOperator);
      const start = this.next();
      const right = this.#unary(2);
      chain.push(operator.image, this.spanOf(operator), this.#operand(right, start));
    });
    if (chain === undefined) return node;
    const bound = chain.finish();
    this.grow(bound.height - 1, first);
    return bound.node;
  });

  #operand(node: Expression, first: Token): Operand {
    return { node, height: this.height, span: this.spanFrom(first) };
  }

  #reportChained(span: Span): void {
    const written = span.file.text.slice(span.start, span.end);
    this.report(
      syntaxError(span, `\`${written}\` cannot follow another one in a chain.`, "chained here", {
        hint: written === ".." ? "a range has two ends" : "compare twice and join with `&&`",
      }),
    );
  }

  #unary(index: number): Expression {
    const operators: Token[] = [];
    this.many(index, () => operators.push(this.consume(index, PrefixOperator)));
    let operand = this.subrule(index, this.postfix);
    for (const token of operators.reverse()) {
      const operator: UnaryOperator = token.image === "!" ? "!" : "-";
      operand = { kind: "unary", operator, operand, span: this.spanFrom(token) };
      this.grow(this.height, token);
    }
    return operand;
  }

  // -------------------------------------------------------------- postfix and primary

  readonly postfix: Rule<Expression> = this.RULE("postfix", (): Expression => {
    const first = this.next();
    let left = this.#primary();
    let height = this.height;
    this.repeat(1, this.#startsSuffix, () => {
      this.height = 0;
      left = this.choose<Expression>(2, this.#suffixKind, [
        () => {
          const args = this.SUBRULE(this.callArguments);
          return { kind: "call", callee: left, arguments: args, span: this.spanFrom(first) };
        },
        () => {
          const items = this.SUBRULE(this.indexItems);
          return { kind: "index", object: left, items, span: this.spanFrom(first) };
        },
        () => {
          this.CONSUME(Dot);
          const name = this.identifier(this.CONSUME(Word, wantsName));
          return { kind: "member", object: left, name, span: this.spanFrom(first) };
        },
      ]);
      this.grow(Math.max(height, this.height), first);
      height = this.height;
    });
    this.height = height;
    return left;
  });

  /** A bracket on a new line begins something new. */
  readonly #startsSuffix = () =>
    this.nextIs(Dot) || ((this.nextIs(LeftParen) || this.nextIs(LeftBracket)) && this.continuesLine());

  readonly #suffixKind = () => (this.nextIs(LeftParen) ? 0 : this.nextIs(LeftBracket) ? 1 : 2);

  readonly callArguments: Rule<Argument[]> = this.RULE("callArguments", (): Argument[] => {
    this.CONSUME(LeftParen);
    const args = this.items<Argument>(1, this.argument, "an argument", (span) => ({
      name: undefined,
      value: errorExpression(span),
      span,
    }));
    this.CONSUME(RightParen);
    return args;
  });

  readonly argument: Rule<Argument> = this.RULE("argument", (): Argument => {
    const first = this.next();
    let name: Identifier | undefined;
    this.OPTION(() => {
      name = this.SUBRULE(this.name);
      this.CONSUME(Colon);
    });
    const value = this.SUBRULE(this.expression);
    return { name, value, span: this.spanFrom(first) };
  });

  readonly indexItems: Rule<IndexItem[]> = this.RULE("indexItems", (): IndexItem[] => {
    this.CONSUME(LeftBracket);
    if (this.nextIs(RightBracket)) this.reportExpected("an index");
    const items = this.items<IndexItem>(1, this.indexItem, "an index", (span) => ({
      kind: "at",
      value: errorExpression(span),
      span,
    }));
    this.CONSUME(RightBracket);
    return items;
  });

  readonly indexItem: Rule<IndexItem> = this.RULE("indexItem", (): IndexItem => {
    const first = this.next();
    return this.OR<IndexItem>({
      DEF: [
        {
          ALT: () => {
            this.CONSUME(Ellipsis);
            return { kind: "ellipsis", span: this.spanFrom(first) };
          },
        },
        { ALT: () => this.SUBRULE(this.sliceRest, { ARGS: [undefined, first] }) },
        {
          ALT: () => {
            const value = this.SUBRULE(this.expression);
            const slice = this.OPTION(() => this.SUBRULE2(this.sliceRest, { ARGS: [value, first] }));
            return slice ?? { kind: "at", value, span: this.spanFrom(first) };
          },
        },
      ],
      ERR_MSG: "an index",
    });
  });

  /** `: stop : step` after the start of a slice. */
  readonly sliceRest = this.RULE("sliceRest", (start?: Expression, first?: Token): IndexItem => {
    let tallest = this.height;
    const colon = this.CONSUME(Colon);
    const stop = this.OPTION1(() => this.SUBRULE(this.expression));
    tallest = Math.max(tallest, this.height);
    const step = this.OPTION2(() => {
      this.CONSUME2(Colon);
      return this.OPTION3(() => this.SUBRULE2(this.expression));
    });
    this.height = Math.max(tallest, this.height);
    return { kind: "slice", start, stop, step, span: this.spanFrom(first ?? colon) };
  });

  #primary(): Expression {
    this.height = 1;
    return this.or<Expression>(1, {
      DEF: [
        {
          GATE: () => this.continuesLine(2) && this.nextIs(LeftParen, 3),
          ALT: () => this.SUBRULE(this.site),
        },
        {
          ALT: () => {
            const token = this.CONSUME(Name);
            return { kind: "name", name: token.image, span: this.spanOf(token) };
          },
        },
        {
          ALT: () => {
            const token = this.CONSUME(NumberToken);
            const { text, unit } = readNumber(token.image);
            return { kind: "number", text, unit, span: this.spanOf(token) };
          },
        },
        { ALT: () => this.SUBRULE(this.string) },
        {
          ALT: () => ({ kind: "boolean", value: true, span: this.spanOf(this.CONSUME(True)) }),
        },
        {
          ALT: () => ({ kind: "boolean", value: false, span: this.spanOf(this.CONSUME(False)) }),
        },
        { ALT: () => this.SUBRULE(this.listOrComprehension) },
        { ALT: () => this.SUBRULE(this.parenthesised) },
      ],
      ERR_MSG: "an expression",
    });
  }

  readonly listOrComprehension: Rule<Expression> = this.RULE("listOrComprehension", (): Expression => {
    const first = this.CONSUME(LeftBracket);
    const items = this.items<Expression>(1, this.expression, "an item", errorExpression, For);
    let height = this.height;
    const generator = this.OPTION(() => {
      if (items.length !== 1) this.reportExpected("exactly one element before `for`");
      this.CONSUME(For);
      const variable = this.SUBRULE(this.name);
      this.CONSUME(In, { ERR_MSG: "`in` and what to go through" });
      const iterable = this.SUBRULE(this.expression);
      height = Math.max(height, this.height);
      const condition = this.OPTION2(() => {
        this.CONSUME(If);
        return this.SUBRULE2(this.expression);
      });
      height = Math.max(height, this.height);
      return { variable, iterable, condition };
    });
    this.CONSUME(RightBracket, { ERR_MSG: "`]`" });
    this.grow(height, first);
    const span = this.spanFrom(first);
    if (generator === undefined) return { kind: "list", items, span };
    return { kind: "comprehension", element: items[0] ?? errorExpression(span), ...generator, span };
  });

  readonly parenthesised: Rule<Expression> = this.RULE("parenthesised", (): Expression => {
    const first = this.CONSUME(LeftParen);
    if (this.nextIs(RightParen)) this.reportExpected("an expression");
    const items = this.items<Expression>(1, this.expression, "an expression", errorExpression);
    const isTuple = items.length > 1 || isToken(this.next(0), Comma);
    this.CONSUME(RightParen);
    const span = this.spanFrom(first);
    const only = items[0];
    if (only === undefined) return errorExpression(span);
    if (!isTuple) return only;
    this.grow(this.height, first);
    return { kind: "tuple", items, span };
  });

  readonly site: Rule<Expression> = this.RULE("site", (): Expression => {
    const first = this.CONSUME(Site);
    const name = this.SUBRULE(this.name);
    const args = this.SUBRULE(this.callArguments);
    this.grow(this.height, first);
    const span = this.spanFrom(first);
    return this.ACTION(() => this.#site(name, args, span));
  });

  #site(name: Identifier, args: readonly Argument[], span: Span): Expression {
    const [subject, ...fields] = args;
    if (subject !== undefined && subject.name === undefined) {
      return { kind: "site", name, subject: subject.value, fields, span };
    }
    this.report(
      syntaxError(name.span, `The site \`${name.name}\` is given no value.`, "no value to pass on", {
        hint: `the first argument is the value, as in \`site ${name.name}(x, …)\``,
      }),
    );
    return { kind: "site", name, subject: errorExpression(span), fields: args, span };
  }
}
