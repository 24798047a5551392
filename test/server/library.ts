/**
 * The standard library and texts in memory as a set of files, for tests of the language server.
 *
 * Owns: paths such as `/library/blocks/linear.oss` for the library, and a loader over both.
 */
import { posix } from "node:path";
import type { LoadedModule } from "../../src/lang/program.ts";
import { SourceFile } from "../../src/lang/source.ts";
import { filesUnder } from "../support/product-files.ts";

export const libraryFolder = "/library";

export const libraryFiles: ReadonlyMap<string, SourceFile> = new Map(
  filesUnder("models", /\.oss$/).map(({ path, text }) => {
    const place = path.replace(/^models/, libraryFolder);
    return [place, new SourceFile(place, text)];
  }),
);

export function libraryText(path: string): string {
  const file = libraryFiles.get(`${libraryFolder}/${path}`);
  if (file === undefined) throw new Error(`the library has no ${path}`);
  return file.text;
}

/** Finds imports among `files`, and in the library. */
export function loaderOf(
  files: (path: string) => SourceFile | undefined,
): (specifier: string, from: SourceFile) => LoadedModule {
  return (specifier, from) => {
    const path = specifier.startsWith("ossicle/")
      ? specifier.replace(/^ossicle/, libraryFolder)
      : posix.join(posix.dirname(from.path), specifier);
    const file = files(path) ?? libraryFiles.get(path);
    return file === undefined ? { ok: false, reason: "there is no such file" } : { ok: true, file };
  };
}
