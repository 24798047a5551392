/**
 * What the check of a declaration depends on, as one text.
 *
 * Owns: following names through a file. Words that happen to be names count too: more is checked anew
 * than needed, never less.
 */

import type { ModuleScope, Program } from "../lang/program.ts";
import { isBrokenBy } from "../lang/recovered.ts";
import type { SourceFile } from "../lang/source.ts";
import { type Section, sectionsOf } from "./readings.ts";

const numbers = new WeakMap<SourceFile, number>();
let lastNumber = 0;

/** Tells states of files apart. */
function numberOf(file: SourceFile): number {
  const known = numbers.get(file);
  if (known !== undefined) return known;
  lastNumber += 1;
  numbers.set(file, lastNumber);
  return lastNumber;
}

/** For a declaration, by its name and text: equal keys lead to equal results. */
export function jobKeys(program: Program): (name: string, text: string) => string {
  const { root } = program;
  const sections = new Map<string, Section>();
  for (const section of sectionsOf(root.file))
    if (!sections.has(section.name)) sections.set(section.name, section);
  const modules = new Map<ModuleScope, string>();
  const closures = new Map<string, string>();
  const lost = root.recovered?.lostNames ?? new Set<string>();
  return (name, text) => {
    const known = closures.get(name) ?? closureText(name, root, sections, lost, modules);
    closures.set(name, known);
    // A second declaration of a name is told from the first by its text.
    return `${text}\0${known}`;
  };
}

function closureText(
  name: string,
  root: ModuleScope,
  sections: ReadonlyMap<string, Section>,
  lost: ReadonlySet<string>,
  modules: Map<ModuleScope, string>,
): string {
  const reached = new Map<string, string>();
  const waiting = [name];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (reached.has(next)) continue;
    const section = sections.get(next);
    const declared = root.names.get(next);
    const isLost = lost.has(next) ? "?" : "";
    if (section === undefined) {
      const home = declared?.module;
      if (home !== undefined)
        reached.set(next, `${moduleText(home, modules)}${declared?.declaration.name.name}`);
      else if (isLost !== "" || root.names.has(next)) reached.set(next, isLost);
      continue;
    }
    const isBroken = section.declaration.kind === "block" && isBrokenBy(root.recovered, section.declaration);
    reached.set(next, `${section.text}${isBroken ? "!" : ""}${isLost}`);
    waiting.push(...section.words);
  }
  return [...reached]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([word, text]) => `${word}\0${text}`)
    .join("\0");
}

/** The states of a file and of all that it imports. */
function moduleText(module: ModuleScope, known: Map<ModuleScope, string>): string {
  const found = known.get(module);
  if (found !== undefined) return found;
  const files = new Set<number>();
  const waiting = [module];
  const seen = new Set(waiting);
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    files.add(numberOf(next.file));
    for (const declared of next.names.values()) {
      if (declared === undefined || seen.has(declared.module)) continue;
      seen.add(declared.module);
      waiting.push(declared.module);
    }
  }
  const text = [...files].sort((a, b) => a - b).join(",");
  known.set(module, text);
  return text;
}
