/**
 * Numbers for what is open: `--at N=12`, `--seconds 10`.
 *
 * Owns: what a number may be given to, what it may be, and what is said when it can't. An expression
 * is bound as far as numbers were given; what stays open stays in it.
 */
import { type Diagnostic, DiagnosticError } from "../../lang/diagnostic.ts";
import { Dim, DimError, type RealFactor } from "../../lang/dims.ts";
import { suggest } from "../../lang/suggest.ts";
import { type Bindings, checkGuards } from "../bind.ts";
import { typicalSizes } from "../wgsl/typical-sizes.ts";
import type { CostSymbol, EntryCost } from "./model-cost.ts";

export interface Given {
  /** By the name of a symbol or of a parameter left open. */
  readonly at: Bindings;
  /** The length of every waveform. */
  readonly seconds: number | undefined;
}

export const nothingGiven: Given = { at: new Map(), seconds: undefined };

export function costFailure(
  code: string,
  message: string,
  hint?: string,
  notes: readonly string[] = [],
): DiagnosticError {
  const diagnostic: Diagnostic = {
    code,
    severity: "error",
    message,
    related: [],
    notes,
    ...(hint !== undefined && { hint }),
    edits: [],
  };
  return new DiagnosticError([diagnostic]);
}

/**
 * Holds what was given against everything that is open in any of the entries.
 * @throws DiagnosticError `unknown-symbol` or `bad-binding`
 */
export function checkGiven(entries: readonly EntryCost[], { at, seconds }: Given): void {
  const symbols = entries.flatMap((entry) => entry.symbols);
  const known = [...new Set(symbols.map((symbol) => symbol.name))];
  for (const [name, value] of at) {
    const symbol = symbols.find((candidate) => candidate.name === name);
    if (symbol === undefined) {
      const close = suggest(name, known);
      const names = known.length === 0 ? "nothing is open here" : `what is open: ${known.join(", ")}`;
      const hint = close.length > 0 ? `did you mean ${close.join(" or ")}? ${names}` : names;
      throw costFailure("unknown-symbol", `Nothing that is open here is called ${name}.`, hint);
    }
    checkValue(symbol, value);
  }
  if (seconds === undefined) return;
  if (!(seconds > 0) || !Number.isFinite(seconds)) {
    throw costFailure("bad-binding", `${seconds} is no length of a recording in seconds.`);
  }
  if (!symbols.some((symbol) => symbol.kind === "samples")) {
    const hint = known.length === 0 ? "nothing is open here" : `what is open: ${known.join(", ")}`;
    throw costFailure("unknown-symbol", "No entry here takes a recording of open length.", hint);
  }
}

function checkValue({ name, kind }: CostSymbol, value: number): void {
  if (kind === "ratio") {
    if (value > 0 && value < 1) return;
    const boundary = value === 0 || value === 1;
    throw costFailure(
      "bad-binding",
      boundary
        ? `The open ratio ${name} lies strictly between 0 and 1, because ${value * 100} % may be laid out differently.`
        : `${name} is a ratio, and ${value} does not lie between 0 and 1.`,
      boundary ? `set it instead: --set ${name}=${value * 100}%` : `as in --at ${name}=0.7`,
    );
  }
  if (Number.isSafeInteger(value) && value >= 1) return;
  throw costFailure("bad-binding", `${name} is a size, and ${value} is no positive integer.`);
}

/** Values of the entry's symbols, as far as they were given. Checks the entry's guards once all are known. */
export function bindEntry(entry: EntryCost, { at, seconds }: Given): Map<string, number> {
  const bindings = new Map<string, number>();
  for (const { name, rate } of entry.symbols) {
    const value = at.get(name) ?? (rate === undefined || seconds === undefined ? undefined : seconds * rate);
    if (value !== undefined) bindings.set(name, rate === undefined ? value : Math.round(value));
  }
  if (openSymbols(entry, bindings).length === 0) checkGuards(entry.cost.graph.guards, bindings);
  return bindings;
}

export function openSymbols(entry: EntryCost, bindings: Bindings): readonly CostSymbol[] {
  return entry.symbols.filter((symbol) => !bindings.has(symbol.name));
}

/** @throws DiagnosticError `unbound-symbol` where a number is needed and something is open */
export function requireBound(entry: EntryCost, bindings: Bindings, purpose: string): void {
  const open = openSymbols(entry, bindings);
  if (open.length === 0) return;
  const names = open.map((symbol) => symbol.name);
  const options = open.map(({ name, kind }) =>
    kind === "samples" ? "--seconds 10" : `--at ${name}=${kind === "ratio" ? "0.7" : "1"}`,
  );
  throw costFailure(
    "unbound-symbol",
    `${purpose} of ${entry.entry} needs numbers, and ${names.join(", ")} ${names.length === 1 ? "is" : "are"} open.`,
    `give ${[...new Set(options)].join(" ")}`,
  );
}

/** The expression with what is bound filled in: a number, when everything is. */
export function bindDim(dim: Dim, bindings: Bindings): Dim {
  if (dim.constant !== undefined || bindings.size === 0) return dim;
  const names = [...dim.symbols()];
  try {
    if (names.every((name) => bindings.has(name))) return Dim.of(dim.evaluate(bindings));
    const dims = new Map<string, Dim>();
    const factors = new Map<string, RealFactor>();
    for (const name of names) {
      const value = bindings.get(name);
      if (value === undefined) continue;
      if (Number.isInteger(value)) dims.set(name, Dim.of(value));
      factors.set(name, value);
    }
    return dim.substitute(dims, factors);
  } catch (error) {
    if (!(error instanceof DimError)) throw error;
    const given = names.map((name) => `${name} = ${bindings.get(name) ?? "open"}`).join(", ");
    throw costFailure("dimension-value", `A count has no value at ${given}: ${error.message}`);
  }
}

/**
 * Everything bound, for shares and orders where numbers are not asked for: ten seconds of sound, a batch
 * of one, 64 tokens, 70 % of what is kept.
 */
export function typicalBindings(entry: EntryCost, given: Bindings): Map<string, number> {
  const bindings = new Map(given);
  const sizes = typicalSizes(entry.cost.graph);
  for (const { name, kind } of entry.symbols) {
    if (!bindings.has(name)) bindings.set(name, sizes.get(name) ?? (kind === "ratio" ? 0.7 : 1));
  }
  return bindings;
}
