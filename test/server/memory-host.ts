/**
 * A machine without files, for tests of the language server: the library, and texts in memory.
 */
import { posix } from "node:path";
import type { LocatedSource, SourceHost } from "../../src/server/host.ts";
import { libraryFiles, libraryFolder } from "./library.ts";

export class MemoryHost implements SourceHost {
  readonly version = "0";
  readonly library = libraryFolder;
  readonly #texts: Map<string, string>;

  constructor(texts: Readonly<Record<string, string>> = {}) {
    this.#texts = new Map(Object.entries(texts));
  }

  pathOf(uri: string): string {
    return uri.startsWith("file://") ? decodeURI(uri.slice("file://".length)) : uri;
  }

  uriOf(path: string): string {
    return `file://${encodeURI(path)}`;
  }

  stamp(path: string): string | undefined {
    return this.read(path);
  }

  read(path: string): string | undefined {
    return this.#texts.get(path) ?? libraryFiles.get(path)?.text;
  }

  locate(
    specifier: string,
    from: string,
    _: readonly string[],
    isOpen: (path: string) => boolean,
  ): LocatedSource {
    const path = specifier.startsWith("ossicle/")
      ? specifier.replace(/^ossicle/, libraryFolder)
      : posix.join(posix.dirname(from), specifier);
    const isThere = isOpen(path) || this.read(path) !== undefined;
    return isThere ? { ok: true, path } : { ok: false, reason: "there is no such file" };
  }

  specifierOf(path: string, from: string): string | undefined {
    const isLibrary = path.startsWith(libraryFolder) && !from.startsWith(libraryFolder);
    return isLibrary
      ? path.replace(libraryFolder, "ossicle")
      : `./${posix.relative(posix.dirname(from), path)}`;
  }

  sourcesBelow(folder: string): readonly string[] {
    return [...this.#texts.keys(), ...libraryFiles.keys()].filter((path) => path.startsWith(`${folder}/`));
  }

  list(): readonly string[] {
    return ["a.oss", "folder/"];
  }

  documentation(code: string): string {
    return `file:///docs/${code}.md`;
  }
}
