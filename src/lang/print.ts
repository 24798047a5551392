/**
 * A syntax tree as canonical text: the formatter.
 *
 * Owns: the layout of declarations and members, and the one way to write each of them. Comments stay
 * where they were, and at most one empty line where there were any. What is printed parses to the
 * same tree, and printing that again gives the same text.
 */
import type {
  BlockDeclaration,
  BudgetMember,
  Declaration,
  EntryMember,
  Expression,
  ForwardMember,
  FrozenMember,
  GenerateMember,
  HandlerMember,
  ImportDeclaration,
  LetDeclaration,
  Member,
  NamedValue,
  SourceUnit,
  StaticParameter,
  StoredMember,
  SweepMember,
  TypeExpression,
  WeightsMember,
} from "./ast.ts";
import { CommentQueue } from "./comment-queue.ts";
import { blankLine, concat, type Document, hardLine, layOut, series } from "./layout-document.ts";
import type { ListItem } from "./print-parts.ts";
import { StatementPrinter } from "./print-statements.ts";
import { SourceFile } from "./source.ts";
import type { Comment } from "./tokenize.ts";

/** Columns of a line. Comments and strings that are longer stay as they are. */
const lineWidth = 100;

/**
 * The canonical text of a file. `comments` are those of its text, doc comments included; without
 * them, for a tree that was never a text, doc comments are printed from the tree.
 */
export function printUnit(unit: SourceUnit, comments?: readonly Comment[]): string {
  const printer = new UnitPrinter(new CommentQueue(unit.file, comments ?? []), comments === undefined);
  const text = layOut(printer.unit(unit), lineWidth);
  return text === "" ? "" : `${text}\n`;
}

/** What stands by itself in a reference. Of what computes, the signature alone. */
export type Fragment = Expression | TypeExpression | Computing | PlanMember;
type Computing = ForwardMember | HandlerMember | EntryMember;
type PlanMember = WeightsMember | FrozenMember | StoredMember | SweepMember | BudgetMember | GenerateMember;

/** A fragment as it would stand in a file, without comments. */
export function printFragment(node: Fragment): string {
  const printer = new UnitPrinter(new CommentQueue(new SourceFile("", ""), []), false);
  return layOut(printer.fragment(node), lineWidth);
}

type TopLevel = "language" | ImportDeclaration | Declaration;

class UnitPrinter extends StatementPrinter {
  readonly #docsFromTree: boolean;

  constructor(comments: CommentQueue, docsFromTree: boolean) {
    super(comments);
    this.#docsFromTree = docsFromTree;
  }

  // -------------------------------------------------------------- file and declarations

  unit(unit: SourceUnit): Document {
    const parts: Document[] = [];
    let previous: TopLevel | undefined;
    const add = (item: ListItem, part: TopLevel) => {
      if (previous !== undefined) {
        const isSpaced = this.comments.blankBefore(this.startOf(item.span)) || needsSpace(previous, part);
        parts.push(isSpaced ? blankLine : hardLine);
      }
      parts.push(this.slot(item.span, { lineEnd: "adjacent" }, item.print));
      previous = part;
    };
    const { language } = unit;
    if (language !== undefined) {
      const text = `language ${language.text}${language.unit ?? ""}`;
      const start = Math.min(this.comments.tokenBefore(language.span.start, "language"), language.span.start);
      add({ span: { ...language.span, start }, print: () => text }, "language");
    }
    const all = [...unit.imports, ...unit.declarations].sort((a, b) => a.span.start - b.span.start);
    for (const part of all) {
      const print = () => (part.kind === "import" ? this.#import(part) : this.#declaration(part));
      add({ span: part.span, print }, part);
    }
    const rest = this.dangling(Number.POSITIVE_INFINITY, previous !== undefined);
    // What ends a file begins on a line of its own, and that of an empty file on its first.
    return previous === undefined && typeof rest !== "string" && rest.kind === "concat"
      ? series(rest.parts.slice(1))
      : series([...parts, rest]);
  }

  fragment(node: Fragment): Document {
    switch (node.kind) {
      case "forward":
      case "handler":
      case "entry":
        return this.#head(node);
      case "named-type":
      case "tensor-type":
      case "union-type":
      case "list-type":
        return this.type(node);
      case "weights":
      case "frozen":
      case "stored":
      case "sweep":
      case "budget":
      case "generate":
        return this.#bareMember(node);
      default:
        return this.expression(node);
    }
  }

  #import(node: ImportDeclaration): Document {
    const items = node.names.map(({ name, alias }) => ({
      span: alias === undefined ? name.span : { ...name.span, end: alias.span.end },
      print: () => (alias === undefined ? name.name : `${name.name} as ${alias.name}`),
    }));
    const names = this.list("{}", items, { style: "fill", from: node.span.start, padded: true });
    return concat("import ", names, " from ", this.string(node.from));
  }

  #declaration(node: Declaration): Document {
    return this.#documented(node.doc, node.kind === "let" ? this.#let(node) : this.#block(node));
  }

  #let(node: LetDeclaration): Document {
    return concat("let ", node.name.name, this.assigned(node.value));
  }

  #block(node: BlockDeclaration): Document {
    const { name, parameters, base, value } = node;
    const after = name.span.end;
    const isBare = parameters.length === 0 && (base !== undefined || value !== undefined);
    const hasList = !isBare || this.comments.followedBy(after, "(");
    const head: Document[] = [`${node.blockKind} ${name.name}`];
    if (hasList) {
      const from = this.comments.followedBy(after, "(") ? after : Number.POSITIVE_INFINITY;
      const list = this.list(
        "()",
        parameters.map((parameter) => this.#staticParameter(parameter)),
        {
          style: "lines",
          from,
        },
      );
      if (list !== "()" || !isBare) head.push(list);
    }
    if (base !== undefined) head.push(concat(" extends ", this.inline(base)));
    if (value !== undefined) return concat(...head, this.assigned(value));
    const from = base?.span.end ?? parameters.at(-1)?.span.end ?? after;
    return concat(
      ...head,
      " ",
      this.braces(from, () => this.#members(node.members)),
    );
  }

  #staticParameter(node: StaticParameter): ListItem {
    const print = () => this.#documented(node.doc, this.typed(node.name.name, node.type, node.initial));
    return { span: node.span, print };
  }

  #documented(doc: string, printed: Document): Document {
    if (!this.#docsFromTree || doc === "") return printed;
    return concat(series(doc.split("\n").flatMap((text) => [`/// ${text}`, hardLine])), printed);
  }

  // -------------------------------------------------------------- members

  #members(members: readonly Member[]): Document[] {
    return this.sequence(members.map((member) => ({ span: member.span, print: () => this.#member(member) })));
  }

  #member(node: Member): Document {
    return "doc" in node ? this.#documented(node.doc, this.#bareMember(node)) : this.#bareMember(node);
  }

  #bareMember(node: Member): Document {
    const from = node.span.start;
    switch (node.kind) {
      case "let":
        return this.#let(node);
      case "parameter":
        return concat("param ", this.typed(dotted(node), node.type, node.initial));
      case "binding":
        return concat(dotted(node), this.assigned(node.value));
      case "conditional":
        return this.conditional(
          node,
          (members) => this.#members(members),
          (member) => (member.kind === "conditional" ? () => this.#member(member) : undefined),
        );
      case "require":
        return this.require(node);
      case "forward":
      case "handler":
      case "entry":
        return this.body(node.body, this.#head(node));
      case "carry":
        return concat("carry ", this.typed(node.name.name, node.type, node.initial));
      case "input":
        return concat("input ", this.typed(node.name.name, node.type, undefined));
      case "weights": {
        const renames = node.renames.map(({ from: theirs, to, span }) => ({
          span,
          print: () => concat(this.string(theirs), " -> ", this.string(to)),
        }));
        return concat("weights ", this.#record(renames, from, true));
      }
      case "frozen": {
        const patterns = node.patterns.map((pattern) => ({
          span: pattern.span,
          print: () => this.string(pattern),
        }));
        return concat("frozen ", this.#record(patterns, from));
      }
      case "stored":
        return concat("stored ", this.#values(node.options, from));
      case "sweep":
        return concat("sweep ", this.#values(node.axes, from));
      case "budget": {
        const limits = node.limits.map((limit) => ({
          span: limit.span,
          print: () => this.expression(limit),
        }));
        return concat("budget ", this.#record(limits, from));
      }
      case "generate": {
        const head = `generate ${node.name.name} from ${node.first.name} then ${node.next.name}`;
        if (node.options.length === 0 && !this.comments.followedBy(node.next.span.end, "{")) return head;
        return concat(head, " ", this.#values(node.options, node.next.span.end));
      }
    }
  }

  /** What computes, without its body. */
  #head(node: Computing): Document {
    switch (node.kind) {
      case "forward":
        return this.signature("forward", node, node.span.start);
      case "handler": {
        const at = node.at === undefined ? "" : concat("[", this.inline(node.at), "]");
        const after = node.at?.span.end ?? node.site.span.end;
        return this.signature(concat("on ", node.site.name, at), node, after);
      }
      case "entry": {
        const inputs = this.names(node.inputs, node.name.span.end);
        const continues = node.continues === undefined ? "" : ` continues ${node.continues.name}`;
        return this.results(concat(`entry ${node.name.name}`, inputs, continues), node.results);
      }
    }
  }

  #values(values: readonly NamedValue[], from: number): Document {
    const items = values.map(({ name, value, span }) => ({
      span,
      print: () => concat(`${name.name}: `, this.expression(value)),
    }));
    return this.#record(items, from);
  }

  /** Items in braces: in one line only where their author put them in one. */
  #record(items: readonly ListItem[], from: number, isTable = false): Document {
    const [first] = items;
    const broken = isTable || (first !== undefined && this.comments.startsLine(first.span.start));
    return this.list("{}", items, { style: "lines", from, padded: true, broken });
  }
}

function dotted(node: { readonly name: { readonly parts: readonly { readonly name: string }[] } }): string {
  return node.name.parts.map(({ name }) => name).join(".");
}

/** Blocks with a body stand apart, and so do imports from what follows them. */
function needsSpace(before: TopLevel, after: TopLevel): boolean {
  return isRoomy(before) || isRoomy(after) || kindOf(before) !== kindOf(after);
}

function isRoomy(part: TopLevel): boolean {
  return part !== "language" && part.kind === "block" && part.value === undefined;
}

function kindOf(part: TopLevel): string {
  if (part === "language") return part;
  return part.kind === "import" ? part.kind : "declaration";
}
