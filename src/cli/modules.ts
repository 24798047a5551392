/**
 * Finding source files.
 *
 * Owns: what an import path stands for. `ossicle/…` is the standard library; anything else is
 * relative to the importing file and can't leave its root, symbolic links resolved.
 */
import { readFileSync, realpathSync, statSync } from "node:fs";
import { dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import type { LoadedModule, ModuleLoader } from "../lang/program.ts";
import { SourceFile } from "../lang/source.ts";
import { failure } from "../runtime/failure.ts";
import { notAFile, readFailure, systemCode } from "./file-failure.ts";

const libraryPrefix = "ossicle/";
const extension = ".oss";
/** A model is a few pages; what is larger is not one. */
const largestSource = 64 * 1024 * 1024;

export function libraryRoot(): string {
  return realpathSync(fileURLToPath(new URL("../../models/", import.meta.url)));
}

export interface SourceTree {
  readonly root: SourceFile;
  readonly loader: ModuleLoader;
}

/**
 * Opens the file that the user named: a path, or `ossicle/…` for one of the library.
 * `rootOption` is the folder that imports must stay in; the working directory when the file lies
 * inside it, else the file's own folder.
 * @throws DiagnosticError when the file can't be read
 */
export function openSourceTree(path: string, rootOption: string | undefined): SourceTree {
  const library = libraryRoot();
  const inLibrary = path.startsWith(libraryPrefix) && !exists(path);
  const wanted = inLibrary ? join(library, path.slice(libraryPrefix.length)) : resolve(path);
  const place = realPath(wanted, path);
  const root =
    rootOption === undefined ? defaultRoot(place, library) : realPath(resolve(rootOption), rootOption);
  if (!inside(place, root)) {
    throw failure("import-outside-root", `${path} does not lie in the root ${rootOption ?? root}.`, {
      hint: "choose another --root",
    });
  }
  const places = new Map<string, string>();

  function open(realPlace: string, written: string): SourceFile {
    const shown = displayPath(realPlace, library);
    places.set(shown, realPlace);
    return new SourceFile(shown, readText(realPlace, written));
  }

  const loader: ModuleLoader = (specifier, from): LoadedModule => {
    const importer = places.get(from.path);
    if (importer === undefined) return { ok: false, reason: "the importing file has no place" };
    return load(specifier, importer, library, root, open);
  };
  return { root: open(place, path), loader };
}

function load(
  specifier: string,
  importer: string,
  library: string,
  root: string,
  open: (place: string, written: string) => SourceFile,
): LoadedModule {
  const found = locateImport(specifier, importer, library, root);
  if (!found.ok) return found;
  try {
    return { ok: true, file: open(found.place, specifier) };
  } catch (error) {
    return {
      ok: false,
      reason: error instanceof Error ? error.message.replace(/\.$/, "") : "it can't be read",
    };
  }
}

export type LocatedImport =
  | { readonly ok: true; readonly place: string }
  | Extract<LoadedModule, { readonly ok: false }>;

/**
 * The file that `specifier`, written in the file at `importer`, stands for. `mayBe` admits places where
 * there is no file (yet).
 */
export function locateImport(
  specifier: string,
  importer: string,
  library: string,
  root: string,
  mayBe: (place: string) => boolean = () => false,
): LocatedImport {
  const refuse = (reason: string, hint?: string): LocatedImport =>
    hint === undefined ? { ok: false, reason } : { ok: false, reason, hint };
  if (specifier === "" || specifier.includes("\0")) return refuse("this is no path");
  if (isAbsolute(specifier) || specifier.includes("\\")) {
    return refuse(
      "imports are relative, with `/` between folders",
      "start with ./ or ../, or with ossicle/ for the library",
    );
  }
  const ofLibrary = specifier.startsWith(libraryPrefix);
  const fence = ofLibrary || inside(importer, library) ? library : root;
  const base = ofLibrary
    ? join(library, specifier.slice(libraryPrefix.length))
    : join(dirname(importer), specifier);
  if (!inside(base, fence))
    return refuse(`it leaves the root folder ${fence === library ? "of the library" : fence}`);
  let place: string;
  try {
    place = realpathSync(base);
  } catch (error) {
    if (mayBe(base)) return { ok: true, place: base };
    if (systemCode(error) === "ELOOP") return refuse("its symbolic links go round in circles");
    const hint = base.endsWith(extension) ? undefined : `source files end in ${extension}`;
    return refuse("there is no such file", hint);
  }
  if (!inside(place, fence)) return refuse("a symbolic link leads out of the root folder");
  return { ok: true, place };
}

/** @throws DiagnosticError when it can't be read as a source text */
export function readText(place: string, written: string): string {
  try {
    const status = statSync(place);
    if (!status.isFile())
      throw notAFile(written, status.isDirectory() ? "a directory" : "a device or a pipe");
    if (status.size > largestSource) {
      throw failure(
        "source-too-large",
        `${written} has ${status.size} bytes, which is too large for a source file.`,
      );
    }
    return new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(place));
  } catch (error) {
    if (error instanceof TypeError) throw failure("file-not-text", `${written} is not text in UTF-8.`);
    throw readFailure(written, error);
  }
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

function realPath(place: string, written: string): string {
  try {
    return realpathSync(place);
  } catch (error) {
    throw readFailure(written, error);
  }
}

function defaultRoot(place: string, library: string): string {
  if (inside(place, library)) return library;
  const here = realpathSync(process.cwd());
  return inside(place, here) ? here : dirname(place);
}

export function inside(place: string, folder: string): boolean {
  const path = relative(folder, place);
  return path === "" || (!path.startsWith(`..${sep}`) && path !== ".." && !isAbsolute(path));
}

/** Also the file's identity: relative to the working directory, or to the library, or absolute. */
function displayPath(place: string, library: string): string {
  const here = realpathSync(process.cwd());
  if (inside(place, here)) return relative(here, place).split(sep).join("/");
  if (inside(place, library)) return libraryPrefix + relative(library, place).split(sep).join("/");
  return place;
}
