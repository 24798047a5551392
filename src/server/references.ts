/**
 * Every place where something is named.
 *
 * Owns: comparing what names stand for, across all files that are known, and where the declaration is.
 */
import type { Span } from "../lang/source.ts";
import type { Meanings, Target } from "./meanings.ts";
import { type FileNames, type Named, nameKey, type Occurrence, occurrenceAt } from "./names.ts";
import { namesOf, parsedFile } from "./readings.ts";
import { isHandler, nodesOf } from "./tree.ts";
import type { Workspace } from "./workspace.ts";

export interface Reference {
  readonly span: Span;
  readonly role: Occurrence["role"];
}

/** What the cursor is on: a name, or the path of an import. */
export interface Pointed {
  readonly names: FileNames;
  readonly span: Span;
  readonly occurrence: Occurrence | undefined;
  readonly target: Target;
}

export function pointedAt(
  names: FileNames,
  offset: number,
  workspace: Workspace,
  meanings: Meanings,
): Pointed | undefined {
  for (const { from } of names.unit.imports) {
    if (offset < from.span.start || offset > from.span.end) continue;
    const file = workspace.load(from.value, names.file);
    return file === undefined
      ? undefined
      : { names, span: from.span, occurrence: undefined, target: { kind: "file", file } };
  }
  const occurrence = occurrenceAt(names, offset);
  const target = occurrence === undefined ? undefined : meanings.target(occurrence, names);
  return occurrence === undefined || target === undefined
    ? undefined
    : { names, span: occurrence.span, occurrence, target };
}

/** Where the target is declared; a site, where it is handled or offered. */
export function definitions(pointed: Pointed, workspace: Workspace, meanings: Meanings): readonly Span[] {
  const { target, occurrence } = pointed;
  switch (target.kind) {
    case "file":
      return [target.file.span(0, 0)];
    case "named":
      return meanings.origin(target.named).spans;
    case "site": {
      const all = siteReferences(target.site, workspace);
      // From a site to the policies that act there, and the other way round.
      const other = occurrence?.role === "definition" ? "read" : "definition";
      const wanted = all.filter(({ role }) => role === other);
      return (wanted.length > 0 ? wanted : all).map(({ span }) => span);
    }
    case "field":
      return fieldArguments(target.site, target.name, workspace).flatMap(({ spans }) => spans);
    case "op":
    case "function":
    case "type":
      return [];
  }
}

export function references(target: Target, workspace: Workspace, meanings: Meanings): readonly Reference[] {
  switch (target.kind) {
    case "named":
      return namedReferences(target.named, workspace, meanings);
    case "site":
      return siteReferences(target.site, workspace);
    case "field": {
      const handled = fieldArguments(target.site, target.name, workspace);
      const fields = occurrencesOf(target.name, workspace).filter(
        ({ occurrence: { meaning } }) => meaning.kind === "field" && meaning.site === target.site,
      );
      return [
        ...fields.map(({ occurrence }) => ({ span: occurrence.span, role: occurrence.role })),
        ...handled.flatMap((named) => namedReferences(named, workspace, meanings)),
      ];
    }
    case "file":
      return importsOf(target.file.path, workspace);
    case "op":
    case "function":
    case "type":
      return [];
  }
}

function namedReferences(named: Named, workspace: Workspace, meanings: Meanings): readonly Reference[] {
  const wanted = new Set([nameKey(named), nameKey(meanings.origin(named))]);
  const found: Reference[] = [];
  const names = new Set([named.name, meanings.origin(named).name]);
  for (const file of workspace.sources()) {
    if (![...names].some((name) => file.text.includes(name))) continue;
    const there = namesOf(file);
    const aliases = aliasesOf(there, names);
    for (const occurrence of there.occurrences) {
      if (!names.has(occurrence.name) && !aliases.has(occurrence.name)) continue;
      const target = meanings.target(occurrence, there);
      if (target?.kind !== "named") continue;
      const isSame = wanted.has(nameKey(target.named)) || wanted.has(nameKey(meanings.origin(target.named)));
      if (isSame) found.push({ span: occurrence.span, role: occurrence.role });
    }
  }
  return found;
}

/** What the imports of a file call any of these. */
function aliasesOf({ unit }: FileNames, names: ReadonlySet<string>): Set<string> {
  const found = new Set<string>();
  for (const { names: imported } of unit.imports) {
    for (const { name, alias } of imported) {
      if (alias !== undefined && names.has(name.name)) found.add(alias.name);
    }
  }
  return found;
}

function siteReferences(site: string, workspace: Workspace): readonly Reference[] {
  return occurrencesOf(site, workspace)
    .filter(({ occurrence: { meaning } }) => meaning.kind === "site")
    .map(({ occurrence: { span, role } }) => ({ span, role }));
}

/** Parameters of handlers that take a field of a site. */
function fieldArguments(site: string, name: string, workspace: Workspace): readonly Named[] {
  const found: Named[] = [];
  for (const file of workspace.sources()) {
    if (!file.text.includes(site) || !file.text.includes(name)) continue;
    const names = namesOf(file);
    for (const node of nodesOf(names.unit)) {
      if (!isHandler(node) || node.site.name !== site) continue;
      // The first takes the site's value, whatever it is called.
      const parameter = node.parameters.slice(1).find((one) => one.name.name === name);
      const occurrence = parameter && occurrenceAt(names, parameter.name.span.start);
      if (occurrence?.meaning.kind !== "binding") continue;
      if (occurrence.meaning.binding.kind !== "imported") found.push(occurrence.meaning.binding);
    }
  }
  return found;
}

function importsOf(path: string, workspace: Workspace): readonly Reference[] {
  return workspace.sources().flatMap((file) =>
    parsedFile(file).unit.imports.flatMap(({ from }): Reference[] => {
      const isMeant = workspace.load(from.value, file)?.path === path;
      return isMeant ? [{ span: from.span, role: "read" }] : [];
    }),
  );
}

function occurrencesOf(
  name: string,
  workspace: Workspace,
): { readonly names: FileNames; readonly occurrence: Occurrence }[] {
  return workspace
    .sources()
    .filter(({ text }) => text.includes(name))
    .flatMap((file) => {
      const names = namesOf(file);
      return names.occurrences
        .filter((occurrence) => occurrence.name === name)
        .map((occurrence) => ({ names, occurrence }));
    });
}
