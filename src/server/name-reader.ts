/**
 * Reads the names of a file from its syntax tree.
 *
 * Owns: what a declaration, a member or a statement names and where it can be seen. Expressions and
 * types are name-reader-expressions.ts. Nothing is evaluated, so this works on broken texts and in
 * branches that no model takes.
 */
import type {
  BlockDeclaration,
  Body,
  DottedName,
  EntryMember,
  Expression,
  ForwardMember,
  HandlerMember,
  InputMember,
  Member,
  SourceUnit,
  Statement,
} from "../lang/ast.ts";
import type { Span } from "../lang/source.ts";
import { ExpressionReader, makeNamed, type NameWatch, type Recorder } from "./name-reader-expressions.ts";
import { NameScope } from "./name-scope.ts";
import type { Binding, BlockNames, FileNames, Imported, Named, NamedKind, Occurrence } from "./names.ts";

export function readNames(unit: SourceUnit, watch?: NameWatch): FileNames {
  const occurrences: Occurrence[] = [];
  const record: Recorder = (name, span, meaning, role = "read") => {
    // Recovery can leave a name that nobody wrote.
    if (span.end > span.start) occurrences.push({ name, span, meaning, role });
  };
  const scope = new NameScope(undefined);
  const top = new Map<string, Binding>();
  const blocks = new Map<BlockDeclaration, BlockNames>();
  const bind = (name: string, binding: Binding): void => {
    if (top.has(name)) return;
    top.set(name, binding);
    scope.define(name, binding);
  };
  for (const declaration of unit.imports) {
    for (const { name, alias } of declaration.names) {
      const { span } = declaration;
      const local = alias === undefined ? undefined : makeNamed("alias", alias, { span });
      const binding: Imported = { kind: "imported", declaration, name, alias: local };
      record(name.name, name.span, { kind: "binding", binding });
      if (alias !== undefined) record(alias.name, alias.span, { kind: "binding", binding }, "definition");
      bind((alias ?? name).name, binding);
    }
  }
  for (const declaration of unit.declarations) {
    const { name, doc, span, value } = declaration;
    const named =
      declaration.kind === "block"
        ? makeNamed("block", name, { doc, span, value, block: declaration })
        : makeNamed("constant", name, { doc, span, value });
    record(name.name, name.span, { kind: "binding", binding: named }, "definition");
    bind(name.name, named);
  }
  for (const declaration of unit.declarations) {
    if (declaration.kind === "let") new ExpressionReader(record, watch).read(declaration.value, scope);
    else blocks.set(declaration, new BlockReader(declaration, scope, record, watch).read());
  }
  occurrences.sort((a, b) => a.span.start - b.span.start);
  return { file: unit.file, unit, occurrences, top, blocks };
}

/** Reads one block: its parameters, then what its members name, then what they hold. */
class BlockReader {
  readonly #block: BlockDeclaration;
  readonly #reader: ExpressionReader;
  readonly #statics: NameScope;
  readonly #scope: NameScope;
  /** Sizes that inputs introduce. */
  readonly #sizes: NameScope;
  readonly #carries: NameScope;
  readonly #members = new Map<string, Named>();
  readonly #arguments = new Map<string, Named>();
  readonly #inputs = new Map<string, Named>();
  readonly #entries = new Map<string, Named>();
  readonly #handled = new Map<string, Map<string, Named>>();

  constructor(block: BlockDeclaration, file: NameScope, record: Recorder, watch: NameWatch | undefined) {
    this.#block = block;
    this.#reader = new ExpressionReader(record, watch, block);
    this.#statics = new NameScope(file, block.base === undefined ? undefined : block);
    this.#scope = new NameScope(this.#statics);
    this.#sizes = new NameScope(this.#scope);
    this.#carries = new NameScope(this.#scope);
  }

  read(): BlockNames {
    const reader = this.#reader;
    const parameters = new Map<string, Named>();
    for (const { name, type, initial, doc, span } of this.#block.parameters) {
      reader.readType(type, this.#statics);
      if (initial !== undefined) reader.read(initial, this.#statics);
      const named = reader.define("parameter", name, this.#statics, { doc, span, type, value: initial });
      if (!parameters.has(name.name)) parameters.set(name.name, named);
    }
    const { value, base, members } = this.#block;
    if (value !== undefined) reader.read(value, this.#statics);
    if (base !== undefined) reader.read(base, this.#statics);
    this.#name(members);
    this.#hold(members);
    return {
      declaration: this.#block,
      parameters,
      members: this.#members,
      arguments: this.#arguments,
      inputs: this.#inputs,
      entries: this.#entries,
      handled: this.#handled,
    };
  }

  /** Members can use one another in any order: all names first. */
  #name(members: readonly Member[]): void {
    for (const member of members) {
      switch (member.kind) {
        case "let": {
          const { name, doc, span, value } = member;
          const named = this.#reader.define("value", name, this.#scope, {
            doc,
            span,
            value,
            path: name.name,
          });
          if (!this.#members.has(name.name)) this.#members.set(name.name, named);
          break;
        }
        case "parameter":
          this.#nameDotted("tensor", member.name, { ...member, value: member.initial });
          break;
        case "binding":
          this.#nameDotted("part", member.name, { ...member, type: undefined });
          break;
        case "conditional":
          this.#name([...member.consequent, ...member.alternate]);
          break;
        case "carry": {
          const { name, doc, span, type, initial } = member;
          this.#reader.define("carry", name, this.#carries, { doc, span, type, value: initial });
          break;
        }
        case "input":
          this.#nameInput(member);
          break;
        case "entry": {
          const { name, doc, span } = member;
          this.#entries.set(name.name, this.#reader.define("entry", name, undefined, { doc, span }));
          break;
        }
        default:
          break;
      }
    }
  }

  #nameInput({ name, type, doc, span }: InputMember): void {
    this.#inputs.set(name.name, this.#reader.define("input", name, undefined, { doc, span, type }));
    this.#reader.introduceSizes([type], this.#sizes);
  }

  /** Each first part of a dotted name is a name too, which several members share. */
  #nameDotted(
    kind: NamedKind,
    dotted: DottedName,
    { doc, span, type, value }: Pick<Named, "doc" | "span" | "type" | "value">,
  ): void {
    let path = "";
    for (const [i, part] of dotted.parts.entries()) {
      path = i === 0 ? part.name : `${path}.${part.name}`;
      const isLast = i === dotted.parts.length - 1;
      let named = this.#members.get(path);
      const details = isLast ? { doc, type, value } : {};
      if (named === undefined) {
        named = makeNamed(isLast ? kind : "part", part, { span, owner: this.#block, path, ...details });
      } else {
        // What a group of members stands for by itself may be written after what it contains.
        const isFirstValue = isLast && named.value === undefined;
        Object.assign(named, isFirstValue ? { ...details, span } : {}, {
          spans: [...named.spans, part.span],
        });
      }
      this.#members.set(path, named);
      if (i === 0) this.#scope.define(part.name, named);
      this.#reader.record(part.name, part.span, { kind: "binding", binding: named }, "definition");
    }
  }

  #hold(members: readonly Member[]): void {
    const reader = this.#reader;
    for (const member of members) {
      switch (member.kind) {
        case "let":
        case "binding":
          reader.read(member.value, this.#scope);
          break;
        case "parameter":
          reader.readType(member.type, this.#scope);
          if (member.initial !== undefined) reader.read(member.initial, this.#scope);
          break;
        case "conditional":
          reader.read(member.condition, this.#scope);
          this.#hold([...member.consequent, ...member.alternate]);
          break;
        case "require":
          reader.read(member.condition, this.#scope);
          break;
        case "forward":
          this.#readForward(member, this.#scope, this.#arguments);
          break;
        case "handler":
          this.#readHandler(member);
          break;
        case "carry":
          if (member.type !== undefined) reader.readType(member.type, this.#scope);
          reader.read(member.initial, this.#scope);
          break;
        case "input":
          reader.readType(member.type, this.#sizes);
          break;
        case "entry":
          this.#readEntry(member);
          break;
        case "weights":
        case "frozen":
          break;
        case "stored":
          for (const { value } of member.options) reader.read(value, this.#scope);
          break;
        case "sweep":
          for (const { name, value } of member.axes) {
            reader.watch(name.name, this.#statics);
            reader.record(name.name, name.span, this.#statics.meaning(name.name));
            reader.read(value, this.#scope);
          }
          break;
        case "budget":
          for (const limit of member.limits) this.#readLimit(limit);
          break;
        case "generate": {
          const { name, span } = member;
          reader.define("generation", name, undefined, { span });
          for (const entry of [member.first, member.next]) this.#readEntryName(entry.name, entry.span);
          for (const option of member.options) {
            reader.record(option.name.name, option.name.span, { kind: "word", word: option.name.name });
            reader.read(option.value, this.#scope);
          }
          break;
        }
      }
    }
  }

  #readForward(
    member: ForwardMember | HandlerMember,
    parent: NameScope,
    arguments_: Map<string, Named>,
  ): void {
    const reader = this.#reader;
    const frame = new NameScope(parent);
    reader.introduceSizes(
      member.parameters.map(({ type }) => type),
      frame,
    );
    for (const { name, type, initial, span } of member.parameters) {
      reader.readType(type, frame);
      if (initial !== undefined) reader.read(initial, frame);
      const named = reader.define("argument", name, frame, { span, type, value: initial });
      if (!arguments_.has(name.name)) arguments_.set(name.name, named);
    }
    this.#readResults(member.results, frame);
    for (const condition of member.where) reader.read(condition, frame);
    this.#readBody(member.body, frame);
  }

  #readHandler(member: HandlerMember): void {
    const reader = this.#reader;
    const site = member.site.name;
    reader.watch(site, this.#scope);
    reader.record(site, member.site.span, { kind: "site", site }, "definition");
    if (member.at !== undefined) reader.read(member.at, this.#carries);
    const handled = this.#handled.get(site) ?? new Map<string, Named>();
    this.#handled.set(site, handled);
    this.#readForward(member, this.#carries, handled);
  }

  #readEntry(member: EntryMember): void {
    const reader = this.#reader;
    const frame = new NameScope(this.#sizes);
    for (const { name, span } of member.inputs) {
      const input = this.#inputs.get(name);
      if (input !== undefined) frame.define(name, input);
      reader.watch(name, this.#scope);
      reader.record(name, span, this.#inherited(name, input));
    }
    if (member.continues !== undefined) this.#readEntryName(member.continues.name, member.continues.span);
    this.#readResults(member.results, frame);
    this.#readBody(member.body, frame);
  }

  #readEntryName(name: string, span: Span): void {
    this.#reader.watch(name, this.#scope);
    this.#reader.record(name, span, this.#inherited(name, this.#entries.get(name)));
  }

  /** An input or an entry: of this block, or else of the one that it extends. */
  #inherited(name: string, own: Named | undefined): Occurrence["meaning"] {
    if (own !== undefined) return { kind: "binding", binding: own };
    const otherwise: Occurrence["meaning"] = { kind: "word", word: name };
    return this.#block.base === undefined
      ? otherwise
      : { kind: "inherited", block: this.#block, name, otherwise };
  }

  /** `macs(prefill, seconds: 10) <= 32G` */
  #readLimit(limit: Expression): void {
    const reader = this.#reader;
    const measured = limit.kind === "binary" ? limit.left : limit;
    const measure = measured.kind === "call" ? measured.callee : measured;
    if (measure.kind !== "name") {
      reader.read(limit, this.#sizes);
      return;
    }
    reader.watch(measure.name, this.#scope);
    reader.record(measure.name, measure.span, { kind: "word", word: measure.name });
    for (const { name, value } of measured.kind === "call" ? measured.arguments : []) {
      if (name !== undefined) reader.record(name.name, name.span, this.#sizes.meaning(name.name));
      if (name === undefined && value.kind === "name") this.#readEntryName(value.name, value.span);
      else reader.read(value, this.#sizes);
    }
    if (limit.kind === "binary") reader.read(limit.right, this.#sizes);
  }

  #readResults(results: ForwardMember["results"], frame: NameScope): void {
    this.#reader.introduceSizes(
      results.map(({ type }) => type),
      frame,
    );
    for (const { name, type, span } of results) {
      if (name !== undefined) this.#reader.define("result", name, undefined, { span, type });
      this.#reader.readType(type, frame);
    }
  }

  #readBody(body: Body, frame: NameScope): void {
    this.#readStatements(body.statements, frame);
    this.#reader.read(body.result, frame);
  }

  #readStatements(statements: readonly Statement[], scope: NameScope): void {
    const reader = this.#reader;
    for (const statement of statements) {
      switch (statement.kind) {
        case "let": {
          const { names, type, value, span } = statement;
          reader.read(value, scope);
          if (type !== undefined) {
            reader.introduceSizes([type], scope);
            reader.readType(type, scope);
          }
          for (const [i, name] of names.entries()) {
            const position = names.length === 1 ? undefined : i;
            reader.define("variable", name, scope, { span, type, value, position });
          }
          break;
        }
        case "assign":
          reader.read(statement.value, scope);
          for (const { name, span } of statement.names) {
            if (name === "_") continue;
            reader.watch(name, scope);
            reader.record(name, span, scope.meaning(name), "write");
          }
          break;
        case "for": {
          const { index, variable, iterable, span } = statement;
          reader.read(iterable, scope);
          const inner = new NameScope(scope);
          if (index !== undefined) reader.define("variable", index, inner, { span });
          reader.define("variable", variable, inner, { span, value: iterable });
          this.#readStatements(statement.statements, inner);
          break;
        }
        case "if":
          reader.read(statement.condition, scope);
          this.#readStatements(statement.consequent, new NameScope(scope));
          this.#readStatements(statement.alternate, new NameScope(scope));
          break;
        case "require":
          reader.read(statement.condition, scope);
          break;
      }
    }
  }
}
