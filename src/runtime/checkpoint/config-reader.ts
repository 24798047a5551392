/**
 * A configuration of a model, read so that nothing in it is overlooked.
 *
 * Owns: typed look-ups, and which keys nobody asked for: what is not known might change what is computed.
 */
import { failure } from "../failure.ts";

export class ConfigReader {
  readonly label: string;
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #seen = new Set<string>();

  constructor(label: string, values: Readonly<Record<string, unknown>>) {
    this.label = label;
    this.#values = values;
  }

  /** The value as it is; undefined where there is none. */
  get(key: string): unknown {
    this.#seen.add(key);
    return this.#values[key] ?? undefined;
  }

  count(key: string, fallback?: number): number {
    const value = this.get(key) ?? fallback;
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= 1) return value;
    throw this.#unfit(key, value, "a whole number above 0");
  }

  real(key: string, fallback?: number): number {
    const value = this.get(key) ?? fallback;
    if (typeof value === "number" && Number.isFinite(value)) return value;
    throw this.#unfit(key, value, "a number");
  }

  boolean(key: string, fallback?: boolean): boolean {
    const value = this.get(key) ?? fallback;
    if (typeof value === "boolean") return value;
    throw this.#unfit(key, value, "true or false");
  }

  /** What the library has no other form of. Absent is fine. */
  only(key: string, ...allowed: readonly unknown[]): void {
    const value = this.get(key);
    if (value === undefined || allowed.some((one) => JSON.stringify(one) === JSON.stringify(value))) return;
    throw this.#unfit(key, value, allowed.map((one) => JSON.stringify(one)).join(" or "));
  }

  /** Known, and without meaning for what is computed. */
  ignore(...keys: readonly string[]): void {
    for (const key of keys) this.#seen.add(key);
  }

  /** @throws DiagnosticError `import-unknown` for keys that nobody asked for */
  finish(): void {
    const rest = Object.keys(this.#values).filter((key) => !this.#seen.has(key));
    if (rest.length === 0) return;
    throw failure("import-unknown", `${this.label} has settings that are not known: ${rest.join(", ")}.`, {
      notes: ["a setting that is not known may change what is computed"],
      hint: "take them out of a copy of the file if they do not, or write the .oss by hand",
    });
  }

  #unfit(key: string, value: unknown, wanted: string): Error {
    const found = value === undefined ? "missing" : `${JSON.stringify(value)}`;
    return failure("import-unfit", `The setting ${key} of ${this.label} is ${found}.`, {
      notes: [`the library has models where it is ${wanted}`],
    });
  }
}
