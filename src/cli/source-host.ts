/**
 * The file system as the language server sees it.
 *
 * Owns: paths and URIs, reading files that the editor does not have open, and finding them. What an
 * import may lead to is decided in modules.ts, as for every other command.
 */
import { existsSync, readdirSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join, relative, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { LocatedSource, SourceHost } from "../server/host.ts";
import { inside, libraryRoot, locateImport, readText } from "./modules.ts";
import { isFolder } from "./source-files.ts";
import { packageVersion } from "./version.ts";

const extension = ".oss";
const libraryPrefix = "ossicle/";
/** Seconds for which a folder is taken to hold what it held. */
const listingAge = 5;
/** Files and folders that are looked at in search of sources. */
const mostEntries = 50_000;

export class FileHost implements SourceHost {
  readonly version = packageVersion();
  readonly library = libraryRoot();
  readonly #documentation = new URL("../../docs/errors/", import.meta.url);
  readonly #listings = new Map<string, { readonly at: number; readonly files: readonly string[] }>();

  pathOf(uri: string): string {
    if (!uri.startsWith("file:")) return uri;
    try {
      return realPath(fileURLToPath(uri));
    } catch {
      return uri;
    }
  }

  uriOf(path: string): string {
    return isUri(path) ? path : pathToFileURL(path).href;
  }

  stamp(path: string): string | undefined {
    if (isUri(path)) return undefined;
    const status = attempt(() => statSync(path, { throwIfNoEntry: false }));
    return status === undefined || !status.isFile() ? undefined : `${status.mtimeMs} ${status.size}`;
  }

  read(path: string): string | undefined {
    return attempt(() => readText(path, path));
  }

  locate(
    specifier: string,
    from: string,
    folders: readonly string[],
    isOpen: (path: string) => boolean,
  ): LocatedSource {
    if (isUri(from) && !specifier.startsWith(libraryPrefix)) {
      return { ok: false, reason: "the importing file is not saved, so it lies in no folder" };
    }
    const found = locateImport(specifier, from, this.library, rootOf(from, folders), isOpen);
    return found.ok ? { ok: true, path: found.place } : found;
  }

  specifierOf(path: string, from: string): string | undefined {
    const inLibrary = inside(path, this.library);
    if (inLibrary && !inside(from, this.library)) {
      return libraryPrefix + relative(this.library, path).split(sep).join("/");
    }
    if (isUri(path) || isUri(from)) return undefined;
    const written = relative(dirname(from), path).split(sep).join("/");
    return written.startsWith("../") ? written : `./${written}`;
  }

  sourcesBelow(folder: string): readonly string[] {
    const now = performance.now() / 1000;
    const known = this.#listings.get(folder);
    if (known !== undefined && now - known.at < listingAge) return known.files;
    const files = sourcesNear(folder);
    this.#listings.set(folder, { at: now, files });
    return files;
  }

  list(specifier: string, from: string, folders: readonly string[]): readonly string[] {
    const ofLibrary = specifier.startsWith(libraryPrefix);
    if (!ofLibrary && isUri(from)) return [];
    const folder = ofLibrary
      ? join(this.library, specifier.slice(libraryPrefix.length))
      : join(dirname(from), specifier);
    const fence = ofLibrary || inside(from, this.library) ? this.library : rootOf(from, folders);
    if (!inside(folder, fence) || !isFolder(folder)) return [];
    const entries = attempt(() => readdirSync(folder, { withFileTypes: true })) ?? [];
    return entries
      .filter(({ name }) => !isSkipped(name))
      .flatMap((entry) => {
        if (entry.isDirectory()) return [`${entry.name}/`];
        const isOther = join(folder, entry.name) !== from;
        return entry.name.endsWith(extension) && isOther ? [entry.name] : [];
      })
      .sort();
  }

  documentation(code: string): string | undefined {
    const page = new URL(`${code}.md`, this.#documentation);
    return existsSync(fileURLToPath(page)) ? page.href : undefined;
  }
}

/** Nearest folders first, and no more than `mostEntries`: an editor may have a whole disk open. */
function sourcesNear(folder: string): string[] {
  const found: string[] = [];
  const waiting = [folder];
  let seen = 0;
  for (let next = waiting.shift(); next !== undefined && seen < mostEntries; next = waiting.shift()) {
    const place = next;
    const entries = attempt(() => readdirSync(place, { withFileTypes: true })) ?? [];
    seen += entries.length + 1;
    for (const entry of entries) {
      if (isSkipped(entry.name)) continue;
      if (entry.isDirectory()) waiting.push(join(place, entry.name));
      else if (entry.name.endsWith(extension)) found.push(join(place, entry.name));
    }
  }
  return found.sort();
}

function isSkipped(name: string): boolean {
  return name.startsWith(".") || name === "node_modules";
}

/** `untitled:1`; a path of Windows begins with one letter. */
function isUri(path: string): boolean {
  return /^[A-Za-z][A-Za-z0-9+.-]+:/.test(path);
}

/** The folder of the editor that a file lies in; its own where there is none. */
function rootOf(path: string, folders: readonly string[]): string {
  const around = folders.filter((folder) => !isUri(folder) && inside(path, folder));
  // Of nested folders the outermost: what is open is one project.
  return around.sort((a, b) => a.length - b.length)[0] ?? dirname(path);
}

/** Also of a file that does not exist yet, in a folder that does. */
function realPath(path: string): string {
  return (
    attempt(() => realpathSync(path)) ??
    attempt(() => join(realpathSync(dirname(path)), basename(path))) ??
    path
  );
}

function attempt<Result>(run: () => Result): Result | undefined {
  try {
    return run();
  } catch {
    return undefined;
  }
}
