/**
 * Values as texts that are equal when the values are.
 *
 * Owns: what makes two blocks, and two lists of arguments, the same, places in the text included: what a
 * value is called in a message depends on them. A value that has an identity of its own, such as a part
 * of a model, has no key.
 */
import { adapterContext, pathIndices } from "./adapters.ts";
import type { BlockDeclaration } from "./ast.ts";
import type { CallArguments } from "./evaluation.ts";
import { namesOf } from "./inert-parameters.ts";
import type { Instance } from "./instance.ts";
import { stepsOf } from "./provenance.ts";
import type { Derivation, Written } from "./scope.ts";
import type { Span } from "./source.ts";
import type { DimOrigin, StaticArgument, Template, TensorValue, Value } from "./value.ts";

export class ValueKeys {
  readonly #numbers = new WeakMap<object, number>();
  readonly #instances = new WeakMap<Instance, { readonly key: string | undefined }>();
  readonly #called = new WeakMap<Instance, { readonly key: string | undefined }>();
  readonly #derivations = new WeakMap<Derivation, string>();
  /** Short names for long keys: blocks are arguments of blocks. */
  readonly #short = new Map<string, string>();
  /** Whether some text asks a part for a member of this name: `base.seed`. */
  readonly #isAsked: (name: string) => boolean;
  #last = 0;

  constructor(isAsked: (name: string) => boolean) {
    this.#isAsked = isAsked;
  }

  /** The same for all instances that differ in nothing but their place. */
  instance(instance: Instance): string | undefined {
    const known = this.#instances.get(instance);
    if (known !== undefined) return known.key;
    const { madeOf, shared, base } = instance;
    const whole = madeOf === undefined ? undefined : this.#template(madeOf);
    const around = base === undefined ? "" : this.instance(base);
    const place = this.#place(instance);
    const isKnown = whole !== undefined && around !== undefined && place !== undefined;
    const key = isKnown ? this.#shorten(`${shared ? "let " : ""}${whole} ${around} ${place}`) : undefined;
    this.#instances.set(instance, { key });
    return key;
  }

  /**
   * The same for all instances whose calls do the same: how learned tensors start is no part of it. That is
   * looked at, and its mistakes are found, where members are laid out: only for instances that are.
   */
  called(instance: Instance): string | undefined {
    const known = this.#called.get(instance);
    if (known !== undefined) return known.key;
    const { madeOf, shared, isMember, base } = instance;
    const whole = madeOf === undefined || shared || !isMember ? undefined : this.#working(madeOf);
    const around = base === undefined ? "" : this.called(base);
    const place = this.#place(instance);
    const isKnown = whole !== undefined && around !== undefined && place !== undefined;
    const key = isKnown ? this.#shorten(`call ${whole} ${around} ${place}`) : this.instance(instance);
    this.#called.set(instance, { key });
    return key;
  }

  /** What its path has to do with what it is: where adapters go below it, and what they learn of the place. */
  #place({ adapters, base, declaration, path }: Instance): string | undefined {
    const parts: string[] = [];
    let isIndexed = base !== undefined && usesIndices(declaration);
    for (const adapter of adapters) {
      const { template } = adapter;
      const key = this.#template(template);
      if (key === undefined) return undefined;
      parts.push(`${key} ${adapterContext(adapter, path)}`);
      isIndexed ||= usesIndices(template.declaration);
    }
    if (isIndexed) parts.push(pathIndices(path).join("."));
    return parts.join(";");
  }

  arguments(given: CallArguments): string | undefined {
    if (given.isFlawed === true) return undefined;
    const parts: string[] = [];
    for (const { value, span, source } of given.positional) {
      const key = this.#given(value, span, source);
      if (key === undefined) return undefined;
      parts.push(key);
    }
    for (const [name, { value, span, source }] of given.named) {
      const key = this.#given(value, span, source);
      if (key === undefined) return undefined;
      parts.push(`${name}:${key}`);
    }
    return parts.join(",");
  }

  #given(value: Value, span: Span, source: Written | undefined): string | undefined {
    // What was reported already has nothing that messages tell.
    if (value.kind === "error") return `error@${this.#number(span)}`;
    const key = value.kind === "tensor" ? this.#tensor(value) : this.#value(value);
    return key && `${key}@${this.#written(span, source)}`;
  }

  #shorten(key: string): string {
    const known = this.#short.get(key);
    if (known !== undefined) return known;
    const short = `#${this.#short.size}`;
    this.#short.set(key, short);
    return short;
  }

  #number(thing: object): number {
    const known = this.#numbers.get(thing);
    if (known !== undefined) return known;
    this.#last += 1;
    this.#numbers.set(thing, this.#last);
    return this.#last;
  }

  #written(span: Span, source: Written | undefined): string {
    if (source === undefined) return String(this.#number(span));
    const place = source.span === span ? "" : this.#number(source.span);
    return `${this.#number(span)}/${place}${this.#derived(source.from)}`;
  }

  /** The whole chain of places and values that a size comes from: messages tell it. */
  #derived(from: Derivation | undefined): string {
    if (from === undefined) return "";
    const known = this.#derivations.get(from);
    if (known !== undefined) return known;
    // A name can be among those that it was computed from: `let k = k + 1` hides the one that is meant.
    this.#derivations.set(from, "itself");
    const steps = stepsOf(from).map(({ value, place }) => {
      const size = value.kind === "int" ? value.dim.key : value.kind;
      return `${this.#number(place.span)}=${size}${this.#derived(place.from)}`;
    });
    const key = this.#shorten(`from ${steps.join()}`);
    this.#derivations.set(from, key);
    return key;
  }

  #tensor({ type, origins }: TensorValue): string {
    const sizes = type.shape.map((dim, i) => `${dim.key}@${this.#origin(origins[i])}`);
    return `${type.dtype}[${sizes.join(",")}]`;
  }

  #origin(origin: DimOrigin | undefined): string {
    if (origin === undefined) return "";
    return `${this.#number(origin.span)} ${origin.name ?? ""} ${origin.op ?? ""}${this.#derived(origin.from)}`;
  }

  #template({ declaration, module, arguments: given, configured, extensions }: Template): string | undefined {
    const parts = [`${this.#number(declaration)} ${this.#number(module)} ${configured}`];
    for (const [name, argument] of given) {
      const key = this.#argument(argument);
      if (key === undefined) return undefined;
      parts.push(`${name}:${key}`);
    }
    for (const { template, isFixed } of extensions) {
      const key = this.#template(template);
      if (key === undefined) return undefined;
      parts.push(`with ${isFixed} ${key}`);
    }
    return this.#shorten(parts.join(","));
  }

  /** A template without what is inert in it. */
  #working(template: Template): string | undefined {
    const { declaration, module, arguments: given, configured, extensions } = template;
    // Others than the block's own text see its parameters: what it extends, what is installed on it.
    const isPlain =
      declaration.base === undefined && declaration.value === undefined && extensions.length === 0;
    if (!isPlain) return this.#template(template);
    const names = namesOf(declaration);
    const parts = [`${this.#number(declaration)} ${this.#number(module)} ${configured}`];
    for (const [name, argument] of given) {
      if (!names.mentioned.has(name) && !this.#isAsked(name)) continue;
      const { value, span, source } = argument;
      const isPlaced = value.kind === "template" && !names.looked.has(name) && !this.#isAsked(name);
      const inner = isPlaced ? this.#working(value) : this.#value(value);
      if (inner === undefined) return undefined;
      parts.push(`${name}:${inner}@${this.#written(span, source)}`);
    }
    return this.#shorten(`working ${parts.join(",")}`);
  }

  #argument({ value, span, source }: StaticArgument): string | undefined {
    const key = this.#value(value);
    return key === undefined ? undefined : `${key}@${this.#written(span, source)}`;
  }

  #value(value: Value): string | undefined {
    switch (value.kind) {
      case "int":
        return value.dim.key;
      case "quotient":
        return `${value.numerator.key}/${value.denominator.key}`;
      case "real":
        return `r${Object.is(value.value, -0) ? "-0" : value.value}`;
      case "scaled":
        return `s${typeof value.factor}${value.factor}*${value.dim.key}`;
      case "bool":
        return String(value.value);
      case "string":
        return JSON.stringify(value.value);
      case "quantity":
        return `${value.value}${value.unit}`;
      case "dtype":
        return value.dtype;
      case "storage":
        return value.storage;
      case "range":
        return `${value.from.key}..${value.to.key}`;
      case "list":
        return this.#items("[", value.items);
      case "tuple":
        return this.#items("(", value.items);
      case "composition":
        return this.#items("|", value.parts);
      case "template":
        return this.#template(value);
      case "function":
        return `f${value.name}`;
      case "none":
        return "none";
      case "tensor":
      case "condition":
      case "initializer":
      case "namespace":
      case "instance":
      case "chain":
      case "unknown":
      case "error":
        return undefined;
    }
  }

  #items(kind: string, items: readonly Value[]): string | undefined {
    const keys: string[] = [];
    for (const item of items) {
      const key = this.#value(item);
      if (key === undefined) return undefined;
      keys.push(key);
    }
    return `${kind}${keys.join(",")}`;
  }
}

/** Whether an adapter may look at the positions in lists on the way to where it is put. */
function usesIndices(declaration: BlockDeclaration): boolean {
  const isPlain = declaration.base === undefined && declaration.value === undefined;
  return !isPlain || namesOf(declaration).mentioned.has("indices");
}
