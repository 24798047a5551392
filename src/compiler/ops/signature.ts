/**
 * The named-dimension notation: `x: *b m k, w: *c k n -> *d m n`.
 *
 * Owns: its grammar and its data. A word is one dimension, `*b` any number of them, `#s` any number
 * that broadcast together as numpy's do, `*` alone any number without a name. `x?` may be left out,
 * `xs...` may be repeated; only the last operands may be either. `()` is the shape of a scalar.
 * Matching it to shapes is match.ts.
 */
import type { OperandSpec } from "../../lang/catalog.ts";

export type DimPattern =
  | { readonly kind: "one"; readonly name: string }
  | { readonly kind: "many"; readonly name: string }
  | { readonly kind: "broadcast"; readonly name: string }
  | { readonly kind: "anything" };

export interface OperandPattern extends OperandSpec {
  readonly dims: readonly DimPattern[];
  /** As it was written, for messages. */
  readonly text: string;
}

export interface ResultPattern {
  readonly name: string | undefined;
  readonly dims: readonly DimPattern[];
}

export interface Signature {
  readonly text: string;
  readonly operands: readonly OperandPattern[];
  readonly results: readonly ResultPattern[];
}

const word = /^[a-z][a-z0-9_]*$/;

/** Throws on a malformed signature: that is a mistake in a record, seen when the catalogue loads. */
export function parseSignature(text: string): Signature {
  const sides = text.split("->");
  const [left, right] = sides;
  if (sides.length !== 2 || left === undefined || right === undefined) {
    throw new Error(`the signature "${text}" needs one "->"`);
  }
  const operands = parts(left).map((part) => parseOperand(part, text));
  const results = parts(right).map((part) => parseResult(part, text));
  if (results.length === 0) throw new Error(`the signature "${text}" has no result`);
  operands.forEach((operand, index) => {
    const next = operands[index + 1];
    if (operand.repeated && next) throw new Error(`in "${text}" only the last operand may be repeated`);
    if (operand.optional && next && !next.optional) {
      throw new Error(`in "${text}" an optional operand comes before one that is not`);
    }
  });
  return { text, operands, results };
}

/** The variables of some patterns, each once, with its kind. */
export function variables(patterns: readonly DimPattern[]): Map<string, DimPattern["kind"]> {
  const found = new Map<string, DimPattern["kind"]>();
  for (const pattern of patterns) if (pattern.kind !== "anything") found.set(pattern.name, pattern.kind);
  return found;
}

export function printDims(patterns: readonly DimPattern[]): string {
  if (patterns.length === 0) return "()";
  const marks = { one: "", many: "*", broadcast: "#" };
  return patterns.map((p) => (p.kind === "anything" ? "*" : marks[p.kind] + p.name)).join(" ");
}

function parts(side: string): string[] {
  const trimmed = side.trim();
  return trimmed === "" ? [] : trimmed.split(",").map((part) => part.trim());
}

function parseOperand(part: string, text: string): OperandPattern {
  const match = /^([A-Za-z][A-Za-z0-9_]*)(\?|\.\.\.)?\s*:\s*(.*)$/.exec(part);
  const [, name, mark, dims] = match ?? [];
  if (name === undefined || dims === undefined) throw new Error(`"${part}" in "${text}" is not an operand`);
  return {
    name,
    optional: mark === "?",
    repeated: mark === "...",
    dims: parseDims(dims, text),
    text: dims.trim(),
  };
}

function parseResult(part: string, text: string): ResultPattern {
  const match = /^(?:([a-z][a-z0-9_]*)\s*:)?\s*(.*)$/.exec(part);
  return { name: match?.[1], dims: parseDims(match?.[2] ?? "", text) };
}

function parseDims(source: string, text: string): DimPattern[] {
  if (source.trim() === "()") return [];
  const words = source.trim().split(/\s+/);
  return words.map((token): DimPattern => {
    if (token === "*") return { kind: "anything" };
    const mark = token[0];
    const name = mark === "*" || mark === "#" ? token.slice(1) : token;
    if (!word.test(name)) throw new Error(`"${token}" in "${text}" is not a dimension`);
    return { kind: mark === "*" ? "many" : mark === "#" ? "broadcast" : "one", name };
  });
}
