/**
 * Parameters that nobody gave a value: those of a block that is checked on its own, and those that
 * whoever counts leaves open.
 *
 * Owns: which symbols stand for them, and what may be assumed of their values. Whatever can't be
 * decided without them is unknown, not wrong.
 */
import type { Dim } from "./dims.ts";
import type { Value } from "./value.ts";

export class OpenParameters {
  /** By symbol; a parameter that is no size may be any integer at all. */
  readonly minimums = new Map<string, number>();
  /** Ratios that were left open on purpose: each lies strictly between 0 and 1, so comparisons with both are decided. */
  readonly ratios = new Set<string>();
  readonly #names = new Set<string>();

  /** `isSize`: some tensor has that many rows, so it is at least 1. */
  add(name: string, isSize: boolean): void {
    this.#names.add(name);
    if (!isSize) this.minimums.set(name, Number.NEGATIVE_INFINITY);
  }

  get isEmpty(): boolean {
    return this.#names.size === 0;
  }

  /** The same for the same parameters left open. */
  get key(): string {
    if (this.isEmpty && this.ratios.size === 0) return "";
    return [this.#names, this.minimums.keys(), this.ratios].map((names) => [...names].join()).join(";");
  }

  /** Whether a value would be another if one of them were. */
  reaches(value: Value): boolean {
    if (this.#names.size === 0) return false;
    switch (value.kind) {
      case "int":
        return this.#occursIn(value.dim);
      case "quotient":
        return this.#occursIn(value.numerator) || this.#occursIn(value.denominator);
      case "scaled":
        return typeof value.factor === "string" || this.#occursIn(value.dim);
      case "condition":
        return this.#occursIn(value.left) || this.#occursIn(value.right);
      case "range":
        return this.#occursIn(value.from) || this.#occursIn(value.to);
      case "tensor":
        return value.type.shape.some((dim) => this.#occursIn(dim));
      case "list":
      case "tuple":
        return value.items.some((item) => this.reaches(item));
      default:
        return false;
    }
  }

  #occursIn(dim: Dim): boolean {
    for (const name of dim.symbols()) if (this.#names.has(name)) return true;
    return false;
  }
}
