/**
 * Names in sight while a file's text is read.
 *
 * Owns: nested scopes of bindings and how a name is looked up in them: the counterpart, without any
 * values, of the scopes in which programs are evaluated.
 */
import type { BlockDeclaration, NameExpression } from "../lang/ast.ts";
import type { Binding, Meaning } from "./names.ts";

export class NameScope {
  readonly parent: NameScope | undefined;
  /** Behind the names of this scope come those of what the block extends. */
  readonly inheriting: BlockDeclaration | undefined;
  readonly #bindings = new Map<string, Binding>();

  constructor(parent: NameScope | undefined, inheriting?: BlockDeclaration) {
    this.parent = parent;
    this.inheriting = inheriting;
  }

  define(name: string, binding: Binding): void {
    this.#bindings.set(name, binding);
  }

  own(name: string): Binding | undefined {
    return this.#bindings.get(name);
  }

  meaning(name: string): Meaning {
    const binding = this.#bindings.get(name);
    if (binding !== undefined) return { kind: "binding", binding };
    const otherwise: Meaning = this.parent?.meaning(name) ?? { kind: "word", word: name };
    const block = this.inheriting;
    return block === undefined ? otherwise : { kind: "inherited", block, name, otherwise };
  }

  calleeMeaning(callee: NameExpression): Meaning {
    const candidates = [...this.#all(callee.name)];
    const inherited = this.#inheriting();
    const meaning: Meaning = { kind: "callee", candidates, callee };
    if (candidates.length > 0 || inherited === undefined) return meaning;
    return { kind: "inherited", block: inherited, name: callee.name, otherwise: meaning };
  }

  /** Whether a capital name stands for a new size here: a block of that name does not prevent it. */
  isFree(name: string): boolean {
    for (const binding of this.#all(name))
      if (binding.kind !== "block" && binding.kind !== "imported") return false;
    return true;
  }

  /** Every binding in sight by its name, the nearest first; and the blocks whose base's members are too. */
  visible(): { bindings: Map<string, Binding>; inheriting: readonly BlockDeclaration[] } {
    const bindings = new Map<string, Binding>();
    const inheriting: BlockDeclaration[] = [];
    for (let scope: NameScope | undefined = this; scope !== undefined; scope = scope.parent) {
      for (const [name, binding] of scope.#bindings) if (!bindings.has(name)) bindings.set(name, binding);
      if (scope.inheriting !== undefined) inheriting.push(scope.inheriting);
    }
    return { bindings, inheriting };
  }

  *#all(name: string): Iterable<Binding> {
    for (let scope: NameScope | undefined = this; scope !== undefined; scope = scope.parent) {
      const binding = scope.#bindings.get(name);
      if (binding !== undefined) yield binding;
    }
  }

  #inheriting(): BlockDeclaration | undefined {
    for (let scope: NameScope | undefined = this; scope !== undefined; scope = scope.parent) {
      if (scope.inheriting !== undefined) return scope.inheriting;
    }
    return undefined;
  }
}
