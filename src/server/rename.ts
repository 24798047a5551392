/**
 * Renaming.
 *
 * Owns: what can be renamed, which names would mean something else afterwards, and the edits. A rename
 * that can't be done whole is refused in a sentence.
 */
import type { Span } from "../lang/source.ts";
import { reservedWords } from "../lang/tokens.ts";
import type { Meanings, Target } from "./meanings.ts";
import { readNames } from "./name-reader.ts";
import type { NameScope } from "./name-scope.ts";
import { type Binding, type BlockNames, type Named, nameKey } from "./names.ts";
import { namesOf, parsedFile } from "./readings.ts";
import { type Pointed, references } from "./references.ts";
import { isHandler, nodesOf } from "./tree.ts";
import type { Workspace } from "./workspace.ts";

export type Renaming =
  | { readonly ok: true; readonly spans: readonly Span[] }
  | { readonly ok: false; readonly reason: string };

const identifier = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Why what the cursor is on has no name to change; `undefined` when it has. */
export function cannotRename(
  pointed: Pointed | undefined,
  workspace: Workspace,
  meanings: Meanings,
): string | undefined {
  if (pointed === undefined) return "There is no name here that can be changed.";
  const { target } = pointed;
  switch (target.kind) {
    case "file":
      return "The path of an import can't be renamed: move the file, then change the path.";
    case "op":
      return `\`${target.op.name}\` is an op of the language.`;
    case "function":
      return `\`${target.name}\` belongs to the language.`;
    case "type":
      return `\`${target.name}\` is a type of the language.`;
    case "named":
    case "site":
    case "field": {
      if (target.kind === "named" && target.named.kind === "parameter" && isAdapterTarget(target.named)) {
        return "Every adapter has a parameter `on`: it can't have another name.";
      }
      const places = references(renamed(target), workspace, meanings);
      const fixed = places.find(({ span }) => workspace.isLibrary(span.file.path));
      if (fixed === undefined) return undefined;
      return target.kind === "named"
        ? "This is declared in the library of Ossicle, which can't be changed."
        : `The library of Ossicle uses \`${pointed.occurrence?.name ?? ""}\` too, and can't be changed.`;
    }
  }
}

function isAdapterTarget({ name, owner }: Named): boolean {
  return name === "on" && owner?.blockKind === "adapter";
}

/** A handler's parameters after the first are the site's fields, and go by their names. */
function renamed(target: Target): Target {
  if (target.kind !== "named" || target.named.kind !== "argument") return target;
  const { name, owner, spans } = target.named;
  for (const node of owner === undefined ? [] : nodesOf(owner)) {
    if (!isHandler(node)) continue;
    const at = node.parameters.findIndex((parameter) => parameter.name.span.start === spans[0]?.start);
    if (at > 0) return { kind: "field", site: node.site.name, name };
  }
  return target;
}

export function rename(
  pointed: Pointed | undefined,
  newName: string,
  workspace: Workspace,
  meanings: Meanings,
): Renaming {
  const refusal = cannotRename(pointed, workspace, meanings);
  if (refusal !== undefined || pointed === undefined) return { ok: false, reason: refusal ?? "" };
  const oldName = pointed.occurrence?.name ?? "";
  if (!identifier.test(newName)) {
    return {
      ok: false,
      reason: `\`${newName}\` is no name: names have letters, digits and _, and begin with no digit.`,
    };
  }
  if (newName === "_") return { ok: false, reason: "`_` drops a value: it names nothing." };
  if (reservedWords.has(newName))
    return { ok: false, reason: `\`${newName}\` is a keyword of the language.` };
  if (newName === oldName) return { ok: true, spans: [] };
  const target = renamed(pointed.target);
  const spans = references(target, workspace, meanings)
    .map(({ span }) => span)
    // Through an alias a name is written otherwise, and stays as it is.
    .filter((span) => span.file.text.slice(span.start, span.end) === oldName);
  const broken = spans.find(({ file }) => hasErrors(file.path, workspace));
  if (broken !== undefined) {
    return {
      ok: false,
      reason: `${shortPath(broken.file.path)} has a mistake in its grammar: correct it first.`,
    };
  }
  const unsure = uncertainUse(target, oldName, workspace, meanings);
  if (unsure !== undefined) {
    const { line } = unsure.file.position(unsure.start);
    return {
      ok: false,
      reason: `${shortPath(unsure.file.path)}, line ${line}, may mean this \`${oldName}\`: it is used there on what only a value tells.`,
    };
  }
  const collision = collisionOf(target, oldName, newName, spans, workspace, meanings);
  return collision === undefined ? { ok: true, spans } : { ok: false, reason: collision };
}

/** A use of the name on something that the text does not tell: a parameter that takes any block. */
function uncertainUse(
  target: Target,
  name: string,
  workspace: Workspace,
  meanings: Meanings,
): Span | undefined {
  const isOfBlock =
    target.kind === "named" && target.named.owner !== undefined && target.named.kind !== "size";
  if (!isOfBlock || target.named.kind === "variable") return undefined;
  for (const file of workspace.sources()) {
    // The library names no block of others, so it breaks only where one is handed to it.
    if (workspace.isLibrary(file.path) || !file.text.includes(name)) continue;
    const names = namesOf(file);
    const found = names.occurrences.find((occurrence) => {
      const { kind } = occurrence.meaning;
      if (occurrence.name !== name || (kind !== "member" && kind !== "argument")) return false;
      return meanings.target(occurrence, names) === undefined;
    });
    if (found !== undefined) return found.span;
  }
  return undefined;
}

function hasErrors(path: string, workspace: Workspace): boolean {
  const file = workspace.source(path);
  return file !== undefined && parsedFile(file).diagnostics.some(({ severity }) => severity === "error");
}

function collisionOf(
  target: Target,
  oldName: string,
  newName: string,
  spans: readonly Span[],
  workspace: Workspace,
  meanings: Meanings,
): string | undefined {
  const taken = (binding: Binding | undefined, span: Span): string => {
    const place = binding?.kind === "imported" ? binding.name.span : binding?.spans[0];
    const { file, start } = place ?? span;
    return `\`${newName}\` is taken: ${shortPath(file.path)}, line ${file.position(start).line}.`;
  };
  const [first] = spans;
  if (first === undefined) return undefined;
  if (target.kind === "named") {
    const own =
      sibling(meanings.origin(target.named), newName, meanings) ?? sibling(target.named, newName, meanings);
    if (own !== undefined) return taken(own, first);
  }
  const key = target.kind === "named" ? nameKey(target.named) : undefined;
  for (const file of new Set(spans.map((span) => span.file))) {
    const { unit } = parsedFile(file);
    let problem: string | undefined;
    // What the new name means where the old one is written …
    readNames(unit, {
      name: oldName,
      found: (scope) => {
        const meaning = scope.meaning(newName);
        const isOurs = key !== undefined && isBoundTo(scope, oldName, key, file.path, workspace, meanings);
        if (isOurs && meaning.kind === "binding") problem ??= taken(meaning.binding, first);
      },
    });
    // … and what the old one means where the new one is.
    readNames(unit, {
      name: newName,
      found: (scope) => {
        const isOurs = key !== undefined && isBoundTo(scope, oldName, key, file.path, workspace, meanings);
        const used = namesOf(file).occurrences.find(({ name }) => name === newName);
        if (!isOurs || used === undefined) return;
        const { line } = file.position(used.span.start);
        problem ??= `\`${newName}\` means something else in ${shortPath(file.path)}, line ${line}, which would change.`;
      },
    });
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** Whether a name in sight is the one that is renamed. */
function isBoundTo(
  scope: NameScope,
  name: string,
  key: string,
  path: string,
  workspace: Workspace,
  meanings: Meanings,
): boolean {
  const meaning = scope.meaning(name);
  if (meaning.kind !== "binding") return false;
  const { binding } = meaning;
  if (binding.kind !== "imported") return nameKey(binding) === key;
  const file = workspace.source(path);
  const found = file === undefined ? undefined : meanings.imported(binding, namesOf(file));
  return found !== undefined && nameKey(found) === key;
}

/** What already has the name where the declaration stands. */
function sibling(named: Named, newName: string, meanings: Meanings): Binding | undefined {
  const [place] = named.spans;
  if (place === undefined) return undefined;
  const names = namesOf(place.file);
  if (named.owner === undefined) return names.top.get(newName);
  const block = names.blocks.get(named.owner);
  if (block === undefined) return undefined;
  const own = groupOf(block, named)?.get(renamedPath(named, newName));
  if (own !== undefined) return own;
  const outer =
    named.kind === "parameter" || named.kind === "part" || named.kind === "tensor" || named.kind === "value";
  if (!outer) return undefined;
  const inherited = meanings.memberOf(block, renamedPath(named, newName));
  return inherited ?? block.parameters.get(newName);
}

function renamedPath({ path }: Named, newName: string): string {
  const parent = path?.slice(0, path.lastIndexOf(".") + 1) ?? "";
  return `${parent}${newName}`;
}

function groupOf(block: BlockNames, { kind }: Named): ReadonlyMap<string, Named> | undefined {
  switch (kind) {
    case "parameter":
      return block.parameters;
    case "part":
    case "tensor":
    case "value":
      return block.members;
    case "argument":
      return block.arguments;
    case "input":
      return block.inputs;
    case "entry":
      return block.entries;
    default:
      return undefined;
  }
}

function shortPath(path: string): string {
  return path.split(/[\\/]/).slice(-2).join("/");
}
