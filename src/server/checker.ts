/**
 * When open files are checked, and what the editor is told.
 *
 * Owns: working in short slices between requests, in the order in which a user wants to know: the part
 * that was edited, the rest of that file, then files that import it. Mistakes in files that are not open
 * are told under their own names.
 */
import type { PublishDiagnosticsParams } from "vscode-languageserver";
import type { Diagnostic } from "../lang/diagnostic.ts";
import { toLspDiagnostic } from "./lsp-diagnostics.ts";
import type { OpenDocument, Workspace } from "./workspace.ts";

/** Milliseconds of work before requests get their turn. */
const slice = 12;
/** Milliseconds without an edit before what was not edited is looked at: a keystroke never waits for it. */
const pause = 300;
/** The part that was edited gets as long at once: an answer is better than a turn. */
const editSlice = 60;

export class Checker {
  readonly #workspace: Workspace;
  readonly #publish: (params: PublishDiagnosticsParams) => void;
  /** What the editor was told last, by path. */
  readonly #told = new Map<string, string>();
  readonly #onChecked: () => void;
  #isScheduled = false;
  #isClosed = false;
  #timer: NodeJS.Timeout | undefined;
  #lastEdit = Number.NEGATIVE_INFINITY;
  /** What was edited last comes first. */
  #first: OpenDocument | undefined;

  /** `onChecked` is called whenever all that is known of a file is up to date. */
  constructor(
    workspace: Workspace,
    publish: (params: PublishDiagnosticsParams) => void,
    onChecked: () => void,
  ) {
    this.#workspace = workspace;
    this.#publish = publish;
    this.#onChecked = onChecked;
  }

  /** Looks at what is stale soon, and at the rest once nobody types. */
  schedule(edited?: OpenDocument): void {
    if (edited !== undefined) {
      this.#first = edited;
      this.#lastEdit = performance.now();
    }
    if (this.#isClosed) return;
    const isNews = [...this.#workspace.documents].some(({ isStale }) => isStale);
    if (isNews) clearTimeout(this.#timer);
    else if (this.#timer !== undefined) return;
    const run = (): void => {
      this.#timer = undefined;
      this.#isScheduled = false;
      if (!this.#isClosed) this.#step();
    };
    const rest = this.#lastEdit + pause - performance.now();
    if (!isNews && rest > 0) {
      this.#timer = setTimeout(run, rest);
      return;
    }
    this.#timer = undefined;
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(run);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #step(): void {
    const next = this.#next();
    if (next === undefined) return;
    const { analysis } = next;
    const isNews = next.isStale;
    this.#workspace.refresh(next);
    const started = performance.now();
    const since = (): number => performance.now() - started;
    if (isNews) analysis.work(() => analysis.isEditChecked || since() > editSlice);
    else analysis.work(() => since() > slice);
    if (isNews || !analysis.isPending) this.tell(next);
    if (!analysis.isPending) this.#onChecked();
    this.schedule();
  }

  #next(): OpenDocument | undefined {
    const documents = [...this.#workspace.documents];
    const first = documents.find((document) => document === this.#first);
    const ordered = first === undefined ? documents : [first, ...documents.filter((d) => d !== first)];
    return (
      ordered.find(({ isStale }) => isStale) ??
      ordered.find(({ analysis }) => analysis.isPending) ??
      undefined
    );
  }

  /** Tells what is known of a document and of the files that it imports. */
  tell(document: OpenDocument): void {
    this.#tellPath(document.path, document);
    for (const path of this.#outside()) this.#tellPath(path, undefined);
  }

  /** After a file was closed: what is left to say of it. */
  forget(document: OpenDocument): void {
    this.#told.set(document.path, "?");
    this.#tellPath(document.path, undefined, document.uri);
  }

  /** Files that are not open and about which there is, or was, something to say. */
  #outside(): Set<string> {
    const paths = new Set(this.#told.keys());
    for (const { analysis } of this.#workspace.documents) {
      for (const { primary } of analysis.diagnostics()) {
        if (primary !== undefined) paths.add(primary.span.file.path);
      }
    }
    for (const { path } of this.#workspace.documents) paths.delete(path);
    return paths;
  }

  #tellPath(path: string, document: OpenDocument | undefined, writtenUri?: string): void {
    const uri = document?.uri ?? writtenUri ?? this.#workspace.host.uriOf(path);
    const found = document === undefined ? this.#foundElsewhere(path) : this.#foundIn(document);
    const diagnostics = found.flatMap((one) => toLspDiagnostic(one, path, this.#workspace) ?? []);
    const text = JSON.stringify([document?.version, diagnostics]);
    const known = this.#told.get(path);
    if (known === text || (known === undefined && document === undefined && diagnostics.length === 0)) return;
    if (document === undefined && diagnostics.length === 0) this.#told.delete(path);
    else this.#told.set(path, text);
    this.#publish({
      uri,
      diagnostics,
      ...(document === undefined ? {} : { version: document.version }),
    });
  }

  #foundIn({ analysis, path }: OpenDocument): readonly Diagnostic[] {
    return analysis.diagnostics().filter(({ primary }) => {
      // What has no place in any file is about the file as a whole.
      return primary === undefined || primary.span.file.path === path;
    });
  }

  #foundElsewhere(path: string): readonly Diagnostic[] {
    const found = new Map<string, Diagnostic>();
    for (const { analysis } of this.#workspace.documents) {
      for (const diagnostic of analysis.diagnostics()) {
        const span = diagnostic.primary?.span;
        if (span?.file.path === path) found.set(`${diagnostic.code} ${span.start} ${span.end}`, diagnostic);
      }
    }
    return [...found.values()];
  }
}
