/**
 * What the language server asks of the machine it runs on.
 *
 * Owns: the interface only; src/cli satisfies it with the file system, tests with texts in memory.
 * A path is a file's identity: absolute, symbolic links resolved, or the URI of what is no file.
 */

export type LocatedSource =
  | { readonly ok: true; readonly path: string }
  | { readonly ok: false; readonly reason: string; readonly hint?: string };

export interface SourceHost {
  readonly version: string;
  /** The folder of the standard library, which nothing here may change. */
  readonly library: string;
  pathOf(uri: string): string;
  uriOf(path: string): string;
  /** Differs whenever the file's text may; `undefined` when there is no such file. */
  stamp(path: string): string | undefined;
  /** The text, or `undefined` when it can't be read. */
  read(path: string): string | undefined;
  /**
   * What an import stands for. `folders` are those that the editor has open, `isOpen` tells of files
   * that the editor has and that were never saved.
   */
  locate(
    specifier: string,
    from: string,
    folders: readonly string[],
    isOpen: (path: string) => boolean,
  ): LocatedSource;
  /** How a file at `from` imports the one at `path`. */
  specifierOf(path: string, from: string): string | undefined;
  /** Every source file below a folder; hidden folders and installed packages left out. */
  sourcesBelow(folder: string): readonly string[];
  /** Names in the folder that a partial import path leads to, folders with a slash at their end. */
  list(specifier: string, from: string, folders: readonly string[]): readonly string[];
  /** The URI of the page about a diagnostic. */
  documentation(code: string): string | undefined;
}
