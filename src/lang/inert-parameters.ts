/**
 * Parameters that change nothing but how learned tensors start: the seed of a layer.
 *
 * Owns: finding them in the text of a block, by names alone, so that another thing of the same name counts
 * as a use. What calls of a block do, and what they refuse, does not depend on such a parameter; laying out its
 * members does.
 */
import type { BlockDeclaration, Member } from "./ast.ts";

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
  const waiting: unknown[] = [part];
  while (waiting.length > 0) {
    const node = waiting.pop();
    if (typeof node !== "object" || node === null) continue;
    for (const key of Object.keys(node)) {
      if (key === "span") continue;
      const value: unknown = Reflect.get(node, key);
      if (key === "name" && typeof value === "string") {
        names.mentioned.add(value);
        names.looked.add(value);
      } else waiting.push(value);
    }
  }
}
