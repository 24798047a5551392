/**
 * The grammar of files: declarations, members and statements.
 *
 * Owns: one rule for each construct of the language that is not an expression or a type
 * (grammar-expressions.ts), with the places where reading resumes after an error
 * (grammar-recovery.ts). Builds the syntax tree as it goes.
 */
import type {
  AssignStatement,
  Body,
  ConditionalMember,
  Declaration,
  DottedName,
  Expression,
  ForwardMember,
  Identifier,
  IfStatement,
  ImportDeclaration,
  LetDeclaration,
  Member,
  RequireMember,
  ResultDeclaration,
  Statement,
  StaticParameter,
  StringLiteral,
  TensorParameter,
  TypeExpression,
} from "./ast.ts";
import { blockKinds } from "./ast.ts";
import { deepestNesting, startsDeclaration } from "./delimiters.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { ExpressionParser, errorExpression, wantsName } from "./grammar-expressions.ts";
import { atLineOf, ParseAbandoned, type ResumesAt, type Rule } from "./grammar-recovery.ts";
import { nestingTooDeep, syntaxError } from "./syntax-messages.ts";
import type { TokenStream } from "./tokenize.ts";
import {
  Arrow,
  As,
  Carry,
  Closer,
  Colon,
  Comma,
  Dot,
  Ellipsis,
  Else,
  Entry,
  Equals,
  For,
  Forward,
  From,
  If,
  Import,
  In,
  Input,
  isToken,
  Kind,
  LeftBrace,
  LeftBracket,
  LeftParen,
  Let,
  Name,
  On,
  Opener,
  Param,
  Require,
  RightBrace,
  RightBracket,
  RightParen,
  Then,
  type Token,
  Word,
} from "./tokens.ts";

const oneOf = (token: Token | undefined, ...types: Parameters<typeof isToken>[1][]) =>
  token !== undefined && types.some((type) => isToken(token, type));

const bodyOnly = "a body: `=` and an expression, or `{ … }`";
const bodyOrResult = "`->` and a type, or a body: `=` and an expression, or `{ … }`";

const atDeclaration = atLineOf(startsDeclaration);
const atMember = atLineOf((tokens, index) => oneOf(tokens[index], Let, Param, Forward, Require));
const atStatement = atLineOf((tokens, index) => oneOf(tokens[index], Let, For, Require));

const wantsBlockBody = { ERR_MSG: "`{` and the block's members, or `=` and a value" };
const wantsValue = { ERR_MSG: "`=` and a value" };
const wantsType = { ERR_MSG: "`:` and a type" };
const wantsParameters = { ERR_MSG: "`(` and parameters" };

type TensorParameters = Pick<ForwardMember, "parameters" | "open">;

export class OssicleParser extends ExpressionParser {
  #imports: ImportDeclaration[] = [];
  #declarations: Declaration[] = [];

  constructor(validate = false) {
    super(validate);
    this.performSelfAnalysis();
  }

  /** Reads a whole file. `report` answers whether to go on. */
  read(
    stream: TokenStream,
    report: (diagnostic: Diagnostic) => boolean,
  ): { imports: readonly ImportDeclaration[]; declarations: readonly Declaration[] } {
    this.#imports = [];
    this.#declarations = [];
    this.begin(stream, report);
    try {
      this.unit();
    } catch (error) {
      // A stack that was almost used up when the parse began can overflow within the limit.
      if (error instanceof RangeError) report(nestingTooDeep(this.spanOf(this.next()), deepestNesting));
      else if (!(error instanceof ParseAbandoned)) throw error;
    }
    return { imports: this.#imports, declarations: this.#declarations };
  }

  // -------------------------------------------------------------- declarations

  readonly unit: Rule<void> = this.RULE("unit", (): void => {
    this.sequence(1, this.topLevel, () => true, atDeclaration, []);
  });

  readonly topLevel: Rule<void> = this.RULE("topLevel", (): void => {
    this.OR({
      DEF: [
        { ALT: () => this.#imports.push(this.SUBRULE(this.import)) },
        { ALT: () => this.#declarations.push(this.SUBRULE(this.let)) },
        { ALT: () => this.#declarations.push(this.SUBRULE(this.block)) },
      ],
      ERR_MSG: `a declaration: \`import\`, \`let\`, ${blockKinds.map((kind) => `\`${kind}\``).join(", ")}`,
    });
  });

  readonly import: Rule<ImportDeclaration> = this.RULE("import", (): ImportDeclaration => {
    const first = this.CONSUME(Import);
    this.CONSUME(LeftBrace, { ERR_MSG: "`{` and the names to import" });
    const names = this.items(1, this.importedName, "a name", () => undefined);
    this.CONSUME(RightBrace);
    this.CONSUME(From, { ERR_MSG: "`from` and the path of a file" });
    const from = this.SUBRULE(this.string);
    return { kind: "import", names, from, span: this.spanFrom(first) };
  });

  readonly importedName: Rule<ImportDeclaration["names"][number]> = this.RULE(
    "importedName",
    (): ImportDeclaration["names"][number] => {
      const name = this.SUBRULE(this.name);
      const alias = this.OPTION(() => {
        this.CONSUME(As);
        return this.SUBRULE2(this.name);
      });
      return { name, alias };
    },
  );

  readonly let: Rule<LetDeclaration> = this.RULE("let", (): LetDeclaration => {
    const first = this.CONSUME(Let);
    const name = this.SUBRULE(this.name);
    this.CONSUME(Equals, wantsValue);
    const value = this.#value(1, first, atMember);
    return { kind: "let", name, value, doc: this.docBefore(first), span: this.spanFrom(first) };
  });

  readonly block: Rule<Declaration> = this.RULE("block", (): Declaration => {
    const first = this.CONSUME(Kind);
    const blockKind = blockKinds.find((kind) => kind === first.image) ?? "block";
    const name = this.SUBRULE(this.name);
    const parameters = this.OPTION(() => this.SUBRULE(this.staticParameters)) ?? [];
    let members: Member[] = [];
    let value: Expression | undefined;
    this.OR({
      DEF: [
        {
          ALT: () => {
            members = this.SUBRULE(this.memberBlock);
          },
        },
        {
          ALT: () => {
            this.CONSUME(Equals);
            value = this.#value(1, first, atDeclaration);
          },
        },
      ],
      ...wantsBlockBody,
    });
    const doc = this.docBefore(first);
    return { kind: "block", blockKind, name, parameters, members, value, doc, span: this.spanFrom(first) };
  });

  readonly staticParameters: Rule<StaticParameter[]> = this.RULE(
    "staticParameters",
    (): StaticParameter[] => {
      this.CONSUME(LeftParen);
      const parameters = this.items(1, this.staticParameter, "a parameter", () => undefined);
      this.CONSUME(RightParen);
      return parameters;
    },
  );

  readonly staticParameter: Rule<StaticParameter> = this.RULE("staticParameter", (): StaticParameter => {
    const first = this.next();
    const name = this.SUBRULE(this.name);
    this.CONSUME(Colon, wantsType);
    const type = this.SUBRULE(this.type);
    const initial = this.OPTION(() => {
      this.CONSUME(Equals);
      return this.SUBRULE(this.expression);
    });
    return { name, type, initial, doc: this.docBefore(first), span: this.spanFrom(first) };
  });

  // -------------------------------------------------------------- members

  readonly memberBlock: Rule<Member[]> = this.RULE("memberBlock", (): Member[] => {
    this.descend();
    const members: Member[] = [];
    this.CONSUME(LeftBrace);
    this.sequence(1, this.member, () => !this.nextIs(Closer), atMember, members);
    this.CONSUME(RightBrace);
    this.ascend();
    return members;
  });

  readonly member: Rule<Member> = this.RULE(
    "member",
    (): Member =>
      this.OR<Member>({
        DEF: [
          { ALT: () => this.SUBRULE(this.let) },
          { ALT: () => this.SUBRULE(this.parameter) },
          { ALT: () => this.SUBRULE(this.conditionalMember) },
          { ALT: () => this.SUBRULE(this.require) },
          { ALT: () => this.SUBRULE(this.forward) },
          { ALT: () => this.SUBRULE(this.handler) },
          { ALT: () => this.SUBRULE(this.carry) },
          { ALT: () => this.SUBRULE(this.inputMember) },
          { ALT: () => this.SUBRULE(this.entry) },
          { ALT: () => this.SUBRULE(this.binding) },
        ],
        ERR_MSG: "a member, such as `name = …`, `param`, `let` or `forward`",
      }),
  );

  readonly dottedName: Rule<DottedName> = this.RULE("dottedName", (): DottedName => {
    const first = this.next();
    const parts = [this.SUBRULE(this.name)];
    this.MANY(() => {
      this.CONSUME(Dot);
      parts.push(this.identifier(this.CONSUME(Word, wantsName)));
    });
    return { parts, span: this.spanFrom(first) };
  });

  readonly parameter: Rule<Member> = this.RULE("parameter", (): Member => {
    const first = this.CONSUME(Param);
    const name = this.SUBRULE(this.dottedName);
    this.CONSUME(Colon, wantsType);
    const type = this.SUBRULE(this.type);
    const initial = this.OPTION(() => {
      this.CONSUME(Equals);
      return this.#value(1, first, atMember);
    });
    return { kind: "parameter", name, type, initial, doc: this.docBefore(first), span: this.spanFrom(first) };
  });

  readonly binding: Rule<Member> = this.RULE("binding", (): Member => {
    const first = this.next();
    const name = this.SUBRULE(this.dottedName);
    this.CONSUME(Equals, wantsValue);
    const value = this.#value(1, first, atMember);
    return { kind: "binding", name, value, doc: this.docBefore(first), span: this.spanFrom(first) };
  });

  readonly conditionalMember: Rule<ConditionalMember> = this.RULE(
    "conditionalMember",
    (): ConditionalMember => {
      this.descend();
      const first = this.CONSUME(If);
      const condition = this.#condition(1, first, atMember);
      const consequent = this.SUBRULE(this.memberBlock);
      let alternate: readonly Member[] = [];
      this.OPTION(() => {
        this.CONSUME(Else);
        this.OR([
          {
            ALT: () => {
              this.descend();
              alternate = [this.SUBRULE(this.conditionalMember)];
              this.ascend();
            },
          },
          {
            ALT: () => {
              alternate = this.SUBRULE2(this.memberBlock);
            },
          },
        ]);
      });
      this.ascend();
      return { kind: "conditional", condition, consequent, alternate, span: this.spanFrom(first) };
    },
  );

  readonly require: Rule<RequireMember> = this.RULE("require", (): RequireMember => {
    const first = this.CONSUME(Require);
    const condition = this.#value(1, first, atStatement);
    let message: StringLiteral | undefined;
    this.OPTION(() => {
      this.CONSUME(Comma);
      message = this.SUBRULE(this.string);
    });
    return { kind: "require", condition, message, span: this.spanFrom(first) };
  });

  readonly carry: Rule<Member> = this.RULE("carry", (): Member => {
    const first = this.CONSUME(Carry);
    const name = this.SUBRULE(this.name);
    const type = this.SUBRULE(this.optionalType);
    this.CONSUME(Equals, wantsValue);
    const initial = this.#value(1, first, atMember);
    return { kind: "carry", name, type, initial, doc: this.docBefore(first), span: this.spanFrom(first) };
  });

  readonly optionalType: Rule<TypeExpression | undefined> = this.RULE(
    "optionalType",
    (): TypeExpression | undefined =>
      this.OPTION(() => {
        this.CONSUME(Colon);
        return this.SUBRULE(this.type);
      }),
  );

  readonly inputMember: Rule<Member> = this.RULE("inputMember", (): Member => {
    const first = this.CONSUME(Input);
    const name = this.SUBRULE(this.name);
    this.CONSUME(Colon, wantsType);
    const type = this.SUBRULE(this.type);
    return { kind: "input", name, type, doc: this.docBefore(first), span: this.spanFrom(first) };
  });

  // -------------------------------------------------------------- what computes

  readonly forward: Rule<Member> = this.RULE("forward", (): Member => {
    const first = this.CONSUME(Forward);
    const inputs = this.SUBRULE(this.tensorParameters);
    const results = this.SUBRULE(this.results);
    const body = this.SUBRULE(this.body);
    const doc = this.docBefore(first);
    return { kind: "forward", ...inputs, results, body, doc, span: this.spanFrom(first) };
  });

  readonly handler: Rule<Member> = this.RULE("handler", (): Member => {
    const first = this.CONSUME(On);
    const site = this.SUBRULE(this.name);
    const at = this.OPTION(() => {
      this.CONSUME(LeftBracket);
      const places = this.SUBRULE(this.expression);
      this.CONSUME(RightBracket);
      return places;
    });
    const inputs = this.SUBRULE(this.tensorParameters);
    const results = this.SUBRULE(this.results);
    const body = this.SUBRULE(this.body);
    const doc = this.docBefore(first);
    return { kind: "handler", site, at, ...inputs, results, body, doc, span: this.spanFrom(first) };
  });

  readonly entry: Rule<Member> = this.RULE("entry", (): Member => {
    const first = this.CONSUME(Entry);
    // Exported under this name and never used as one, so `forward` does not clash.
    const name = this.identifier(this.CONSUME(Word, wantsName));
    const inputs = this.SUBRULE(this.nameList);
    const results = this.SUBRULE(this.results);
    const body = this.SUBRULE(this.body);
    return {
      kind: "entry",
      name,
      inputs,
      results,
      body,
      doc: this.docBefore(first),
      span: this.spanFrom(first),
    };
  });

  readonly nameList: Rule<Identifier[]> = this.RULE("nameList", (): Identifier[] => {
    this.CONSUME(LeftParen, { ERR_MSG: "`(` and names" });
    const names = this.items(1, this.name, "a name", () => undefined);
    this.CONSUME(RightParen);
    return names;
  });

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

  // -------------------------------------------------------------- bodies

  readonly body: Rule<Body> = this.RULE("body", (): Body => {
    const first = this.next();
    return this.OR<Body>({
      DEF: [
        {
          ALT: () => {
            this.CONSUME(Equals);
            const result = this.#value(1, first, atMember);
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
    return this.#value(index, first, atStatement);
  }

  #reportAfterResult(result: Expression): void {
    if (this.continuesLine()) {
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
    const value = this.#value(1, first, atStatement);
    return { kind: "let", names, type, value, span: this.spanFrom(first) };
  });

  readonly assignStatement: Rule<AssignStatement> = this.RULE("assignStatement", (): AssignStatement => {
    const first = this.next();
    const names = this.SUBRULE(this.targets);
    this.CONSUME(Equals, wantsValue);
    const value = this.#value(1, first, atStatement);
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
    const iterable = this.#condition(1, first, atStatement);
    const statements = this.SUBRULE(this.statementBlock);
    return { kind: "for", index, variable, iterable, statements, span: this.spanFrom(first) };
  });

  readonly ifStatement: Rule<IfStatement> = this.RULE("ifStatement", (): IfStatement => {
    const first = this.CONSUME(If);
    const condition = this.#condition(1, first, atStatement);
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

  // -------------------------------------------------------------- parts that fail alone

  /** The value of what begins at `first`; when it fails, what it was for stays known. */
  #value(index: number, first: Token, resumesAt: ResumesAt): Expression {
    if (!this.RECORDING_PHASE && !this.continuesLine() && this.#startsBinding()) {
      // Two lines were meant, but `x =` followed by `y = 3` also begins like `x = y`.
      this.reportExpected("a value", "", first);
      return errorExpression(this.spanBetween(this.startOf(this.next()), this.startOf(this.next())));
    }
    return this.slot(() => this.subrule(index, this.expression), resumesAt, errorExpression, first);
  }

  /** A condition or range that `{` follows. */
  #condition(index: number, first: Token, resumesAt: ResumesAt): Expression {
    const atBrace: ResumesAt = (tokens, at, start) =>
      oneOf(tokens[at], LeftBrace) || resumesAt(tokens, at, start);
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

  /** Whether a statement comes next, and not the expression that a body ends in. */
  #startsStatement(): boolean {
    if (oneOf(this.next(), Let, For, Require)) return true;
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
        if (oneOf(token, Closer, Let, For, Require, Equals)) return false;
      }
      if (isToken(token, Opener)) depth += 1;
      else if (isToken(token, Closer)) depth -= 1;
    }
  }
}
