/**
 * The grammar of files: imports, declarations and members; the parser as a whole.
 *
 * Owns: one rule for each member and declaration, on top of statements (grammar-statements.ts),
 * expressions (grammar-expressions.ts) and recovery (grammar-recovery.ts). Rules build the syntax
 * tree as they go.
 */
import type {
  ConditionalMember,
  Declaration,
  DottedName,
  Expression,
  ImportDeclaration,
  LetDeclaration,
  Member,
  NumberLiteral,
  SourceUnit,
  StaticParameter,
} from "./ast.ts";
import { blockKinds } from "./ast.ts";
import { deepestNesting } from "./delimiters.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { wantsName } from "./grammar-expressions.ts";
import { PlanParser } from "./grammar-plans.ts";
import { ParseAbandoned, type ResumesAt, type Rule } from "./grammar-recovery.ts";
import { atMember, wantsType, wantsValue } from "./grammar-statements.ts";
import { readNumber } from "./literals.ts";
import { nestingTooDeep } from "./syntax-messages.ts";
import type { TokenStream } from "./tokenize.ts";
import {
  As,
  Carry,
  Closer,
  Colon,
  Continues,
  Dot,
  Else,
  Entry,
  Equals,
  Extends,
  Forward,
  From,
  If,
  Import,
  Input,
  isFirstOnLine,
  isOneOf,
  isToken,
  Kind,
  Language,
  LeftBrace,
  LeftBracket,
  LeftParen,
  Let,
  Name,
  NumberToken,
  On,
  Param,
  RightBrace,
  RightBracket,
  RightParen,
  Word,
} from "./tokens.ts";

/** Any line but a declaration's belongs to the text that went wrong. */
const atDeclaration: ResumesAt = (tokens, index) => {
  const token = tokens[index];
  if (token === undefined || !isFirstOnLine(token, tokens[index - 1])) return false;
  return isOneOf(token, Import, Let) || (isToken(token, Kind) && isOneOf(tokens[index + 1], Name));
};
const wantsBlockBody = { ERR_MSG: "`{` and the block's members, or `=` and a value" };

export class OssicleParser extends PlanParser {
  #imports: ImportDeclaration[] = [];
  #declarations: Declaration[] = [];
  #language: NumberLiteral | undefined;

  constructor(validate = false) {
    super(validate);
    this.performSelfAnalysis();
  }

  /** Reads a whole file. `report` answers whether to go on. */
  read(stream: TokenStream, report: (diagnostic: Diagnostic) => boolean): Omit<SourceUnit, "file"> {
    this.#language = undefined;
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
    return { language: this.#language, imports: this.#imports, declarations: this.#declarations };
  }

  // -------------------------------------------------------------- declarations

  readonly unit: Rule<void> = this.RULE("unit", (): void => {
    this.OPTION(() => {
      this.CONSUME(Language);
      const token = this.CONSUME(NumberToken, {
        ERR_MSG: "the version of the language, such as `language 1`",
      });
      const { text, unit } = readNumber(token.image);
      this.#language = { kind: "number", text, unit, span: this.spanOf(token) };
    });
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
    const value = this.value(1, first, atMember);
    return { kind: "let", name, value, doc: this.docBefore(first), span: this.spanFrom(first) };
  });

  readonly block: Rule<Declaration> = this.RULE("block", (): Declaration => {
    const first = this.CONSUME(Kind);
    const blockKind = blockKinds.find((kind) => kind === first.image) ?? "block";
    const name = this.SUBRULE(this.name);
    const parameters = this.OPTION(() => this.SUBRULE(this.staticParameters)) ?? [];
    const base = this.OPTION2(() => {
      this.CONSUME(Extends);
      return this.condition(2, first, atDeclaration);
    });
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
            value = this.value(1, first, atDeclaration);
          },
        },
      ],
      ...wantsBlockBody,
    });
    const doc = this.docBefore(first);
    const span = this.spanFrom(first);
    return { kind: "block", blockKind, name, parameters, members, value, base, doc, span };
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
          { ALT: () => this.SUBRULE(this.weights) },
          { ALT: () => this.SUBRULE(this.frozen) },
          { ALT: () => this.SUBRULE(this.stored) },
          { ALT: () => this.SUBRULE(this.sweep) },
          { ALT: () => this.SUBRULE(this.budget) },
          { ALT: () => this.SUBRULE(this.generate) },
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
      return this.value(1, first, atMember);
    });
    return { kind: "parameter", name, type, initial, doc: this.docBefore(first), span: this.spanFrom(first) };
  });

  readonly binding: Rule<Member> = this.RULE("binding", (): Member => {
    const first = this.next();
    const name = this.SUBRULE(this.dottedName);
    this.CONSUME(Equals, wantsValue);
    const value = this.value(1, first, atMember);
    return { kind: "binding", name, value, doc: this.docBefore(first), span: this.spanFrom(first) };
  });

  readonly conditionalMember: Rule<ConditionalMember> = this.RULE(
    "conditionalMember",
    (): ConditionalMember => {
      const first = this.CONSUME(If);
      const condition = this.condition(1, first, atMember);
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
      return { kind: "conditional", condition, consequent, alternate, span: this.spanFrom(first) };
    },
  );

  readonly carry: Rule<Member> = this.RULE("carry", (): Member => {
    const first = this.CONSUME(Carry);
    const name = this.SUBRULE(this.name);
    const type = this.SUBRULE(this.optionalType);
    this.CONSUME(Equals, wantsValue);
    const initial = this.value(1, first, atMember);
    return { kind: "carry", name, type, initial, doc: this.docBefore(first), span: this.spanFrom(first) };
  });

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
    const where = this.SUBRULE(this.where);
    const body = this.SUBRULE(this.body);
    const doc = this.docBefore(first);
    return { kind: "forward", ...inputs, results, where, body, doc, span: this.spanFrom(first) };
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
    const where = this.SUBRULE(this.where);
    const body = this.SUBRULE(this.body);
    const doc = this.docBefore(first);
    return { kind: "handler", site, at, ...inputs, results, where, body, doc, span: this.spanFrom(first) };
  });

  readonly entry: Rule<Member> = this.RULE("entry", (): Member => {
    const first = this.CONSUME(Entry);
    // Exported under this name and never used as one, so `forward` does not clash.
    const name = this.identifier(this.CONSUME(Word, wantsName));
    const inputs = this.SUBRULE(this.nameList);
    const continues = this.OPTION(() => {
      this.CONSUME(Continues);
      return this.SUBRULE(this.name);
    });
    const results = this.SUBRULE(this.results);
    const body = this.SUBRULE(this.body);
    return {
      kind: "entry",
      name,
      inputs,
      continues,
      results,
      body,
      doc: this.docBefore(first),
      span: this.spanFrom(first),
    };
  });
}
