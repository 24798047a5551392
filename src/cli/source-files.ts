/**
 * Source files by the names of files and folders.
 *
 * Owns: what is looked at in a folder, and in which order.
 */
import { type Dirent, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { failure } from "../runtime/failure.ts";
import { readFailure } from "./file-failure.ts";

/** The files that are meant, each once: those named, and those below the folders named. */
export function sourceFiles(paths: readonly string[]): ReadonlySet<string> {
  return new Set(
    paths.flatMap((path) => {
      const files = isFolder(path) ? filesBelow(path) : [path];
      if (files.length > 0) return files;
      throw failure("no-source-files", `There is no .oss file in ${path}.`, { hint: "Check the path." });
    }),
  );
}

/** Hidden folders and installed packages left out; symbolic links to folders are not followed. */
function filesBelow(folder: string): string[] {
  return entriesOf(folder)
    .filter(({ name }) => !name.startsWith(".") && name !== "node_modules")
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return filesBelow(path);
      return entry.name.endsWith(".oss") ? [path] : [];
    });
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    throw readFailure(folder, error);
  }
}

/** `false` also for what can't be looked at: reading it will say why. */
export function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
