/**
 * What other files offer.
 *
 * Owns: finding the file that declares a name, and the edit that imports it.
 */
import type { SourceFile } from "../lang/source.ts";
import type { Named } from "./names.ts";
import { namesOf } from "./readings.ts";
import type { Workspace } from "./workspace.ts";

export interface Exported {
  readonly named: Named;
  /** How the asking file imports it. */
  readonly specifier: string;
}

/** Blocks and constants that a file could import, those of the library last. */
export function exportsFor(file: SourceFile, workspace: Workspace): readonly Exported[] {
  const found: Exported[] = [];
  for (const other of workspace.sources()) {
    if (other.path === file.path) continue;
    const specifier = workspace.host.specifierOf(other.path, file.path);
    if (specifier === undefined) continue;
    for (const binding of namesOf(other).top.values()) {
      if (binding.kind === "imported" || binding.name.startsWith("_")) continue;
      found.push({ named: binding, specifier });
    }
  }
  const rank = ({ specifier }: Exported): number => (specifier.startsWith("ossicle/") ? 1 : 0);
  return found.sort((a, b) => rank(a) - rank(b));
}

export interface ImportEdit {
  readonly offset: number;
  readonly text: string;
}

/** Adds a name to the import of its file, or the import to the others. */
export function importEdit(file: SourceFile, name: string, specifier: string): ImportEdit {
  const { unit } = namesOf(file);
  const same = unit.imports.find(({ from }) => from.value === specifier);
  const lastName = same?.names.at(-1);
  if (lastName !== undefined) {
    return { offset: (lastName.alias ?? lastName.name).span.end, text: `, ${name}` };
  }
  const line = `import { ${name} } from "${specifier}"`;
  const last = unit.imports.at(-1);
  if (last !== undefined) return { offset: last.span.end, text: `\n${line}` };
  if (unit.language !== undefined) return { offset: unit.language.span.end, text: `\n\n${line}` };
  // Below the comment that the file begins with.
  const header = /^(?:\/\/(?!\/)[^\n]*\r?\n)+(?:\r?\n)?/.exec(file.text)?.[0] ?? "";
  return { offset: header.length, text: `${line}\n\n` };
}
