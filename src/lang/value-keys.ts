/**
 * Values as texts that are equal when the values are.
 *
 * Owns: what makes two blocks, and two lists of arguments, the same, places in the text included: what a
 * value is called in a message depends on them. A value that has an identity of its own, such as a part
 * of a model, has no key.
 */
import type { BlockDeclaration } from "./ast.ts";
import type { CallArguments } from "./evaluation.ts";
import type { Frame } from "./frames.ts";
import { namesOf } from "./inert-parameters.ts";
import type { Instance } from "./instance.ts";
import type { Span } from "./source.ts";
import type { DimOrigin, StaticArgument, Template, TensorValue, Value } from "./value.ts";

export class ValueKeys {
  readonly #numbers = new WeakMap<object, number>();
  readonly #instances = new WeakMap<Instance, { readonly key: string | undefined }>();
  readonly #called = new WeakMap<Instance, { readonly key: string | undefined }>();
  /** Short names for long keys: blocks are arguments of blocks. */
  readonly #short = new Map<string, string>();
  #last = 0;

  /** The same for all instances that differ in nothing but their place. */
  instance(instance: Instance): string | undefined {
    const known = this.#instances.get(instance);
    if (known !== undefined) return known.key;
    const whole = instance.madeOf === undefined ? undefined : this.#template(instance.madeOf);
    const key = whole === undefined ? undefined : this.#shorten(`${instance.shared ? "let " : ""}${whole}`);
    this.#instances.set(instance, { key });
    return key;
  }

  /**
   * The same for all instances whose calls do the same: how learned tensors start is no part of it. That is
   * looked at, and its mistakes are found, where members are laid out: only for instances that members alone lead to.
   */
  called(instance: Instance): string | undefined {
    const known = this.#called.get(instance);
    if (known !== undefined) return known.key;
    const { madeOf, shared, frame } = instance;
    const isMember = !shared && !isMadeInCall(frame);
    const whole = madeOf === undefined || !isMember ? undefined : this.#working(madeOf, []);
    const key = whole === undefined ? this.instance(instance) : this.#shorten(`call ${whole}`);
    this.#called.set(instance, { key });
    return key;
  }

  arguments(given: CallArguments): string | undefined {
    if (given.isFlawed === true) return undefined;
    const parts: string[] = [];
    for (const { value, span, source } of given.positional) {
      const key = value.kind === "tensor" ? this.#tensor(value) : this.#value(value);
      if (key === undefined) return undefined;
      parts.push(`${key}@${this.#place(span, source)}`);
    }
    for (const [name, { value, span, source }] of given.named) {
      const key = value.kind === "tensor" ? this.#tensor(value) : this.#value(value);
      if (key === undefined) return undefined;
      parts.push(`${name}:${key}@${this.#place(span, source)}`);
    }
    return parts.join(",");
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

  #place(span: Span, source: Span | undefined): string {
    return source === undefined
      ? String(this.#number(span))
      : `${this.#number(span)}/${this.#number(source)}`;
  }

  #tensor({ type, origins }: TensorValue): string {
    const sizes = type.shape.map((dim, i) => `${dim.key}@${this.#origin(origins[i])}`);
    return `${type.dtype}[${sizes.join(",")}]`;
  }

  #origin(origin: DimOrigin | undefined): string {
    if (origin === undefined) return "";
    return `${this.#number(origin.span)} ${origin.name ?? ""} ${origin.op ?? ""}`;
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

  /** A template without what is inert in it; `owners` are the blocks that it is an argument of. */
  #working(template: Template, owners: readonly BlockDeclaration[]): string | undefined {
    const { declaration, module, arguments: given, configured, extensions } = template;
    // Others than the block's own text see its parameters: what it extends, what is installed on it.
    const isPlain =
      declaration.base === undefined && declaration.value === undefined && extensions.length === 0;
    if (!isPlain) return this.#template(template);
    const names = namesOf(declaration);
    const parts = [`${this.#number(declaration)} ${this.#number(module)} ${configured}`];
    for (const [name, argument] of given) {
      const isInert = [declaration, ...owners].every((block) => !namesOf(block).mentioned.has(name));
      if (isInert) continue;
      const { value, span, source } = argument;
      const isPlaced = value.kind === "template" && !names.looked.has(name);
      const inner = isPlaced ? this.#working(value, [...owners, declaration]) : this.#value(value);
      if (inner === undefined) return undefined;
      parts.push(`${name}:${inner}@${this.#place(span, source)}`);
    }
    return this.#shorten(`working ${parts.join(",")}`);
  }

  #argument({ value, span, source }: StaticArgument): string | undefined {
    const key = this.#value(value);
    return key === undefined ? undefined : `${key}@${this.#place(span, source)}`;
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

/** Whether a body that runs led to a block, rather than the members of the model. */
function isMadeInCall(frame: Frame | undefined): boolean {
  for (let use = frame; use !== undefined; use = use.outer) if (use.made !== undefined) return true;
  return false;
}
