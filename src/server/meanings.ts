/**
 * What a name stands for, across files.
 *
 * Owns: following imports, members, named arguments and sites to where they are declared. Text comes
 * first, so that an answer does not depend on which models there are; where it does not tell, the values
 * that were computed do.
 */
import type { BlockDeclaration, CallExpression, Expression, MemberExpression } from "../lang/ast.ts";
import { isLanguageFunction, languageConstant } from "../lang/builtins.ts";
import type { OpSignature } from "../lang/catalog.ts";
import { initializerNames } from "../lang/initializers.ts";
import type { SourceFile } from "../lang/source.ts";
import { staticTypeNames } from "../lang/static-types.ts";
import { isDType } from "../lang/types.ts";
import type { Value } from "../lang/value.ts";
import {
  type Binding,
  type BlockNames,
  type FileNames,
  type Meaning,
  type Named,
  type Occurrence,
  occurrenceAt,
} from "./names.ts";
import { namesOf } from "./readings.ts";
import type { Workspace } from "./workspace.ts";

export type Target =
  | { readonly kind: "named"; readonly named: Named }
  | { readonly kind: "file"; readonly file: SourceFile }
  | { readonly kind: "op"; readonly op: OpSignature }
  /** A function, constant or initialiser of the language. */
  | { readonly kind: "function"; readonly name: string }
  | { readonly kind: "type"; readonly name: string }
  | { readonly kind: "site"; readonly site: string }
  | { readonly kind: "field"; readonly site: string; readonly name: string };

/** More steps than any definition takes; ends what goes round in circles. */
const mostSteps = 24;

export class Meanings {
  readonly #workspace: Workspace;
  #steps = 0;

  constructor(workspace: Workspace) {
    this.#workspace = workspace;
  }

  /** What an occurrence stands for; nothing when that can't be told. */
  target(occurrence: Occurrence, names: FileNames): Target | undefined {
    this.#steps = 0;
    return this.#target(occurrence.meaning, occurrence.name, names);
  }

  /** The names of the block that an expression makes or calls. */
  block(expression: Expression, names: FileNames): BlockNames | undefined {
    this.#steps = 0;
    return this.#blockOf(expression, names);
  }

  /** What a name, or a chain of members, is declared as. */
  declared(expression: Expression, names: FileNames): Named | undefined {
    this.#steps = 0;
    return this.#namedBy(expression, names);
  }

  /** The block whose dotted members an expression is the first part of: `attention` of `attention.query`. */
  group(expression: Expression, names: FileNames): { block: BlockNames; path: string } | undefined {
    const named = this.declared(expression, names);
    if (named?.owner === undefined || named.path === undefined) return undefined;
    const block = namesOf(named.owner.name.span.file).blocks.get(named.owner);
    return block === undefined ? undefined : { block, path: named.path };
  }

  #target(meaning: Meaning, name: string, names: FileNames): Target | undefined {
    switch (meaning.kind) {
      case "binding":
        return this.#bound(meaning.binding, name, names);
      case "callee": {
        const binding = this.#callable(meaning);
        return binding === undefined ? this.word(name) : this.#bound(binding, name, names);
      }
      case "word":
        return this.word(meaning.word);
      case "inherited": {
        const base = this.#baseOf(meaning.block, names);
        const named =
          base === undefined
            ? undefined
            : (this.memberOf(base, meaning.name) ?? this.#inputSize(base, meaning.name));
        return named === undefined ? this.#target(meaning.otherwise, name, names) : { kind: "named", named };
      }
      case "member": {
        const named = this.#member(meaning.expression, names);
        return named === undefined ? undefined : { kind: "named", named };
      }
      case "argument":
        return this.#argument(meaning.call, name, names);
      case "site":
        return { kind: "site", site: meaning.site };
      case "field":
        return { kind: "field", site: meaning.site, name };
    }
  }

  /** The alias, where the occurrence is written with it; else what the import leads to. */
  #bound(binding: Binding, name: string, names: FileNames): Target | undefined {
    if (binding.kind !== "imported") return { kind: "named", named: binding };
    if (binding.alias !== undefined && name === binding.alias.name && name !== binding.name.name) {
      return { kind: "named", named: binding.alias };
    }
    const named = this.imported(binding, names);
    return named === undefined ? undefined : { kind: "named", named };
  }

  imported(binding: Extract<Binding, { kind: "imported" }>, names: FileNames): Named | undefined {
    const file = this.#workspace.load(binding.declaration.from.value, names.file);
    const found = file === undefined ? undefined : namesOf(file).top.get(binding.name.name);
    return found === undefined || found.kind === "imported" ? undefined : found;
  }

  /** What an alias, or any other name, is in the end. */
  origin(named: Named): Named {
    if (named.kind !== "alias") return named;
    const [place] = named.spans;
    const names = place === undefined ? undefined : namesOf(place.file);
    const binding = names?.top.get(named.name);
    if (names === undefined || binding?.kind !== "imported") return named;
    return this.imported(binding, names) ?? named;
  }

  word(word: string): Target | undefined {
    const op = this.#workspace.catalog.find(word);
    if (op !== undefined) return { kind: "op", op };
    if (isLanguageFunction(word) || initializerNames.includes(word) || word === "none") {
      return { kind: "function", name: word };
    }
    if (languageConstant(word) !== undefined) return { kind: "function", name: word };
    if (staticTypeNames.includes(word) || isDType(word) || word === "waveform" || word === "tokens") {
      return { kind: "type", name: word };
    }
    return undefined;
  }

  /** The nearest that can be called; what was computed there decides where the text does not. */
  #callable({ candidates, callee }: Extract<Meaning, { kind: "callee" }>): Binding | undefined {
    const [value] = this.#workspace.values(callee.span);
    const isLanguage = value?.kind === "function" && value.name === callee.name;
    return candidates.find((binding) => {
      if (binding.kind === "imported" || binding.kind === "block" || binding.kind === "part") return true;
      return !neverCalled(binding) && (binding.kind === "parameter" || !isLanguage);
    });
  }

  #baseOf(block: BlockDeclaration, names: FileNames): BlockNames | undefined {
    const base = block.base ?? block.value;
    return base === undefined ? undefined : this.#blockOf(base, names);
  }

  /** A member, parameter, input or entry of a block, or of what it extends or is a variant of. */
  memberOf(block: BlockNames, path: string): Named | undefined {
    const own = block.members.get(path) ?? block.parameters.get(path);
    const found = own ?? block.inputs.get(path) ?? block.entries.get(path);
    if (found !== undefined) return found;
    if (this.#isTooFar()) return undefined;
    const names = namesOf(block.declaration.name.span.file);
    const base = this.#baseOf(block.declaration, names);
    return base === undefined ? undefined : this.memberOf(base, path);
  }

  /** A size that an input of a block, or of what it extends, introduces: entries see it too. */
  #inputSize(block: BlockNames, name: string): Named | undefined {
    for (const { declaration, inputs } of this.lineage(block)) {
      const types = [...inputs.values()].flatMap(({ type }) => type?.span ?? []);
      const found = namesOf(declaration.name.span.file).occurrences.find(
        ({ name: written, role, span }) =>
          written === name &&
          role === "definition" &&
          types.some(({ start, end }) => start <= span.start && span.end <= end),
      );
      if (found?.meaning.kind !== "binding" || found.meaning.binding.kind !== "size") continue;
      return found.meaning.binding;
    }
    return undefined;
  }

  /** A block and everything that it extends or is a variant of. */
  lineage(block: BlockNames): readonly BlockNames[] {
    const found = [block];
    for (let next = block; found.length < mostSteps; ) {
      const base = this.#baseOf(next.declaration, namesOf(next.declaration.name.span.file));
      if (base === undefined || found.includes(base)) break;
      found.push(base);
      next = base;
    }
    return found;
  }

  #member(expression: MemberExpression, names: FileNames): Named | undefined {
    const { object, name } = expression;
    const group = this.#namedBy(object, names);
    if (group?.owner !== undefined && group.path !== undefined) {
      const owner = namesOf(group.owner.name.span.file).blocks.get(group.owner);
      const inGroup = owner?.members.get(`${group.path}.${name.name}`);
      if (inGroup !== undefined) return inGroup;
    }
    const block = this.#blockOf(object, names);
    return block === undefined ? undefined : this.memberOf(block, name.name);
  }

  /** What a name, or a chain of members, is declared as. */
  #namedBy(expression: Expression, names: FileNames): Named | undefined {
    if (this.#isTooFar()) return undefined;
    if (expression.kind === "member") return this.#member(expression, names);
    if (expression.kind !== "name") return undefined;
    const occurrence = occurrenceAt(names, expression.span.start);
    if (occurrence === undefined || occurrence.span.start !== expression.span.start) return undefined;
    const target = this.#target(occurrence.meaning, occurrence.name, names);
    return target?.kind === "named" ? this.origin(target.named) : undefined;
  }

  #blockOf(expression: Expression, names: FileNames): BlockNames | undefined {
    if (this.#isTooFar()) return undefined;
    return this.#blockOfText(expression, names) ?? this.#blockOfValue(expression);
  }

  #blockOfText(expression: Expression, names: FileNames): BlockNames | undefined {
    switch (expression.kind) {
      case "name":
      case "member": {
        const named = this.#namedBy(expression, names);
        if (named === undefined) return undefined;
        const home = namesOf(named.spans[0]?.file ?? names.file);
        if (named.block !== undefined) return home.blocks.get(named.block);
        if (named.kind === "parameter" || named.value === undefined) return undefined;
        const { value, position } = named;
        const item = position !== undefined && value.kind === "tuple" ? value.items[position] : value;
        if (item === undefined || (position !== undefined && item === value)) return undefined;
        return this.#blockOf(item, home);
      }
      case "call": {
        // A part that is called gives a tensor; a block that is called, itself with arguments.
        const named = this.#namedBy(expression.callee, names);
        if (named?.block === undefined) return undefined;
        return namesOf(named.block.name.span.file).blocks.get(named.block);
      }
      case "list":
        return expression.items[0] === undefined ? undefined : this.#blockOf(expression.items[0], names);
      case "comprehension":
        return this.#blockOf(expression.element, names);
      case "index":
        return this.#blockOf(expression.object, names);
      case "with":
        return this.#blockOf(expression.subject, names);
      case "conditional-expression":
        return this.#blockOf(expression.consequent, names) ?? this.#blockOf(expression.alternate, names);
      default:
        return undefined;
    }
  }

  #blockOfValue(expression: Expression): BlockNames | undefined {
    const values = this.#workspace.values(expression.span);
    const declaration = values[0] === undefined ? undefined : declarationOf(values[0]);
    if (declaration === undefined) return undefined;
    const file = this.#workspace.source(declaration.name.span.file.path);
    if (file === undefined) return undefined;
    const { blocks } = namesOf(file);
    // The same declaration, also when the file was read again since.
    const same = (block: BlockNames): boolean => block.declaration.name.name === declaration.name.name;
    return blocks.get(declaration) ?? [...blocks.values()].find(same);
  }

  /** `name: …` in a call: a parameter of the block, one of its `forward`, or an attribute of an op. */
  #argument(call: CallExpression, name: string, names: FileNames): Target | undefined {
    const block = this.#blockOf(call.callee, names);
    if (block === undefined) {
      return call.callee.kind === "name" ? this.word(call.callee.name) : undefined;
    }
    const named = block.parameters.get(name) ?? this.#tensorArgument(block, name);
    return named === undefined ? undefined : { kind: "named", named };
  }

  #tensorArgument(block: BlockNames, name: string): Named | undefined {
    for (const { arguments: given } of this.lineage(block)) {
      const found = given.get(name);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** The block that a call configures or runs. */
  callee(call: CallExpression, names: FileNames): BlockNames | undefined {
    this.#steps = 0;
    return this.#blockOf(call.callee, names);
  }

  #isTooFar(): boolean {
    this.#steps += 1;
    return this.#steps > mostSteps * mostSteps;
  }
}

/** Sizes, tensors and numbers are no functions, so a call means something else of their name. */
function neverCalled({ kind, type }: Named): boolean {
  if (kind === "size" || kind === "tensor" || kind === "input" || kind === "result" || kind === "entry") {
    return true;
  }
  if (type === undefined) return false;
  if (type.kind !== "named-type") return true;
  return ["int", "real", "ratio", "bool", "string", "frequency", "duration", "bytes", "dtype"].includes(
    type.name.name,
  );
}

function declarationOf(value: Value): BlockDeclaration | undefined {
  switch (value.kind) {
    case "instance":
      return value.instance.declaration;
    case "template":
      return value.declaration;
    case "list":
      return value.items[0] === undefined ? undefined : declarationOf(value.items[0]);
    default:
      return undefined;
  }
}
