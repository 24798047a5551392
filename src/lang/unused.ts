/**
 * What a file declares and never uses.
 *
 * Owns: looking for uses in the text. By names alone, so a use of another thing of the same name
 * also counts: nothing that is used is ever reported.
 */
import {
  type BlockDeclaration,
  type Body,
  blockKinds,
  type Declaration,
  type DottedName,
  type LetStatement,
  type Member,
  type SourceUnit,
  type Statement,
} from "./ast.ts";
import type { Diagnostic } from "./diagnostic.ts";
import * as messages from "./messages.ts";
import type { Program } from "./program.ts";

/** Looks through the program's root file. */
export function findUnused(program: Program): Diagnostic[] {
  const { unit } = program.root;
  const outside = usesFromOutside(program);
  return [
    ...unusedImports(unit),
    ...unit.declarations.flatMap((declaration) =>
      declaration.kind === "block" ? unusedInBlock(declaration, outside) : [],
    ),
  ];
}

// ---------------------------------------------------------------- uses

/** The tree does not change, and library files are asked about again with every file that imports them. */
const usesOfDeclarations = new WeakMap<Declaration, Uses>();

function usesOf(declaration: Declaration): Uses {
  const known = usesOfDeclarations.get(declaration);
  if (known !== undefined) return known;
  const uses = new Uses(declaration);
  usesOfDeclarations.set(declaration, uses);
  return uses;
}

/** How often a part of the tree uses names and dotted paths: `attention.query` also as `attention`. */
class Uses {
  readonly #paths = new Map<string, number>();
  readonly members = new Set<string>();

  constructor(part: unknown) {
    const waiting: unknown[] = [part];
    while (waiting.length > 0) {
      const node = waiting.pop();
      if (typeof node !== "object" || node === null) continue;
      if (Array.isArray(node)) {
        for (const item of node) waiting.push(item);
        continue;
      }
      const path = pathOf(node);
      if (path !== undefined) this.#add(path);
      if ("kind" in node && node.kind === "member" && "name" in node) this.members.add(nameOf(node.name));
      for (const key of Object.keys(node)) if (key !== "span") waiting.push(Reflect.get(node, key));
    }
  }

  get paths(): Iterable<string> {
    return this.#paths.keys();
  }

  /** How often a name is used, alone or with members after it. */
  count(path: string): number {
    return this.#paths.get(path) ?? 0;
  }

  /** Of `a.b.c` the parts `a` and `a.b` are visited on their own. */
  #add(path: string): void {
    this.#paths.set(path, this.count(path) + 1);
  }
}

/** Whether the whole uses a name anywhere but in its own declaration. */
function isUsed(name: string, whole: Uses, own: unknown): boolean {
  const count = whole.count(name);
  return count > 0 && count > new Uses(own).count(name);
}

/** Whether a dotted member is used, alone or in a group: `attention(x)` may mean any member of it. */
function isMemberUsed(path: string, whole: Uses, groups: ReadonlySet<string>, own: unknown): boolean {
  if (isUsed(path, whole, own)) return true;
  for (let end = path.lastIndexOf("."); end > 0; end = path.lastIndexOf(".", end - 1)) {
    if (groups.has(path.slice(0, end))) return true;
  }
  return false;
}

/** Groups of members that are used as a whole: as often as not, no member of them is named there. */
function groupsUsed(whole: Uses): ReadonlySet<string> {
  const groups = new Set<string>();
  const named = new Map<string, number>();
  for (const path of whole.paths) {
    const end = path.lastIndexOf(".");
    if (end > 0) named.set(path.slice(0, end), (named.get(path.slice(0, end)) ?? 0) + whole.count(path));
  }
  for (const path of whole.paths) if (whole.count(path) > (named.get(path) ?? 0)) groups.add(path);
  return groups;
}

function nameOf(node: unknown): string {
  return typeof node === "object" && node !== null && "name" in node && typeof node.name === "string"
    ? node.name
    : "";
}

/** `a.b.c` for a name or members of one. */
function pathOf(node: object): string | undefined {
  if (!("kind" in node)) return undefined;
  if (node.kind === "name") return nameOf(node);
  if (node.kind !== "member" || !("object" in node) || !("name" in node)) return undefined;
  if (typeof node.object !== "object" || node.object === null) return undefined;
  const owner = pathOf(node.object);
  return owner === undefined ? undefined : `${owner}.${nameOf(node.name)}`;
}

/** Members that any file of the program asks for, and all names in blocks that extend others. */
function usesFromOutside(program: Program): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { unit } of program.modules.values()) {
    for (const declaration of unit.declarations) {
      const uses = usesOf(declaration);
      for (const name of uses.members) names.add(name);
      if (declaration.kind !== "block" || declaration.base === undefined) continue;
      for (const path of uses.paths) names.add(path);
    }
  }
  return names;
}

// ---------------------------------------------------------------- declarations

function unusedImports(unit: SourceUnit): Diagnostic[] {
  // A model that takes a block as a parameter can be given any name of its file from outside.
  if (unit.declarations.some(takesBlocks)) return [];
  return unit.imports.flatMap((declaration) =>
    declaration.names.flatMap(({ name, alias }, i) =>
      unit.declarations.some((other) => usesOf(other).count((alias ?? name).name) > 0)
        ? []
        : [messages.unusedImport(declaration, i)],
    ),
  );
}

function takesBlocks(declaration: Declaration): boolean {
  if (declaration.kind !== "block" || declaration.blockKind !== "model") return false;
  return declaration.parameters.some(({ type }) => {
    const named = type.kind === "list-type" ? type.element : type;
    return named.kind === "named-type" && ["function", ...blockKinds].includes(named.name.name);
  });
}

function unusedInBlock(declaration: BlockDeclaration, outside: ReadonlySet<string>): Diagnostic[] {
  const found: Diagnostic[] = [];
  const whole = usesOf(declaration);
  const groups = groupsUsed(whole);
  for (const parameter of declaration.parameters) {
    const { name } = parameter.name;
    const isTarget = declaration.blockKind === "adapter" && name === "on";
    if (isTarget || isSpared(name) || outside.has(name)) continue;
    if (!isUsed(name, whole, parameter)) found.push(messages.unusedParameter(declaration, parameter));
  }
  const members = flatten(declaration.members);
  const computes = members.some(({ kind }) => kind === "forward" || kind === "handler" || kind === "entry");
  for (const member of members) {
    if (member.kind === "forward" || member.kind === "handler" || member.kind === "entry") {
      found.push(...unusedInBody(member, member.body));
      continue;
    }
    if (!computes || declaration.base !== undefined) continue;
    if (member.kind === "let" && declaration.blockKind !== "model") {
      // What a block calls by a name is there for those who use it: `decoder.embed`.
      continue;
    }
    if (member.kind === "let" && !isSpared(member.name.name) && !outside.has(member.name.name)) {
      const { name } = member.name;
      if (!isUsed(name, whole, member)) found.push(messages.unusedLet(member.name));
    } else if (member.kind === "binding" || member.kind === "parameter") {
      const first = member.name.parts[0]?.name ?? "";
      if (isSpared(first) || member.name.parts.some((part) => outside.has(part.name))) continue;
      if (isMemberUsed(dotted(member.name), whole, groups, member)) continue;
      found.push(messages.unusedMember(member, dotted(member.name)));
    }
  }
  return found;
}

function unusedInBody(member: Member, body: Body): Diagnostic[] {
  const whole = new Uses(member);
  return letsIn(body.statements).flatMap((statement) => {
    if (offersSite(statement)) return [];
    const unused = statement.names.filter(({ name }) => !isSpared(name) && !isUsed(name, whole, statement));
    return unused.map((name) => messages.unusedLet(name, statement.names.length > 1));
  });
}

function letsIn(statements: readonly Statement[]): LetStatement[] {
  return statements.flatMap((statement) => {
    if (statement.kind === "let") return [statement];
    if (statement.kind === "for") return letsIn(statement.statements);
    return statement.kind === "if" ? letsIn([...statement.consequent, ...statement.alternate]) : [];
  });
}

/** A policy may answer at the site, so the line matters whether or not its value is used. */
function offersSite(statement: LetStatement): boolean {
  const waiting: unknown[] = [statement.value];
  while (waiting.length > 0) {
    const node = waiting.pop();
    if (typeof node !== "object" || node === null) continue;
    if ("kind" in node && node.kind === "site") return true;
    for (const [key, value] of Object.entries(node)) if (key !== "span") waiting.push(value);
  }
  return false;
}

function flatten(members: readonly Member[]): Member[] {
  return members.flatMap((member) =>
    member.kind === "conditional" ? [...flatten(member.consequent), ...flatten(member.alternate)] : [member],
  );
}

function dotted(name: DottedName): string {
  return name.parts.map((part) => part.name).join(".");
}

/** A leading underscore says that a name is meant to go unused. */
function isSpared(name: string): boolean {
  return name.startsWith("_");
}
