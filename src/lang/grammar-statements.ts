/**
 * The grammar of what computes: signatures, bodies and statements.
 *
 * Owns: one rule for each statement, and telling a statement from the expression that a body ends
 * in by looking ahead no further than a name, a tuple of names or a condition. Declarations and
 * members are grammar.ts.
 */
import type {
  AssignStatement,
  Body,
  Expression,
  ForwardMember,
  Identifier,
  IfStatement,
  RequireMember,
  ResultDeclaration,
  Statement,
  StringLiteral,
  TensorParameter,
  TypeExpression,
} from "./ast.ts";
import { ExpressionParser, errorExpression } from "./grammar-expressions.ts";
import { atLineOf, type ResumesAt, type Rule } from "./grammar-recovery.ts";
import { returnWord, syntaxError } from "./syntax-messages.ts";
import {
  Arrow,
  Closer,
  Colon,
  Comma,
  Dot,
  Ellipsis,
  Else,
  Equals,
  For,
  Forward,
  If,
  In,
  isOneOf,
  isToken,
  Kind,
  LeftBrace,
  LeftParen,
  Let,
  Name,
  Opener,
  Param,
  Require,
  RightBrace,
  RightParen,
  Then,
  type Token,
  Where,
  Word,
} from "./tokens.ts";

const bodyOnly = "a body: `=` and an expression, or `{ … }`";
const bodyOrResult = "`->` and a type, or a body: `=` and an expression, or `{ … }`";
export const wantsValue = { ERR_MSG: "`=` and a value" };
export const wantsType = { ERR_MSG: "`:` and a type" };
const wantsParameters = { ERR_MSG: "`(` and parameters" };

export const atMember = atLineOf((tokens, index) => isOneOf(tokens[index], Let, Param, Forward, Require));
const atStatement = atLineOf((tokens, index) => isOneOf(tokens[index], Let, For, Require));

type TensorParameters = Pick<ForwardMember, "parameters" | "open">;

export abstract class StatementParser extends ExpressionParser {
  // -------------------------------------------------------------- signatures

  readonly nameList: Rule<Identifier[]> = this.RULE("nameList", (): Identifier[] => {
    this.CONSUME(LeftParen, { ERR_MSG: "`(` and names" });
    const names = this.items(1, this.name, "a name", () => undefined);
    this.CONSUME(RightParen);
    return names;
  });

  readonly optionalType: Rule<TypeExpression | undefined> = this.RULE(
    "optionalType",
    (): TypeExpression | undefined =>
      this.OPTION(() => {
        this.CONSUME(Colon);
        return this.SUBRULE(this.type);
      }),
  );

  readonly tensorParameters: Rule<TensorParameters> = this.RULE("tensorParameters", (): TensorParameters => {
    this.CONSUME(LeftParen, wantsParameters);
    const parameters = this.items(1, this.tensorParameter, "a parameter", () => undefined, Ellipsis);
    let open = false;
    this.OPTION(() => {
      this.CONSUME(Ellipsis);
      this.OPTION2(() => this.CONSUME(Comma));
      open = true;
    });
    this.CONSUME(RightParen);
    return { parameters, open };
  });

  readonly tensorParameter: Rule<TensorParameter> = this.RULE("tensorParameter", (): TensorParameter => {
    const first = this.next();
    const name = this.SUBRULE(this.name);
    this.CONSUME(Colon, wantsType);
    const type = this.SUBRULE(this.type);
    const initial = this.OPTION(() => {
      this.CONSUME(Equals);
      return this.SUBRULE(this.expression);
    });
    return { name, type, initial, span: this.spanFrom(first) };
  });

  readonly results: Rule<ResultDeclaration[]> = this.RULE("results", (): ResultDeclaration[] => {
    let results: ResultDeclaration[] = [];
    this.OPTION(() => {
      this.CONSUME(Arrow);
      this.OR({
        DEF: [
          {
            ALT: () => {
              this.CONSUME(LeftParen);
              results = this.items(1, this.result, "a result", () => undefined);
              this.CONSUME(RightParen);
            },
          },
          {
            ALT: () =>
              this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => results.push(this.SUBRULE(this.result)) }),
          },
        ],
        ERR_MSG: "a type after `->`",
      });
    });
    return results;
  });

  readonly result: Rule<ResultDeclaration> = this.RULE("result", (): ResultDeclaration => {
    const first = this.next();
    let name: Identifier | undefined;
    this.OPTION(() => {
      name = this.SUBRULE(this.name);
      this.CONSUME(Colon);
    });
    const type = this.SUBRULE(this.type);
    return { name, type, span: this.spanFrom(first) };
  });

  readonly where: Rule<Expression[]> = this.RULE("where", (): Expression[] => {
    const conditions: Expression[] = [];
    this.OPTION(() => {
      this.CONSUME(Where);
      this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => conditions.push(this.SUBRULE(this.expression)) });
    });
    return conditions;
  });

  // -------------------------------------------------------------- bodies

  readonly body: Rule<Body> = this.RULE("body", (): Body => {
    const first = this.next();
    return this.OR<Body>({
      DEF: [
        {
          ALT: () => {
            this.CONSUME(Equals);
            const result = this.value(1, first, atMember);
            return { statements: [], result, span: this.spanFrom(first) };
          },
        },
        { ALT: () => this.SUBRULE(this.braceBody) },
      ],
      ERR_MSG: isToken(this.next(0), RightParen) ? bodyOrResult : bodyOnly,
    });
  });

  readonly braceBody: Rule<Body> = this.RULE("braceBody", (): Body => {
    this.descend();
    const first = this.CONSUME(LeftBrace);
    const statements: Statement[] = [];
    const reported = this.reported;
    this.sequence(1, this.statement, () => this.#startsStatement(), atStatement, statements);
    let result = this.#result(1, this.reported > reported);
    let complained = result.kind === "error";
    while (!this.RECORDING_PHASE && !this.atEnd() && !this.nextIs(Closer)) {
      if (!complained) this.#reportAfterResult(result);
      complained = true;
      const stuck = this.next();
      this.sequence(1, this.statement, () => this.#startsStatement(), atStatement, statements);
      if (!this.nextIs(Closer)) result = this.#result(1, true);
      if (this.next() === stuck) this.SKIP_TOKEN();
    }
    this.CONSUME(RightBrace);
    this.ascend();
    return { statements, result, span: this.spanFrom(first) };
  });

  #result(index: number, isBroken: boolean): Expression {
    const first = this.next();
    if (!this.RECORDING_PHASE && this.nextIs(Closer)) {
      if (isBroken) return errorExpression(this.spanFrom(first));
      this.reportHere((span) =>
        syntaxError(span, "This body ends without a result.", "an expression is expected before this", {
          hint: "the last line of a body is the value it results in",
        }),
      );
      return errorExpression(this.spanFrom(first));
    }
    return this.value(index, first, atStatement);
  }

  #reportAfterResult(result: Expression): void {
    if (this.continuesLine()) {
      const { start, end } = result.span;
      if (result.kind === "name" && result.name === "return" && this.next().startOffset > end) {
        this.report(returnWord({ ...result.span, start, end: this.next().startOffset }));
        return;
      }
      this.reportExpected("an operator, or the end of the expression");
      return;
    }
    this.reportHere((span) =>
      syntaxError(span, "Only the last line of a body can be an expression.", "the body goes on here", {
        related: [{ span: result.span, text: "this would be its result" }],
        hint: "name the earlier value with `let`, or remove it",
      }),
    );
  }

  // -------------------------------------------------------------- statements

  readonly statement: Rule<Statement> = this.RULE(
    "statement",
    (): Statement =>
      this.OR<Statement>({
        DEF: [
          { ALT: () => this.SUBRULE(this.letStatement) },
          { ALT: () => this.SUBRULE(this.forStatement) },
          { ALT: () => this.SUBRULE(this.ifStatement) },
          { ALT: () => this.SUBRULE(this.require) },
          { ALT: () => this.SUBRULE(this.assignStatement) },
        ],
        ERR_MSG: "a statement",
      }),
  );

  readonly statementBlock: Rule<Statement[]> = this.RULE("statementBlock", (): Statement[] => {
    this.descend();
    const statements: Statement[] = [];
    this.CONSUME(LeftBrace);
    this.sequence(1, this.statement, () => !this.nextIs(Closer), atStatement, statements);
    this.CONSUME(RightBrace);
    this.ascend();
    return statements;
  });

  readonly targets: Rule<Identifier[]> = this.RULE("targets", (): Identifier[] =>
    this.OR<Identifier[]>({
      DEF: [{ ALT: () => [this.SUBRULE(this.name)] }, { ALT: () => this.SUBRULE(this.nameList) }],
      ERR_MSG: "a name, or names in parentheses",
    }),
  );

  readonly letStatement: Rule<Statement> = this.RULE("letStatement", (): Statement => {
    const first = this.CONSUME(Let);
    const names = this.SUBRULE(this.targets);
    const type = this.SUBRULE(this.optionalType);
    this.CONSUME(Equals, wantsValue);
    const value = this.value(1, first, atStatement);
    return { kind: "let", names, type, value, span: this.spanFrom(first) };
  });

  readonly assignStatement: Rule<AssignStatement> = this.RULE("assignStatement", (): AssignStatement => {
    const first = this.next();
    const names = this.SUBRULE(this.targets);
    this.CONSUME(Equals, wantsValue);
    const value = this.value(1, first, atStatement);
    return { kind: "assign", names, value, span: this.spanFrom(first) };
  });

  readonly forStatement: Rule<Statement> = this.RULE("forStatement", (): Statement => {
    const first = this.CONSUME(For);
    let index: Identifier | undefined;
    this.OPTION(() => {
      index = this.SUBRULE(this.name);
      this.CONSUME(Comma);
    });
    const variable = this.SUBRULE2(this.name);
    this.CONSUME(In, { ERR_MSG: "`in` and what to go through" });
    const iterable = this.condition(1, first, atStatement);
    const statements = this.SUBRULE(this.statementBlock);
    return { kind: "for", index, variable, iterable, statements, span: this.spanFrom(first) };
  });

  readonly ifStatement: Rule<IfStatement> = this.RULE("ifStatement", (): IfStatement => {
    const first = this.CONSUME(If);
    const condition = this.condition(1, first, atStatement);
    const consequent = this.SUBRULE(this.statementBlock);
    let alternate: readonly Statement[] = [];
    this.OPTION(() => {
      this.CONSUME(Else);
      this.OR([
        {
          ALT: () => {
            this.descend();
            alternate = [this.SUBRULE(this.ifStatement)];
            this.ascend();
          },
        },
        {
          ALT: () => {
            alternate = this.SUBRULE2(this.statementBlock);
          },
        },
      ]);
    });
    return { kind: "if", condition, consequent, alternate, span: this.spanFrom(first) };
  });

  readonly require: Rule<RequireMember> = this.RULE("require", (): RequireMember => {
    const first = this.CONSUME(Require);
    const condition = this.value(1, first, atStatement);
    let message: StringLiteral | undefined;
    this.OPTION(() => {
      this.CONSUME(Comma);
      message = this.SUBRULE(this.string);
    });
    return { kind: "require", condition, message, span: this.spanFrom(first) };
  });

  // -------------------------------------------------------------- parts that fail alone

  /** The value of what begins at `first`; when it fails, what it was for stays known. */
  protected value(index: number, first: Token, resumesAt: ResumesAt): Expression {
    if (!this.RECORDING_PHASE && !this.continuesLine() && (this.#startsBinding() || this.#startsBlock())) {
      // Two lines were meant, but `x =` followed by `y = 3` also begins like `x = y`.
      this.reportExpected("a value", "", first);
      return errorExpression(this.spanBetween(this.startOf(this.next()), this.startOf(this.next())));
    }
    return this.slot(() => this.subrule(index, this.expression), resumesAt, errorExpression, first);
  }

  /** A condition or range that `{` follows. */
  protected condition(index: number, first: Token, resumesAt: ResumesAt): Expression {
    const atBrace: ResumesAt = (tokens, at, start) =>
      isOneOf(tokens[at], LeftBrace) || resumesAt(tokens, at, start);
    return this.slot(() => this.subrule(index, this.expression), atBrace, errorExpression, first);
  }

  // -------------------------------------------------------------- looking ahead

  /** `name =` or `a.b.c =` comes next. */
  #startsBinding(): boolean {
    if (!this.nextIs(Name)) return false;
    let distance = 2;
    while (this.nextIs(Dot, distance) && this.nextIs(Word, distance + 1)) distance += 2;
    return this.nextIs(Equals, distance);
  }

  /** `block Name`: the keyword alone could also be a name. */
  #startsBlock(): boolean {
    return this.nextIs(Kind) && this.nextIs(Name, 2) && this.next(2).startLine === this.next().startLine;
  }

  /** Whether a statement comes next, and not the expression that a body ends in. */
  #startsStatement(): boolean {
    if (isOneOf(this.next(), Let, For, Require)) return true;
    if (this.nextIs(If)) return this.#startsIfStatement();
    if (this.nextIs(Name)) return this.nextIs(Equals, 2);
    return this.nextIs(LeftParen) && this.#startsTupleAssignment();
  }

  /** `(a, b) =`; looks no further than the names. */
  #startsTupleAssignment(): boolean {
    let distance = 2;
    while (this.nextIs(Name, distance) && this.nextIs(Comma, distance + 1)) distance += 2;
    if (this.nextIs(Name, distance)) distance += 1;
    return distance > 2 && this.nextIs(RightParen, distance) && this.nextIs(Equals, distance + 1);
  }

  /** `if … {` and not `if … then`; looks no further than the condition. */
  #startsIfStatement(): boolean {
    let depth = 0;
    let inner = 0;
    for (let distance = 2; ; distance++) {
      const token = this.next(distance);
      if (Number.isNaN(token.startOffset)) return false;
      if (depth === 0) {
        if (isToken(token, LeftBrace)) return true;
        if (isToken(token, If)) {
          if (!this.continuesLine(distance)) return false;
          inner += 1;
        }
        if (isToken(token, Then) && inner-- === 0) return false;
        if (isOneOf(token, Closer, Let, For, Require, Equals)) return false;
      }
      if (isToken(token, Opener)) depth += 1;
      else if (isToken(token, Closer)) depth -= 1;
    }
  }
}
