/**
 * The files that the server knows.
 *
 * Owns: which text a path has (what is open in the editor comes before what is on disk), finding
 * imports, and what is known of a place by checking the open files. When checking happens is
 * checker.ts's.
 */
import type { OpCatalog } from "../lang/catalog.ts";
import type { LoadedModule, ModuleLoader } from "../lang/program.ts";
import { SourceFile, type Span } from "../lang/source.ts";
import type { Value } from "../lang/value.ts";
import { Analysis, type Settings } from "./analysis.ts";
import type { SourceHost } from "./host.ts";
import { relocate } from "./readings.ts";

export interface OpenDocument {
  readonly path: string;
  /** As the editor writes it. */
  readonly uri: string;
  readonly analysis: Analysis;
  version: number;
  file: SourceFile;
  /** Whether its text, or one that it imports, is newer than the analysis. */
  isStale: boolean;
}

/** More files than this are not searched: a folder of them is no library of models. */
const mostSources = 2000;

export class Workspace {
  readonly host: SourceHost;
  readonly catalog: OpCatalog;
  readonly #documents = new Map<string, OpenDocument>();
  readonly #disk = new Map<string, { readonly stamp: string; readonly file: SourceFile }>();
  /** Folders that the editor has open. */
  folders: readonly string[] = [];
  settings: Settings = new Map();

  constructor(host: SourceHost, catalog: OpCatalog) {
    this.host = host;
    this.catalog = catalog;
  }

  get documents(): Iterable<OpenDocument> {
    return this.#documents.values();
  }

  /** By its URI, checked as far as its text has changed. */
  document(uri: string): OpenDocument | undefined {
    const found = this.#documents.get(this.host.pathOf(uri));
    if (found !== undefined) this.refresh(found);
    return found;
  }

  documentAt(path: string): OpenDocument | undefined {
    return this.#documents.get(path);
  }

  /** Takes in what the editor has. Everything that the text can be seen from is stale then. */
  edit(uri: string, version: number, text: string): OpenDocument {
    const path = this.host.pathOf(uri);
    const known = this.#documents.get(path);
    const file = known?.file.text === text ? known.file : new SourceFile(path, text);
    const document = known ?? {
      path,
      uri,
      analysis: new Analysis(this.catalog),
      version,
      file,
      isStale: true,
    };
    document.version = version;
    document.file = file;
    document.isStale = true;
    this.#documents.set(path, document);
    this.touch(path, known === undefined);
    return document;
  }

  close(uri: string): OpenDocument | undefined {
    const path = this.host.pathOf(uri);
    const document = this.#documents.get(path);
    this.#documents.delete(path);
    this.touch(path, true);
    return document;
  }

  /** Marks what may see the file at `path`; a file that came or went may change what any import means. */
  touch(path: string, isNew: boolean): void {
    for (const document of this.#documents.values()) {
      if (isNew || document.analysis.program?.modules.has(path) === true) document.isStale = true;
    }
  }

  touchAll(): void {
    for (const document of this.#documents.values()) document.isStale = true;
  }

  refresh(document: OpenDocument): void {
    if (!document.isStale) return;
    document.isStale = false;
    document.analysis.update(document.file, this.loader, this.settings);
  }

  /** The present text of a file, from the editor or from disk. */
  source(path: string): SourceFile | undefined {
    const open = this.#documents.get(path);
    if (open !== undefined) return open.file;
    const stamp = this.host.stamp(path);
    if (stamp === undefined) return undefined;
    const known = this.#disk.get(path);
    if (known?.stamp === stamp) return known.file;
    const text = this.host.read(path);
    if (text === undefined) return undefined;
    const file = new SourceFile(path, text);
    this.#disk.set(path, { stamp, file });
    return file;
  }

  readonly loader: ModuleLoader = (specifier, from): LoadedModule => {
    const isOpen = (path: string): boolean => this.#documents.has(path);
    const found = this.host.locate(specifier, from.path, this.folders, isOpen);
    if (!found.ok) return found;
    const file = this.source(found.path);
    return file === undefined ? { ok: false, reason: "it can't be read as text" } : { ok: true, file };
  };

  load(specifier: string, from: SourceFile): SourceFile | undefined {
    const loaded = this.loader(specifier, from);
    return loaded.ok ? loaded.file : undefined;
  }

  isLibrary(path: string): boolean {
    const { library } = this.host;
    return path.startsWith(library) && /^[\\/]/.test(path.slice(library.length));
  }

  /** Every file that may mention a name: what is open, what the folders hold, and the library. */
  sources(): SourceFile[] {
    const paths = new Set(this.#documents.keys());
    for (const document of this.#documents.values()) {
      for (const path of document.analysis.program?.modules.keys() ?? []) paths.add(path);
    }
    for (const folder of [...this.folders, this.host.library]) {
      for (const path of this.host.sourcesBelow(folder).slice(0, mostSources)) paths.add(path);
    }
    return [...paths].sort().flatMap((path) => this.source(path) ?? []);
  }

  /** The place in the present text; `undefined` when it is gone. */
  current(span: Span): Span | undefined {
    const file = this.source(span.file.path);
    return file === undefined ? undefined : relocate(span, file);
  }

  /**
   * What a place was computed to be: by a model of the file itself, else by one of another open file
   * that uses it, else with every parameter left open.
   */
  values(place: Span): readonly Value[] {
    const own = this.#documents.get(place.file.path);
    const others = [...this.#documents.values()].filter((document) => document !== own);
    const all = own === undefined ? others : [own, ...others];
    for (const { analysis } of all) {
      const values = analysis.valuesByModels(place);
      if (values.length > 0) return values;
    }
    for (const { analysis } of all) {
      const values = analysis.valuesAlone(place);
      if (values.length > 0) return values;
    }
    return [];
  }
}
