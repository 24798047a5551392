/**
 * From the shapes of given inputs to the numbers that an entry's symbols stand for.
 *
 * Owns: solving the symbols, and checking inputs, minimums and guards against them, before anything
 * reaches the device.
 */
import type { PlanEntry, PlanGuard, Size } from "../../compiler/plan.ts";
import { type Diagnostic, DiagnosticError } from "../../lang/diagnostic.ts";
import { failure, failureDiagnostic } from "../failure.ts";
import { evaluateSize, printShape, printSize, type Symbols, solveSize, symbolsOf } from "./sizes.ts";

/** The shape that an input has, by its name. */
export type Shapes = ReadonlyMap<string, readonly number[]>;

/**
 * The value of every symbol of the entry.
 * @param given values of symbols that no input shows
 * @throws DiagnosticError `input-missing`, `input-unknown`, `input-shape`, `symbol-unbound`,
 *   `symbol-minimum`, `guard-failed`
 */
export function bindSymbols(entry: PlanEntry, shapes: Shapes, given: Symbols = new Map()): Symbols {
  checkNames(entry, shapes);
  const symbols = new Map(given);
  const origins = new Map<string, string>();
  // A dimension such as 1 + P is solved once the others of its symbols are known.
  for (let before = -1; before < symbols.size; ) {
    before = symbols.size;
    for (const { name, shape } of entry.inputs) {
      for (const [axis, size] of shape.entries()) {
        const found = shapes.get(name)?.[axis];
        const solved = found === undefined ? undefined : solveSize(size, found, symbols);
        if (solved === undefined) continue;
        symbols.set(...solved);
        origins.set(solved[0], `dimension ${axis} of ${name}`);
      }
    }
  }
  checkValues(entry, symbols, origins);
  checkShapes(entry, shapes, symbols, origins);
  checkGuards(entry.guards, symbols, origins);
  return symbols;
}

/**
 * Values that are given for all symbols of the entry.
 * @throws DiagnosticError `symbol-unbound`, `symbol-minimum`, `guard-failed`
 */
export function acceptSymbols(entry: PlanEntry, symbols: Symbols): Symbols {
  checkValues(entry, symbols, new Map());
  checkGuards(entry.guards, symbols, new Map());
  return symbols;
}

function checkValues(entry: PlanEntry, symbols: Symbols, origins: Origins): void {
  for (const { name, minimum } of entry.symbols) {
    const value = symbols.get(name);
    if (value === undefined) {
      throw failure(
        "symbol-unbound",
        `The dimension ${name} has no value: no input of ${entry.name} shows it.`,
      );
    }
    if (value < minimum) {
      const origin = origins.get(name) ?? "given";
      throw failure("symbol-minimum", `${name} is ${value}, ${origin}; it must be at least ${minimum}.`);
    }
  }
}

function checkNames(entry: PlanEntry, shapes: Shapes): void {
  const known = entry.inputs.map(({ name }) => name);
  const problems: Diagnostic[] = [];
  for (const name of shapes.keys()) {
    if (known.includes(name)) continue;
    const hint = `its inputs are ${known.join(", ") || "none"}`;
    problems.push(
      failureDiagnostic("input-unknown", `The entry ${entry.name} has no input ${name}.`, { hint }),
    );
  }
  for (const { name, dtype, shape, state } of entry.inputs) {
    const found = shapes.get(name);
    // A state that is not given is zero, of the shape that the other inputs make it.
    if (found === undefined && state !== undefined) continue;
    const declared = `${dtype}${printShape(shape)}`;
    if (found === undefined) {
      problems.push(
        failureDiagnostic("input-missing", `The input ${name} is missing.`, {
          hint: `give ${name} ${declared}`,
        }),
      );
    } else if (found.length !== shape.length) {
      const message = `The input ${name} has the shape [${found.join(", ")}]; it must be ${declared}.`;
      problems.push(failureDiagnostic("input-shape", message));
    }
  }
  if (problems.length > 0) throw new DiagnosticError(problems);
}

type Origins = ReadonlyMap<string, string>;

function checkShapes(entry: PlanEntry, shapes: Shapes, symbols: Symbols, origins: Origins): void {
  for (const { name, shape } of entry.inputs) {
    const found = shapes.get(name);
    if (found === undefined) continue;
    for (const [axis, size] of shape.entries()) {
      const wanted = evaluateSize(size, symbols);
      if (wanted === found[axis]) continue;
      throw failure(
        "input-shape",
        `Dimension ${axis} of the input ${name} is ${found[axis]}; it must be ${withValue(size, wanted)}.`,
        {
          notes: [
            ...valuesOf([size], symbols, origins),
            `${name} is declared ${printShape(shape)} and got [${found.join(", ")}]`,
          ],
        },
      );
    }
  }
}

function checkGuards(guards: readonly PlanGuard[], symbols: Symbols, origins: Origins): void {
  const failed = guards.flatMap(({ relation, left, right, message }) => {
    const first = evaluateSize(left, symbols);
    const second = evaluateSize(right, symbols);
    if (holds(relation, first, second)) return [];
    const verb = { equal: "equal", "at-most": "be at most", divides: "divide" }[relation];
    const condition = `${withValue(left, first)} must ${verb} ${withValue(right, second)}`;
    const notes = valuesOf([left, right], symbols, origins);
    return [failureDiagnostic("guard-failed", `${condition}: ${message}.`, { notes })];
  });
  if (failed.length > 0) throw new DiagnosticError(failed);
}

function holds(relation: PlanGuard["relation"], left: number, right: number): boolean {
  switch (relation) {
    case "equal":
      return left === right;
    case "at-most":
      return left <= right;
    case "divides":
      return left !== 0 && right % left === 0;
  }
}

function valuesOf(sizes: readonly Size[], symbols: Symbols, origins: Origins): string[] {
  const names = new Set(sizes.flatMap((size) => [...symbolsOf(size)]));
  return [...names].map((name) => `${name} is ${symbols.get(name)}, ${origins.get(name) ?? "given"}`);
}

/** `2 * N = 14`, or just `14`. */
function withValue(size: Size, value: number): string {
  return typeof size === "number" ? `${value}` : `${printSize(size)} = ${value}`;
}
