/**
 * What the names of a file stand for, as far as its text tells.
 *
 * Owns: the data. name-reader.ts fills it from a syntax tree; meanings.ts follows what leads into other
 * files or depends on values (members, named arguments, names in call position).
 */
import type {
  BlockDeclaration,
  CallExpression,
  Expression,
  Identifier,
  ImportDeclaration,
  MemberExpression,
  NameExpression,
  SourceUnit,
  TypeExpression,
} from "../lang/ast.ts";
import type { SourceFile, Span } from "../lang/source.ts";

export type NamedKind =
  /** A block of any kind, or a variant. */
  | "block"
  /** A `let` at the top of a file, in a block, or in a body; the variable of a loop. */
  | "constant"
  | "value"
  | "variable"
  /** A compile-time parameter of a block. */
  | "parameter"
  /** A sub-block, or the first parts of its dotted name. */
  | "part"
  /** A learned tensor. */
  | "tensor"
  /** A parameter of `forward` or of a handler. */
  | "argument"
  /** A size that a tensor type introduces: `N`. */
  | "size"
  | "input"
  | "entry"
  | "carry"
  | "result"
  | "generation"
  /** The local name of an import: `B` in `A as B`. */
  | "alias";

/** Something that the text of a file gives a name. Compared by identity within one reading of the file. */
export interface Named {
  readonly kind: NamedKind;
  readonly name: string;
  /** Where it is named; the first parts of dotted names are named in several places. */
  readonly spans: readonly Span[];
  readonly doc: string;
  /** The whole declaration or statement. */
  readonly span: Span;
  /** The written type, where there is one. */
  readonly type: TypeExpression | undefined;
  /** What it was set to; for a loop's variable what the loop runs over. */
  readonly value: Expression | undefined;
  /** Its place among several names that are set at once: `let (a, b) = …`. */
  readonly position: number | undefined;
  readonly block: BlockDeclaration | undefined;
  /** The block that it belongs to. */
  readonly owner: BlockDeclaration | undefined;
  /** The dotted path of a part or a tensor below its owner. */
  readonly path: string | undefined;
}

/** A name of another file that the imports bring in. */
export interface Imported {
  readonly kind: "imported";
  readonly declaration: ImportDeclaration;
  /** What the other file calls it. */
  readonly name: Identifier;
  /** The name that it goes by here: `B` in `A as B`. */
  readonly alias: Named | undefined;
}

export type Binding = Named | Imported;

export type Meaning =
  | { readonly kind: "binding"; readonly binding: Binding }
  /** A name in call position: the nearest of these that can be called, or else the word. */
  | { readonly kind: "callee"; readonly candidates: readonly Binding[]; readonly callee: NameExpression }
  /** Nothing that the text names: an op, a type, a function, a constant, or a mistake. */
  | { readonly kind: "word"; readonly word: string }
  /** A member or parameter of the block that is extended, or else what `otherwise` says. */
  | {
      readonly kind: "inherited";
      readonly block: BlockDeclaration;
      readonly name: string;
      readonly otherwise: Meaning;
    }
  | { readonly kind: "member"; readonly expression: MemberExpression }
  | { readonly kind: "argument"; readonly call: CallExpression; readonly isApplied: boolean }
  | { readonly kind: "site"; readonly site: string }
  | { readonly kind: "field"; readonly site: string };

/** One place where a name is written. */
export interface Occurrence {
  readonly name: string;
  readonly span: Span;
  readonly meaning: Meaning;
  readonly role: "definition" | "write" | "read";
}

/** The names that a block gives to others. */
export interface BlockNames {
  readonly declaration: BlockDeclaration;
  readonly parameters: ReadonlyMap<string, Named>;
  /** Parts and learned tensors by their dotted paths and each first part of these; values by their names. */
  readonly members: ReadonlyMap<string, Named>;
  /** Parameters of `forward`. */
  readonly arguments: ReadonlyMap<string, Named>;
  readonly inputs: ReadonlyMap<string, Named>;
  readonly entries: ReadonlyMap<string, Named>;
  /** Parameters of handlers, by site and name. */
  readonly handled: ReadonlyMap<string, ReadonlyMap<string, Named>>;
}

export interface FileNames {
  readonly file: SourceFile;
  readonly unit: SourceUnit;
  /** In the order of the text. */
  readonly occurrences: readonly Occurrence[];
  /** What the file declares and imports. */
  readonly top: ReadonlyMap<string, Binding>;
  readonly blocks: ReadonlyMap<BlockDeclaration, BlockNames>;
}

/** The occurrence at an offset, or just before it: the cursor at the end of a name is on it. */
export function occurrenceAt(names: FileNames, offset: number): Occurrence | undefined {
  const { occurrences } = names;
  let low = 0;
  let high = occurrences.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((occurrences[middle]?.span.start ?? 0) <= offset) low = middle + 1;
    else high = middle;
  }
  const found = occurrences[low - 1];
  return found !== undefined && offset <= found.span.end ? found : undefined;
}

/** Stays the same as long as the text before the name does. */
export function nameKey(named: Named): string {
  const [first = named.span] = named.spans;
  return `${first.file.path}#${first.start}#${named.name}`;
}
