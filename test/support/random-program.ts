/**
 * Random programs: syntax trees of every construct, and texts of them.
 *
 * Owns: what a tree may hold so that it can be written down. The programs parse; they mean nothing.
 */
import fc from "fast-check";
import type {
  Body,
  Declaration,
  DimExpression,
  Expression,
  Identifier,
  ImportDeclaration,
  IndexItem,
  Member,
  NamedValue,
  SourceUnit,
  Statement,
  StaticParameter,
  StringLiteral,
  TensorParameter,
  TypeExpression,
} from "../../src/lang/ast.ts";
import { blockKinds } from "../../src/lang/ast.ts";
import { units } from "../../src/lang/literals.ts";
import { printUnit } from "../../src/lang/print.ts";
import { SourceFile } from "../../src/lang/source.ts";

const file = new SourceFile("random.oss", "");
const span = file.span(0, 0);

type Of<T> = fc.Arbitrary<T>;
const some = <T>(of: Of<T>, minLength = 0, maxLength = 3) => fc.array(of, { minLength, maxLength });
const maybe = <T>(of: Of<T>) => fc.option(of, { nil: undefined });

// ---------------------------------------------------------------- names and literals

/** Words that are keywords only in their place are names too. */
const word = fc.constantFrom(
  ...["a", "x", "width", "N", "_", "attention_probabilities", "encoder_hidden_states"],
  ...["on", "site", "from", "input", "entry", "carry", "weights", "language", "where", "block", "extends"],
);
const identifier: Of<Identifier> = word.map((name) => ({ name, span }));
const dottedName = some(identifier, 1).map((parts) => ({ parts, span }));
const doc = fc.constantFrom("", "", "Says what follows.", "Two lines,\n  the second indented.", "a\n\nb");

const number: Of<Expression> = fc
  .tuple(fc.constantFrom("0", "12", "0.5", "1e-6", "3.25E+2"), maybe(fc.constantFrom(...units)))
  .map(([text, unit]) => ({ kind: "number", text, unit, span }));
const string: Of<StringLiteral> = fc
  .oneof(fc.string({ unit: "binary", maxLength: 6 }), fc.constantFrom('a "b"', "\\n", "\n\t", "in_proj"))
  .map((value) => ({ kind: "string", value, span }));

// ---------------------------------------------------------------- expressions and types

const operators = ["+", "-", "*", "/", "%", "@", "==", "<", ">=", "&&", "||"] as const;

const leaf: Of<Expression> = fc.oneof(
  identifier.map(({ name }): Expression => ({ kind: "name", name, span })),
  number,
  string,
  fc.boolean().map((value): Expression => ({ kind: "boolean", value, span })),
);

const expression: fc.Memo<Expression> = fc.memo((depth): Of<Expression> => {
  if (depth <= 1) return leaf;
  const inner = expression(depth - 1);
  const argument = fc.record({ name: maybe(identifier), value: inner, span: fc.constant(span) });
  const record = <T>(shape: { [K in keyof T]: Of<T[K]> }) => fc.record(shape);
  const at = fc.constant(span);
  const kind = <K extends string>(name: K) => fc.constant(name);
  const compound: Of<Expression> = fc.oneof(
    record({ kind: kind("list"), items: some(inner), span: at }),
    record({ kind: kind("tuple"), items: some(inner, 1), span: at }),
    record({
      ...{ kind: kind("comprehension"), element: inner, variable: identifier },
      ...{ iterable: inner, condition: maybe(inner), span: at },
    }),
    record({ kind: kind("range"), from: inner, to: inner, span: at }),
    record({ kind: kind("call"), callee: inner, arguments: some(argument, 0, 4), span: at }),
    record({ kind: kind("index"), object: inner, items: some(indexItem(inner), 1), span: at }),
    record({ kind: kind("member"), object: inner, name: identifier, span: at }),
    record({
      kind: kind("unary"),
      operator: fc.constantFrom("-" as const, "!" as const),
      operand: inner,
      span: at,
    }),
    record({
      ...{ kind: kind("binary"), operator: fc.constantFrom(...operators), operatorSpan: at },
      ...{ left: inner, right: inner, span: at },
    }),
    record({
      ...{ kind: kind("conditional-expression"), condition: inner },
      ...{ consequent: inner, alternate: inner, span: at },
    }),
    record({ kind: kind("pipe"), left: inner, right: inner, span: at }),
    record({ kind: kind("with"), subject: inner, extension: inner, span: at }),
    record({ kind: kind("site"), name: identifier, subject: inner, fields: some(argument), span: at }),
  );
  return fc.oneof({ weight: 1, arbitrary: leaf }, { weight: 4, arbitrary: compound });
});

function indexItem(inner: Of<Expression>): Of<IndexItem> {
  const part = maybe(inner);
  return fc.oneof(
    inner.map((value): IndexItem => ({ kind: "at", value, span })),
    fc.tuple(part, part, part).map(([start, stop, step]): IndexItem => {
      return { kind: "slice", start, stop, step, span };
    }),
    fc.constant<IndexItem>({ kind: "ellipsis", span }),
  );
}

const shallow = expression(2);
const deep = expression(4);

const dim: Of<DimExpression> = fc.oneof(
  shallow.map((value): DimExpression => ({ kind: "dim", value, span })),
  identifier.map((name): DimExpression => ({ kind: "variadic-dim", name, span })),
);

const simpleType: Of<TypeExpression> = fc.oneof(
  identifier.map((name): TypeExpression => ({ kind: "named-type", name, span })),
  some(string, 1).map((options): TypeExpression => ({ kind: "union-type", options, span })),
  fc
    .tuple(identifier, some(dim), maybe(shallow))
    .map(([name, dims, rate]): TypeExpression => ({ kind: "tensor-type", name, dims, rate, span })),
);
const type: Of<TypeExpression> = fc.oneof(
  simpleType,
  simpleType.map((element): TypeExpression => ({ kind: "list-type", element, span })),
);

// ---------------------------------------------------------------- statements

const require = fc
  .tuple(deep, maybe(string))
  .map(([condition, message]) => ({ kind: "require" as const, condition, message, span }));

const statement: fc.Memo<Statement> = fc.memo((depth): Of<Statement> => {
  const names = some(identifier, 1);
  const flat: Of<Statement> = fc.oneof(
    fc
      .tuple(names, maybe(type), deep)
      .map(([all, given, value]): Statement => ({ kind: "let", names: all, type: given, value, span })),
    fc.tuple(names, deep).map(([all, value]): Statement => ({ kind: "assign", names: all, value, span })),
    require,
  );
  if (depth <= 1) return flat;
  const inner = some(statement(depth - 1));
  return fc.oneof(
    { weight: 3, arbitrary: flat },
    {
      weight: 1,
      arbitrary: fc
        .tuple(maybe(identifier), identifier, shallow, inner)
        .map(([index, variable, iterable, statements]): Statement => {
          return { kind: "for", index, variable, iterable, statements, span };
        }),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(shallow, inner, inner).map(([condition, consequent, alternate]): Statement => {
        return { kind: "if", condition, consequent, alternate, span };
      }),
    },
  );
});

const body: Of<Body> = fc
  .tuple(some(statement(2)), deep)
  .map(([statements, result]) => ({ statements, result, span }));

// ---------------------------------------------------------------- members

const tensorParameter: Of<TensorParameter> = fc
  .tuple(identifier, type, maybe(shallow))
  .map(([name, of, initial]) => ({ name, type: of, initial, span }));
const result = fc.tuple(maybe(identifier), type).map(([name, of]) => ({ name, type: of, span }));
const signature = fc.record({
  parameters: some(tensorParameter),
  open: fc.boolean(),
  results: some(result),
  where: some(shallow, 0, 2),
  body,
  doc,
  span: fc.constant(span),
});
const namedValues: Of<NamedValue[]> = some(
  fc.tuple(identifier, shallow).map(([name, value]) => ({ name, value, span })),
);

const member: fc.Memo<Member> = fc.memo((depth): Of<Member> => {
  const computing: Of<Member>[] = [
    signature.map((parts): Member => ({ kind: "forward", ...parts })),
    fc
      .tuple(identifier, maybe(shallow), signature)
      .map(([site, at, parts]): Member => ({ kind: "handler", site, at, ...parts })),
    fc
      .tuple(identifier, some(identifier), maybe(identifier), some(result), body, doc)
      .map(([name, inputs, continues, results, of, text]): Member => {
        return { kind: "entry", name, inputs, continues, results, body: of, doc: text, span };
      }),
  ];
  const declaring: Of<Member>[] = [
    fc
      .tuple(identifier, deep, doc)
      .map(([name, value, text]): Member => ({ kind: "let", name, value, doc: text, span })),
    fc.tuple(dottedName, type, maybe(deep), doc).map(([name, of, initial, text]): Member => {
      return { kind: "parameter", name, type: of, initial, doc: text, span };
    }),
    fc
      .tuple(dottedName, deep, doc)
      .map(([name, value, text]): Member => ({ kind: "binding", name, value, doc: text, span })),
    require,
    fc.tuple(identifier, maybe(type), deep, doc).map(([name, of, initial, text]): Member => {
      return { kind: "carry", name, type: of, initial, doc: text, span };
    }),
    fc
      .tuple(identifier, type, doc)
      .map(([name, of, text]): Member => ({ kind: "input", name, type: of, doc: text, span })),
  ];
  const planning: Of<Member>[] = [
    some(fc.record({ from: string, to: string, span: fc.constant(span) })).map(
      (renames): Member => ({ kind: "weights", renames, span }),
    ),
    namedValues.map((axes): Member => ({ kind: "sweep", axes, span })),
    namedValues.map((options): Member => ({ kind: "stored", options, span })),
    some(shallow).map((limits): Member => ({ kind: "budget", limits, span })),
    fc.tuple(identifier, identifier, identifier, namedValues).map(([name, first, next, options]): Member => {
      return { kind: "generate", name, first, next, options, span };
    }),
  ];
  const flat = fc.oneof(...computing, ...declaring, ...planning);
  if (depth <= 1) return flat;
  const inner = some(member(depth - 1));
  const conditional = fc.tuple(shallow, inner, inner).map(([condition, consequent, alternate]): Member => {
    return { kind: "conditional", condition, consequent, alternate, span };
  });
  return fc.oneof({ weight: 4, arbitrary: flat }, { weight: 1, arbitrary: conditional });
});

// ---------------------------------------------------------------- files

const staticParameter: Of<StaticParameter> = fc
  .tuple(identifier, type, maybe(shallow), doc)
  .map(([name, of, initial, text]) => ({ name, type: of, initial, doc: text, span }));
const block: Of<Declaration> = fc
  .record({
    kind: fc.constant("block" as const),
    blockKind: fc.constantFrom(...blockKinds),
    name: identifier,
    parameters: some(staticParameter),
    members: some(member(2), 0, 4),
    value: maybe(deep),
    base: maybe(shallow),
    doc,
    span: fc.constant(span),
  })
  .map((node) => (node.value === undefined ? node : { ...node, members: [] }));
const declaration: Of<Declaration> = fc.oneof(
  { weight: 4, arbitrary: block },
  {
    weight: 1,
    arbitrary: fc
      .tuple(identifier, deep, doc)
      .map(([name, value, text]): Declaration => ({ kind: "let", name, value, doc: text, span })),
  },
);
const importDeclaration: Of<ImportDeclaration> = fc
  .tuple(some(fc.record({ name: identifier, alias: maybe(identifier) }), 0, 8), string)
  .map(([names, from]) => ({ kind: "import", names, from, span }));

export const randomUnit: Of<SourceUnit> = fc
  .tuple(fc.boolean(), some(importDeclaration, 0, 2), some(declaration, 1, 3))
  .map(([isVersioned, imports, declarations]) => ({
    file,
    language: isVersioned ? { kind: "number", text: "1", unit: undefined, span } : undefined,
    imports,
    declarations,
  }));

/** The text of a random program. */
export const randomProgram: Of<string> = randomUnit.map((unit) => printUnit(unit));
