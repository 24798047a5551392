/**
 * Parameters that change nothing but how learned tensors start: the seed of a layer.
 *
 * Owns: finding them in the text of a block, by names alone, so that another thing of the same name counts
 * as a use, and the names that any text asks a part for: `base.seed`. What calls of a block do, and what they
 * refuse, does not depend on such a parameter that nobody asks for; laying out its members does.
 */
import type { BlockDeclaration, Member, SourceUnit } from "./ast.ts";
import type { Program } from "./program.ts";

export interface NamesOfBlock {
  /** Names in its text, but for those that only say how a learned tensor starts. */
  readonly mentioned: ReadonlySet<string>;
  /** The same without names that stand alone for a member: `mixer = mixing`. */
  readonly looked: ReadonlySet<string>;
}

/** The tree does not change. */
const known = new WeakMap<BlockDeclaration, NamesOfBlock>();

export function namesOf(declaration: BlockDeclaration): NamesOfBlock {
  const before = known.get(declaration);
  if (before !== undefined) return before;
  const names = { mentioned: new Set<string>(), looked: new Set<string>() };
  for (const { type, initial } of declaration.parameters) collect([type, initial], names);
  collect([declaration.base, declaration.value], names);
  for (const member of declaration.members) collectMember(member, names);
  known.set(declaration, names);
  return names;
}

const namesOfPart = new WeakMap<object, ReadonlySet<string>>();

/** Every name in a part of the tree. */
export function namesIn(part: object | undefined): ReadonlySet<string> {
  if (part === undefined) return none;
  const before = namesOfPart.get(part);
  if (before !== undefined) return before;
  const names = { mentioned: new Set<string>(), looked: new Set<string>() };
  collect(part, names);
  namesOfPart.set(part, names.mentioned);
  return names.mentioned;
}

const none: ReadonlySet<string> = new Set();
const askedIn = new WeakMap<SourceUnit, ReadonlySet<string>>();

/** Whether the text of any of its files asks something for a member of this name. */
export function isAsked(name: string, program: Program): boolean {
  for (const { unit } of program.modules.values()) if (membersAsked(unit).has(name)) return true;
  return false;
}

function membersAsked(unit: SourceUnit): ReadonlySet<string> {
  const before = askedIn.get(unit);
  if (before !== undefined) return before;
  const asked = new Set<string>();
  for (const node of nodesOf(unit)) {
    if (Reflect.get(node, "kind") !== "member") continue;
    const name: unknown = Reflect.get(Object(Reflect.get(node, "name")), "name");
    if (typeof name === "string") asked.add(name);
  }
  askedIn.set(unit, asked);
  return asked;
}

interface Names {
  readonly mentioned: Set<string>;
  readonly looked: Set<string>;
}

function collectMember(member: Member, names: Names): void {
  switch (member.kind) {
    case "parameter":
      collect([member.name, member.type], names);
      return;
    case "binding":
      if (member.value.kind === "name") names.mentioned.add(member.value.name);
      else collect(member.value, names);
      collect(member.name, names);
      return;
    case "conditional":
      collect(member.condition, names);
      for (const inner of [...member.consequent, ...member.alternate]) collectMember(inner, names);
      return;
    default:
      collect(member, names);
  }
}

/** Every name in a part of the tree, whatever it names. */
function collect(part: unknown, names: Names): void {
  for (const node of nodesOf(part)) {
    const name: unknown = Reflect.get(node, "name");
    if (typeof name !== "string") continue;
    names.mentioned.add(name);
    names.looked.add(name);
  }
}

/** Every object in a part of the tree, itself included. */
function* nodesOf(part: unknown): Generator<object> {
  const waiting: unknown[] = [part];
  while (waiting.length > 0) {
    const node = waiting.pop();
    if (typeof node !== "object" || node === null) continue;
    yield node;
    for (const key of Object.keys(node)) if (key !== "span") waiting.push(Reflect.get(node, key));
  }
}
