/**
 * The language server: what each request of the protocol is answered with.
 *
 * Owns: the connection, what the server says it can do, and that no request ends it. The answers are the
 * other files'; files and folders are the host's.
 */
import {
  CodeActionKind,
  type CodeActionParams,
  type Connection,
  DidChangeConfigurationNotification,
  DidChangeWatchedFilesNotification,
  type InitializeParams,
  type InitializeResult,
  type Location,
  LSPErrorCodes,
  MarkupKind,
  type Position,
  ResponseError,
  TextDocumentSyncKind,
  TextDocuments,
  type TextEdit,
  type WorkspaceEdit,
} from "vscode-languageserver";
import { TextDocument } from "vscode-languageserver-textdocument";
import type { OpCatalog } from "../lang/catalog.ts";
import { format } from "../lang/format.ts";
import type { Span } from "../lang/source.ts";
import { codeActions } from "./actions.ts";
import { Checker } from "./checker.ts";
import { completionsAt } from "./completion.ts";
import type { SourceHost } from "./host.ts";
import { hoverAt } from "./hover.ts";
import { inlayHints } from "./inlay-hints.ts";
import { Meanings } from "./meanings.ts";
import { offsetOf, rangeOf, wholeRange } from "./places.ts";
import { namesOf } from "./readings.ts";
import { definitions, type Pointed, pointedAt, references } from "./references.ts";
import { cannotRename, rename } from "./rename.ts";
import { readSettings, sectionOf } from "./settings.ts";
import { signatureHelpAt } from "./signature-help.ts";
import { documentSymbols, foldingRanges } from "./symbols.ts";
import { type OpenDocument, Workspace } from "./workspace.ts";

/** Milliseconds that a hover waits for values that are still being computed. */
const patience = 250;

/** Answers requests on the connection until it ends. */
export function serve(connection: Connection, host: SourceHost, catalog: OpCatalog): void {
  new Server(connection, host, catalog).listen();
}

interface At {
  readonly textDocument: { readonly uri: string };
  readonly position: Position;
}

class Server {
  readonly #connection: Connection;
  readonly #workspace: Workspace;
  readonly #meanings: Meanings;
  readonly #checker: Checker;
  readonly #documents = new TextDocuments(TextDocument);
  #capabilities: InitializeParams["capabilities"] = {};

  constructor(connection: Connection, host: SourceHost, catalog: OpCatalog) {
    this.#connection = connection;
    this.#workspace = new Workspace(host, catalog);
    this.#meanings = new Meanings(this.#workspace);
    this.#checker = new Checker(
      this.#workspace,
      (params) => void connection.sendDiagnostics(params),
      () => this.#refreshHints(),
    );
  }

  listen(): void {
    const connection = this.#connection;
    connection.onInitialize((params) => this.#initialize(params));
    connection.onInitialized(() => this.#initialized());
    connection.onShutdown(() => this.#checker.close());
    connection.onDidChangeConfiguration(({ settings }) => void this.#configure(settings));
    connection.onDidChangeWatchedFiles(({ changes }) => {
      for (const { uri } of changes) this.#workspace.touch(this.#workspace.host.pathOf(uri), true);
      this.#checker.schedule();
    });
    this.#documents.onDidChangeContent(({ document }) => {
      const { uri, version } = document;
      this.#checker.schedule(this.#workspace.edit(uri, version, document.getText()));
    });
    this.#documents.onDidClose(({ document }) => {
      const closed = this.#workspace.close(document.uri);
      if (closed !== undefined) this.#checker.forget(closed);
      this.#checker.schedule();
    });
    this.#answer();
    this.#documents.listen(connection);
    connection.listen();
  }

  #initialize({
    capabilities,
    workspaceFolders,
    rootUri,
    initializationOptions,
  }: InitializeParams): InitializeResult {
    this.#capabilities = capabilities;
    const roots = workspaceFolders?.map(({ uri }) => uri) ?? (rootUri == null ? [] : [rootUri]);
    this.#workspace.folders = roots.map((uri) => this.#workspace.host.pathOf(uri));
    this.#workspace.settings = readSettings(sectionOf(initializationOptions));
    return {
      capabilities: {
        textDocumentSync: TextDocumentSyncKind.Incremental,
        hoverProvider: true,
        definitionProvider: true,
        referencesProvider: true,
        documentHighlightProvider: true,
        renameProvider: { prepareProvider: true },
        completionProvider: { triggerCharacters: [".", "/", '"', "(", ","] },
        signatureHelpProvider: { triggerCharacters: ["(", ","], retriggerCharacters: [")"] },
        inlayHintProvider: true,
        documentFormattingProvider: true,
        codeActionProvider: { codeActionKinds: [CodeActionKind.QuickFix] },
        documentSymbolProvider: true,
        foldingRangeProvider: true,
        workspace: { workspaceFolders: { supported: true, changeNotifications: true } },
      },
      serverInfo: { name: "ossicle", version: this.#workspace.host.version },
    };
  }

  #initialized(): void {
    const { workspace } = this.#capabilities;
    const connection = this.#connection;
    const quietly = (asked: Promise<unknown>): void => void asked.catch(() => undefined);
    if (workspace?.didChangeConfiguration?.dynamicRegistration === true) {
      quietly(connection.client.register(DidChangeConfigurationNotification.type, { section: "ossicle" }));
    }
    if (workspace?.didChangeWatchedFiles?.dynamicRegistration === true) {
      const watchers = [{ globPattern: "**/*.oss" }];
      quietly(connection.client.register(DidChangeWatchedFilesNotification.type, { watchers }));
    }
    if (workspace?.workspaceFolders === true) {
      connection.workspace.onDidChangeWorkspaceFolders(({ added, removed }) => {
        const gone = new Set(removed.map(({ uri }) => this.#workspace.host.pathOf(uri)));
        const kept = this.#workspace.folders.filter((path) => !gone.has(path));
        this.#workspace.folders = [...kept, ...added.map(({ uri }) => this.#workspace.host.pathOf(uri))];
        this.#workspace.touchAll();
        this.#checker.schedule();
      });
    }
    void this.#configure(undefined);
  }

  /** Asks the editor for its settings, where it can be asked; else takes what it sent. */
  async #configure(sent: unknown): Promise<void> {
    const isAsked = this.#capabilities.workspace?.configuration === true;
    try {
      const set: unknown = isAsked
        ? await this.#connection.workspace.getConfiguration("ossicle.set")
        : sectionOf(sent);
      if (!isAsked && set === undefined) return;
      this.#workspace.settings = readSettings(set);
    } catch {
      // An editor that does not answer has no settings.
      return;
    }
    this.#workspace.touchAll();
    this.#checker.schedule();
  }

  get #canRefreshHints(): boolean {
    return this.#capabilities.workspace?.inlayHint?.refreshSupport === true;
  }

  #refreshHints(): void {
    if (this.#canRefreshHints) this.#connection.languages.inlayHint.refresh().catch(() => undefined);
  }

  #answer(): void {
    const connection = this.#connection;
    const workspace = this.#workspace;
    const meanings = this.#meanings;
    connection.onHover((at) =>
      this.#at(at, undefined, (document, offset) => {
        this.#wait(document);
        const found = hoverAt(document, offset, workspace, meanings);
        if (found === undefined) return undefined;
        return {
          contents: { kind: MarkupKind.Markdown, value: found.markdown },
          range: rangeOf(found.span),
        };
      }),
    );
    connection.onDefinition((at) =>
      this.#at(at, [], (document, offset) => {
        const pointed = this.#pointed(document, offset);
        return pointed === undefined ? [] : this.#locations(definitions(pointed, workspace, meanings));
      }),
    );
    connection.onReferences((params) =>
      this.#at(params, [], (document, offset) => {
        const pointed = this.#pointed(document, offset);
        const found = pointed === undefined ? [] : references(pointed.target, workspace, meanings);
        const wanted = found.filter(({ role }) => params.context.includeDeclaration || role !== "definition");
        return this.#locations(wanted.map(({ span }) => span));
      }),
    );
    connection.onDocumentHighlight((at) =>
      this.#at(at, [], (document, offset) => {
        const pointed = this.#pointed(document, offset);
        const found = pointed === undefined ? [] : references(pointed.target, workspace, meanings);
        return found
          .filter(({ span }) => span.file.path === document.path)
          .map(({ span }) => ({ range: rangeOf(span) }));
      }),
    );
    connection.onPrepareRename((at) =>
      this.#at(at, undefined, (document, offset) => {
        const pointed = this.#pointed(document, offset);
        const refusal = cannotRename(pointed, workspace, meanings);
        if (refusal !== undefined || pointed === undefined) throw refused(refusal ?? "");
        return { range: rangeOf(pointed.span), placeholder: pointed.occurrence?.name ?? "" };
      }),
    );
    connection.onRenameRequest((params) =>
      this.#at(params, undefined, (document, offset): WorkspaceEdit => {
        const found = rename(this.#pointed(document, offset), params.newName, workspace, meanings);
        if (!found.ok) throw refused(found.reason);
        const changes: Record<string, TextEdit[]> = {};
        for (const { uri, range } of this.#locations(found.spans)) {
          changes[uri] = [...(changes[uri] ?? []), { range, newText: params.newName }];
        }
        return { changes };
      }),
    );
    connection.onCompletion((at) =>
      this.#at(at, [], (document) => {
        const snippets = this.#capabilities.textDocument?.completion?.completionItem?.snippetSupport === true;
        return completionsAt(document, at.position, workspace, meanings, { snippets });
      }),
    );
    connection.onSignatureHelp((at) =>
      this.#at(at, undefined, (document, offset) => signatureHelpAt(document, offset, workspace, meanings)),
    );
    connection.languages.inlayHint.on(({ textDocument, range }) =>
      this.#in(textDocument.uri, [], (document) => {
        // An editor that asks again need not wait: what was known before is shown meanwhile.
        if (!this.#canRefreshHints) this.#wait(document);
        const { file } = document;
        return inlayHints(document, offsetOf(file, range.start), offsetOf(file, range.end), workspace);
      }),
    );
    connection.onDocumentFormatting(({ textDocument }) =>
      this.#in(textDocument.uri, [], ({ file }) => {
        const { text } = format(file);
        if (text === undefined || text === file.text) return [];
        return [{ range: wholeRange(file), newText: text }];
      }),
    );
    connection.onCodeAction((params) =>
      this.#in(params.textDocument.uri, [], (d) => this.#actions(d, params)),
    );
    connection.onDocumentSymbol(({ textDocument }) =>
      this.#in(textDocument.uri, [], ({ file }) => documentSymbols(file)),
    );
    connection.onFoldingRanges(({ textDocument }) =>
      this.#in(textDocument.uri, [], ({ file }) => foldingRanges(file)),
    );
  }

  #actions(document: OpenDocument, { range, context }: CodeActionParams): ReturnType<typeof codeActions> {
    const wanted = context.only ?? [CodeActionKind.QuickFix];
    if (!wanted.some((kind) => kind === "" || kind === CodeActionKind.QuickFix)) return [];
    this.#wait(document);
    const { file } = document;
    return codeActions(document, offsetOf(file, range.start), offsetOf(file, range.end), this.#workspace);
  }

  #pointed(document: OpenDocument, offset: number): Pointed | undefined {
    return pointedAt(namesOf(document.file), offset, this.#workspace, this.#meanings);
  }

  /** Finishes the checking of a file, as far as that takes no longer than a user waits. */
  #wait({ analysis }: OpenDocument): void {
    const started = performance.now();
    if (analysis.isPending) analysis.work(() => performance.now() - started > patience);
  }

  #locations(spans: readonly Span[]): Location[] {
    return spans.flatMap((span) => {
      const place = this.#workspace.current(span);
      if (place === undefined) return [];
      const { path } = place.file;
      const uri = this.#workspace.documentAt(path)?.uri ?? this.#workspace.host.uriOf(path);
      return [{ uri, range: rangeOf(place) }];
    });
  }

  #at<Result>(
    { textDocument, position }: At,
    otherwise: Result,
    answer: (document: OpenDocument, offset: number) => Result,
  ): Result {
    return this.#in(textDocument.uri, otherwise, (document) =>
      answer(document, offsetOf(document.file, position)),
    );
  }

  /** A fault of ours costs one answer, and is told on the editor's log. */
  #in<Result>(uri: string, otherwise: Result, answer: (document: OpenDocument) => Result): Result {
    try {
      const document = this.#workspace.document(uri);
      return document === undefined ? otherwise : answer(document);
    } catch (error) {
      if (error instanceof ResponseError) throw error;
      this.#connection.console.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
      return otherwise;
    }
  }
}

function refused(reason: string): ResponseError<void> {
  return new ResponseError(LSPErrorCodes.RequestFailed, reason);
}
