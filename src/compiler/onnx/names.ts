/**
 * Names that are unique within one model and depend on nothing but the order of asking.
 */
export class Names {
  readonly #taken = new Set<string>();
  /** The next number to try for a wanted name, so that many equal wishes stay cheap. */
  readonly #next = new Map<string, number>();

  /** `wanted`, or else `wanted_2`, `wanted_3`, … */
  unique(wanted: string): string {
    let name = wanted;
    let number = this.#next.get(wanted) ?? 2;
    while (this.#taken.has(name)) name = `${wanted}_${number++}`;
    this.#next.set(wanted, number);
    this.#taken.add(name);
    return name;
  }

  /** False when the name is already taken. */
  reserve(name: string): boolean {
    if (this.#taken.has(name)) return false;
    this.#taken.add(name);
    return true;
  }
}
