/**
 * Railroad diagrams of the grammar: docs/grammar/, a picture for each rule and a page that shows them.
 *
 * Owns: reading the parser's own rules. The pictures are drawn by railroad.ts.
 */
import { blockKinds } from "../../src/lang/ast.ts";
import { OssicleParser } from "../../src/lang/grammar.ts";
import {
  BinaryOperator,
  PipeOperator,
  PrefixOperator,
  type TokenType,
  vocabulary,
} from "../../src/lang/tokens.ts";
import { nothing, railroadSvg, type Track } from "./railroad.ts";

export const diagramRoot = "docs/grammar";

/** What chevrotain tells of a rule, as far as it is drawn. */
interface Production {
  readonly type: string;
  readonly name?: string;
  readonly label?: string;
  readonly definition?: readonly Production[];
  readonly separator?: Production;
}

const word = (text: string): Track => ({ kind: "box", text, isWord: true });
const rule = (text: string): Track => ({ kind: "box", text, isWord: false });
const choice = (options: readonly Track[]): Track => ({ kind: "choice", options });

/** The signs and words of a kind. */
function tokensOf(category: TokenType): string[] {
  return vocabulary.flatMap(({ CATEGORIES, LABEL, name }) =>
    CATEGORIES?.includes(category) ? [(LABEL ?? name).replaceAll("`", "")] : [],
  );
}

/** Kinds of tokens that a rule names as one. */
const categories: Readonly<Record<string, Track>> = {
  Kind: choice(blockKinds.map(word)),
  PipeOperator: choice(tokensOf(PipeOperator).map(word)),
  PrefixOperator: choice(tokensOf(PrefixOperator).map(word)),
  BinaryOperator: rule("operator"),
  Word: rule("word"),
  Name: rule("name"),
};

/** In the order in which a reader meets them; the others follow. */
const subjects: readonly (readonly [string, readonly string[]])[] = [
  [
    "Files",
    ["unit", "topLevel", "import", "importedName", "let", "block", "staticParameters", "staticParameter"],
  ],
  [
    "Members",
    [
      ...["memberBlock", "member", "parameter", "binding", "dottedName", "conditionalMember", "require"],
      ...["forward", "handler", "tensorParameters", "tensorParameter", "results", "result", "where", "carry"],
      ...["inputMember", "entry", "nameList"],
    ],
  ],
  [
    "What a model says about itself",
    ["weights", "rename", "frozen", "stored", "sweep", "budget", "generate", "namedValues", "namedValue"],
  ],
  [
    "Bodies",
    [
      ...["body", "braceBody", "statement", "letStatement", "assignStatement", "targets", "optionalType"],
      ...["forStatement", "ifStatement", "statementBlock"],
    ],
  ],
  ["Types", ["type", "namedType", "listType", "unionType", "dim"]],
  [
    "Expressions",
    [
      ...["expression", "ifExpression", "binary", "postfix", "callArguments", "argument", "indexItems"],
      ...["indexItem", "sliceRest", "listOrComprehension", "parenthesised", "site", "string"],
    ],
  ],
];

/** By path from the root of the repository. */
export function grammarPages(): ReadonlyMap<string, string> {
  const rules = grammarRules();
  const pages = new Map<string, string>();
  for (const [name, track] of rules)
    pages.set(`${diagramRoot}/${name}.svg`, railroadSvg(track, `How ${name} is written`));
  pages.set(`${diagramRoot}/README.md`, page(rules));
  return pages;
}

/** Every rule of the parser, as a track. */
export function grammarRules(): ReadonlyMap<string, Track> {
  const productions: readonly Production[] = new OssicleParser().getSerializedGastProductions();
  const tracks = new Map<string, Track>();
  for (const { name, definition } of productions) {
    // A name is a token: the rule adds nothing to it.
    if (name !== undefined && name !== "name") tracks.set(name, sequence(definition ?? []));
  }
  return tracks;
}

export function listedRules(): readonly string[] {
  return subjects.flatMap(([, names]) => names);
}

function sequence(productions: readonly Production[]): Track {
  const parts = productions.map(trackOf);
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : { kind: "sequence", parts };
}

function trackOf(production: Production): Track {
  const { type, name = "", label = "", definition = [] } = production;
  switch (type) {
    case "Terminal":
      return categories[name] ?? (label.startsWith("`") ? word(label.slice(1, -1)) : rule(label));
    case "NonTerminal":
      return rule(name);
    case "Alternation":
      return choice(definition.map(trackOf));
    case "Alternative":
      return sequence(definition);
    case "Option":
      return choice([nothing, sequence(definition)]);
    case "Repetition":
      return choice([nothing, repeated(definition)]);
    case "RepetitionMandatory":
      return repeated(definition);
    case "RepetitionWithSeparator":
      return choice([nothing, loop(definition, separator(production))]);
    case "RepetitionMandatoryWithSeparator":
      return loop(definition, separator(production));
    default:
      throw new Error(`the grammar has a part of an unknown type: ${type}`);
  }
}

function loop(definition: readonly Production[], between: Track): Track {
  return { kind: "loop", part: sequence(definition), between };
}

/** Items with a comma behind each, the last one's being optional, are drawn as items with commas between. */
function repeated(definition: readonly Production[]): Track {
  const last = definition.at(-1);
  const isComma = last?.type === "Option" && last.definition?.[0]?.name === "Comma";
  return isComma ? loop(definition.slice(0, -1), word(",")) : loop(definition, nothing);
}

function separator({ separator: production }: Production): Track {
  return production === undefined ? nothing : trackOf(production);
}

function page(rules: ReadonlyMap<string, Track>): string {
  const operators = tokensOf(BinaryOperator)
    .map((sign) => `\`${sign}\``)
    .join(" ");
  const parts = [
    "# The grammar in pictures",
    "Drawn from the parser's own rules by `npm run docs`. Follow a line from left to right: round boxes are written as they stand, square ones are rules or kinds of words. [language.md](../language.md) says what it all means.",
    `A comma between items may also stand behind the last one. \`name\` is a word that is not reserved; \`word\` may be any, as after a dot. \`operator\` is one of ${operators}: [which binds tighter](../language.md#values-known-while-compiling) is no matter of the grammar.`,
  ];
  for (const [title, names] of subjects) {
    parts.push(`## ${title}`);
    for (const name of names) {
      if (rules.has(name)) parts.push(`### ${name}`, `![${name}](${name}.svg)`);
    }
  }
  return `${parts.join("\n\n")}\n`;
}
