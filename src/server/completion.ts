/**
 * What could be written next.
 *
 * Owns: which names fit a place, in the order in which they are likely. How the place is found is
 * cursor.ts's and probe.ts's.
 */
import {
  type CompletionItem,
  CompletionItemKind,
  InsertTextFormat,
  MarkupKind,
  type Position,
} from "vscode-languageserver";
import { languageFunctionNames } from "../lang/builtins.ts";
import { initializerNames } from "../lang/initializers.ts";
import type { SourceFile } from "../lang/source.ts";
import type { Value } from "../lang/value.ts";
import { memberCandidates, parametersOfCall } from "./candidates.ts";
import {
  expressionWords,
  memberWords,
  snippetText,
  statementWords,
  staticTypes,
  tensorTypes,
  topWords,
  type WordItem,
} from "./completion-words.ts";
import { type Cursor, cursorAt } from "./cursor.ts";
import { namedText, opHead, short, valueText } from "./describe.ts";
import { exportsFor, importEdit } from "./exports.ts";
import type { Meanings } from "./meanings.ts";
import type { Named, NamedKind } from "./names.ts";
import { offsetOf, positionOf, rangeOf } from "./places.ts";
import { callAround, type Probe, probeAt } from "./probe.ts";
import { namesOf } from "./readings.ts";
import type { OpenDocument, Workspace } from "./workspace.ts";

export interface CompletionOptions {
  /** Whether the editor fills in places of a snippet. */
  readonly snippets: boolean;
}

export function completionsAt(
  document: OpenDocument,
  position: Position,
  workspace: Workspace,
  meanings: Meanings,
  options: CompletionOptions,
): CompletionItem[] {
  const offset = offsetOf(document.file, position);
  const cursor = cursorAt(document.file, offset);
  const list = new Completions(document, cursor, workspace, meanings, options);
  list.fill();
  return list.items;
}

class Completions {
  readonly items: CompletionItem[] = [];
  readonly #file: SourceFile;
  readonly #cursor: Cursor;
  readonly #workspace: Workspace;
  readonly #meanings: Meanings;
  readonly #options: CompletionOptions;
  readonly #seen = new Set<string>();

  constructor(
    { file }: OpenDocument,
    cursor: Cursor,
    workspace: Workspace,
    meanings: Meanings,
    options: CompletionOptions,
  ) {
    this.#file = file;
    this.#cursor = cursor;
    this.#workspace = workspace;
    this.#meanings = meanings;
    this.#options = options;
  }

  fill(): void {
    const { place } = this.#cursor;
    switch (place.kind) {
      case "nothing":
        return;
      case "import-path":
        this.#paths(place);
        return;
      case "import-name":
        this.#importable();
        return;
      case "top":
        this.#words(topWords, "1");
        return;
      case "members":
        this.#words(memberWords(place.blockKind), "1");
        return;
      case "site":
        for (const site of this.#sites()) this.#add({ label: site, kind: CompletionItemKind.Event }, "1");
        return;
      default:
    }
    const probe = probeAt(this.#file, this.#cursor);
    switch (place.kind) {
      case "member":
        if (probe !== undefined) this.#members(probe);
        return;
      case "type":
        this.#words(tensorTypes, place.isTensor ? "1" : "3");
        this.#words(staticTypes, place.isTensor ? "3" : "1");
        return;
      case "input":
      case "entry":
        this.#ofBlock(place.kind);
        return;
      case "statement":
        this.#words(statementWords, "3");
        break;
      default:
        if (probe !== undefined && place.kind === "expression" && place.startsArgument)
          this.#arguments(probe);
    }
    this.#expression(probe);
  }

  // -------------------------------------------------------------- imports

  #paths({ start, end, written }: Extract<Cursor["place"], { kind: "import-path" }>): void {
    const folder = written.slice(0, written.lastIndexOf("/") + 1);
    const range = rangeOf(this.#file.span(start, end));
    const offered =
      folder === ""
        ? ["ossicle/", "./", "../"]
        : this.#workspace.host
            .list(folder, this.#file.path, this.#workspace.folders)
            .map((name) => `${folder}${name}`);
    for (const path of offered) {
      const isFolder = path.endsWith("/");
      const kind = isFolder ? CompletionItemKind.Folder : CompletionItemKind.File;
      const again = isFolder ? { command: { title: "more", command: "editor.action.triggerSuggest" } } : {};
      this.#add({ label: path, kind, filterText: path, textEdit: { range, newText: path }, ...again }, "1");
    }
  }

  /** What the file of the import offers, without what is imported already. */
  #importable(): void {
    const { start } = this.#cursor;
    const rest = this.#file.text.slice(start);
    const path = /^[^}"]*\}\s*from\s*"([^"\r\n]*)"/.exec(rest)?.[1];
    const before = this.#file.text.slice(0, start);
    const written = new Set(before.slice(before.lastIndexOf("{")).match(/\w+/g) ?? []);
    if (path === undefined) {
      for (const { named, specifier } of exportsFor(this.#file, this.#workspace)) {
        this.#named(named, "1", { detail: specifier });
      }
      return;
    }
    const other = this.#workspace.load(path, this.#file);
    for (const binding of other === undefined ? [] : namesOf(other).top.values()) {
      if (binding.kind === "imported" || binding.name.startsWith("_") || written.has(binding.name)) continue;
      this.#named(binding, "1");
    }
  }

  // -------------------------------------------------------------- names

  #members(probe: Probe): void {
    const expression = probe.nodes.findLast((node) => node.kind === "member");
    for (const { name, named, value } of memberCandidates(
      expression,
      probe,
      this.#file,
      this.#workspace,
      this.#meanings,
    )) {
      if (named !== undefined) this.#named(named, "1", { label: name });
      else this.#value(name, value);
    }
  }

  #value(name: string, value: Value | undefined): void {
    const detail = value === undefined ? undefined : valueText(value);
    this.#add(
      { label: name, kind: CompletionItemKind.Field, ...(detail === undefined ? {} : { detail }) },
      "2",
    );
  }

  #arguments(probe: Probe): void {
    const call = callAround(probe);
    if (call === undefined) return;
    const given = new Set(call.arguments.flatMap(({ name }) => name?.name ?? []));
    for (const { name, text, doc } of parametersOfCall(
      call,
      probe,
      this.#file,
      this.#workspace,
      this.#meanings,
    )) {
      if (given.has(name)) continue;
      this.#add(
        {
          label: `${name}:`,
          filterText: name,
          insertText: `${name}: `,
          kind: CompletionItemKind.Property,
          detail: text,
          ...documented(doc),
        },
        "0",
      );
    }
  }

  #expression(probe: Probe | undefined): void {
    const visible = probe?.scope?.visible();
    for (const [name, binding] of visible?.bindings ?? []) {
      if (name.startsWith("zzz") || name.startsWith("*")) continue;
      if (binding.kind !== "imported") {
        this.#named(binding, binding.owner === undefined ? "3" : "1", { label: name });
        continue;
      }
      const named = this.#meanings.imported(binding, namesOf(this.#file));
      if (named !== undefined) this.#named(named, "3", { label: name });
    }
    for (const block of visible?.inheriting ?? []) {
      const names = probe?.names.blocks.get(block);
      const [, ...bases] = names === undefined ? [] : this.#meanings.lineage(names);
      for (const base of bases) for (const named of base.members.values()) this.#named(named, "2");
    }
    this.#words(expressionWords, "5");
    this.#ops();
    if (this.#cursor.end - this.#cursor.start > 1) this.#autoImports();
  }

  #ops(): void {
    const { catalog } = this.#workspace;
    for (const name of catalog.names()) {
      const op = catalog.find(name);
      if (op === undefined) continue;
      this.#add(
        {
          label: name,
          kind: CompletionItemKind.Function,
          detail: short(opHead(op)),
          ...documented(op.summary),
        },
        "4",
      );
    }
    const detail = "of the language";
    for (const label of [...languageFunctionNames, ...initializerNames]) {
      this.#add({ label, kind: CompletionItemKind.Function, detail }, "4");
    }
    this.#add({ label: "pi", kind: CompletionItemKind.Constant, detail }, "5");
  }

  /** Names of other files, which choosing them imports. */
  #autoImports(): void {
    const typed = this.#file.text.slice(this.#cursor.start, this.#cursor.end).toLowerCase();
    for (const { named, specifier } of exportsFor(this.#file, this.#workspace)) {
      if (!named.name.toLowerCase().startsWith(typed.slice(0, 2))) continue;
      const edit = importEdit(this.#file, named.name, specifier);
      const at = positionOf(this.#file, edit.offset);
      this.#named(named, "6", {
        detail: specifier,
        additionalTextEdits: [{ range: { start: at, end: at }, newText: edit.text }],
      });
    }
  }

  /** Inputs or entries of the block that the cursor is in. */
  #ofBlock(kind: "input" | "entry"): void {
    const names = namesOf(this.#file);
    const { start } = this.#cursor;
    for (const block of names.blocks.values()) {
      const { span } = block.declaration;
      if (start < span.start || start > span.end) continue;
      for (const { inputs, entries } of this.#meanings.lineage(block)) {
        for (const named of (kind === "input" ? inputs : entries).values()) this.#named(named, "1");
      }
    }
  }

  #sites(): ReadonlySet<string> {
    const found = new Set<string>();
    for (const file of this.#workspace.sources()) {
      for (const { meaning } of namesOf(file).occurrences)
        if (meaning.kind === "site") found.add(meaning.site);
    }
    return found;
  }

  // -------------------------------------------------------------- items

  #named(named: Named, order: string, parts: Partial<CompletionItem> = {}): void {
    const name = named.path === undefined ? named.name : (named.path.split(".").at(-1) ?? named.name);
    this.#add(
      {
        label: name,
        kind: itemKinds[named.kind],
        detail: short(namedText(named).replace(/\s+/g, " ")),
        ...documented(named.doc),
        ...parts,
      },
      order,
    );
  }

  #words(words: readonly WordItem[], order: string): void {
    for (const { word, detail, snippet } of words) {
      const insert =
        snippet !== undefined && this.#options.snippets
          ? { insertText: snippetText(snippet), insertTextFormat: InsertTextFormat.Snippet }
          : {};
      this.#add({ label: word, kind: CompletionItemKind.Keyword, detail, ...insert }, order);
    }
  }

  #add(item: CompletionItem, order: string): void {
    if (this.#seen.has(item.label)) return;
    this.#seen.add(item.label);
    this.items.push({ ...item, sortText: `${order}${item.label}` });
  }
}

function documented(doc: string): Partial<CompletionItem> {
  return doc === "" ? {} : { documentation: { kind: MarkupKind.Markdown, value: doc } };
}

const itemKinds: Readonly<Record<NamedKind, CompletionItemKind>> = {
  block: CompletionItemKind.Class,
  constant: CompletionItemKind.Constant,
  value: CompletionItemKind.Variable,
  variable: CompletionItemKind.Variable,
  parameter: CompletionItemKind.TypeParameter,
  part: CompletionItemKind.Module,
  tensor: CompletionItemKind.Field,
  argument: CompletionItemKind.Variable,
  size: CompletionItemKind.Unit,
  input: CompletionItemKind.Variable,
  entry: CompletionItemKind.Method,
  carry: CompletionItemKind.Variable,
  result: CompletionItemKind.Variable,
  generation: CompletionItemKind.Method,
  alias: CompletionItemKind.Class,
};
