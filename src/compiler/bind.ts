/**
 * From the shapes of real inputs to the numbers that a graph's symbols stand for.
 *
 * Owns: solving the symbols, and checking inputs, minimums and guards against them. A symbol is read
 * where a dimension of an input is that symbol alone; every other dimension is then checked.
 */
import { DiagnosticError } from "../lang/diagnostic.ts";
import { Dim, DimError } from "../lang/dims.ts";
import { printShape } from "../lang/types.ts";
import type { Graph, Guard } from "./graph.ts";

export type Bindings = ReadonlyMap<string, number>;

/** What binding needs to know of a graph. */
export type Bindable = Pick<Graph, "inputs" | "symbols" | "guards">;

/**
 * The value of every symbol. `given` adds those that no input shows.
 * Throws a DiagnosticError that names the input, the axis and both sizes, or the guard that fails.
 */
export function bindSymbols(
  graph: Bindable,
  shapes: ReadonlyMap<string, readonly number[]>,
  given: Bindings = new Map(),
): Map<string, number> {
  const bindings = new Map(given);
  const from = new Map<string, string>();
  for (const { name, value } of graph.inputs) {
    const shape = shapeOf(name, value.type.shape, shapes);
    value.type.shape.forEach((dim, axis) => {
      const symbol = soleSymbol(dim);
      const size = shape[axis];
      if (symbol === undefined || size === undefined || bindings.has(symbol)) return;
      bindings.set(symbol, size);
      from.set(symbol, `dimension ${axis} of ${name}`);
    });
  }
  checkSymbols(graph, bindings, from);
  for (const { name, value } of graph.inputs) {
    const shape = shapeOf(name, value.type.shape, shapes);
    value.type.shape.forEach((dim, axis) => {
      const wanted = evaluateDim(dim, bindings);
      const found = shape[axis];
      if (wanted === found) return;
      const notes = [...dim.symbols()].map(
        (symbol) => `${symbol} is ${bindings.get(symbol)}, ${origin(symbol, from)}`,
      );
      fail(
        "input-shape",
        `Dimension ${axis} of the input ${name} is ${found}; it must be ${same(dim, wanted)}.`,
        {
          notes: [
            ...notes,
            `${name} is declared ${printShape(value.type.shape)} and got [${shape.join(", ")}]`,
          ],
        },
      );
    });
  }
  checkGuards(graph.guards, bindings, from);
  return bindings;
}

/** Throws a DiagnosticError for the guards that do not hold. */
export function checkGuards(
  guards: readonly Guard[],
  bindings: Bindings,
  from: ReadonlyMap<string, string> = new Map(),
): void {
  const failed = guards.flatMap(({ requirement, provenance }) => {
    const [left, right] = [evaluateDim(requirement.left, bindings), evaluateDim(requirement.right, bindings)];
    if (holds(requirement.kind, left, right)) return [];
    const where = provenance.path === "" ? "" : ` in ${provenance.path}`;
    const symbols = new Set([...requirement.left.symbols(), ...requirement.right.symbols()]);
    return [
      {
        code: "guard-failed",
        severity: "error" as const,
        message: `${condition(requirement, left, right)}${where}: ${requirement.reason}.`,
        ...(provenance.span && { primary: { span: provenance.span, text: requirement.reason } }),
        related: [],
        notes: [...symbols].map((symbol) => `${symbol} is ${bindings.get(symbol)}, ${origin(symbol, from)}`),
        edits: [],
      },
    ];
  });
  if (failed.length > 0) throw new DiagnosticError(failed);
}

/** What was not so, with the open side first: "T = 50 must be at least 400". */
function condition({ kind, left, right }: Guard["requirement"], leftSize: number, rightSize: number): string {
  const [first, second] = [same(left, leftSize), same(right, rightSize)];
  if (kind === "at-most" && left.constant !== undefined) return `${second} must be at least ${first}`;
  return `${first} must ${{ equal: "equal", "at-most": "be at most", divides: "divide" }[kind]} ${second}`;
}

/** The number a dimension stands for; a DiagnosticError where there is none. */
export function evaluateDim(dim: Dim, bindings: Bindings): number {
  if (dim.constant !== undefined) return dim.constant;
  try {
    return dim.evaluate(bindings);
  } catch (error) {
    if (error instanceof DimError)
      fail("dimension-value", `The dimension ${dim} has no value: ${error.message}`);
    throw error;
  }
}

function holds(kind: Guard["requirement"]["kind"], left: number, right: number): boolean {
  switch (kind) {
    case "equal":
      return left === right;
    case "at-most":
      return left <= right;
    case "divides":
      return left !== 0 && right % left === 0;
  }
}

function shapeOf(
  name: string,
  declared: readonly Dim[],
  shapes: ReadonlyMap<string, readonly number[]>,
): readonly number[] {
  const shape = shapes.get(name);
  if (shape === undefined) {
    fail("input-missing", `The input ${name} is missing.`, { hint: `Give ${name} ${printShape(declared)}.` });
  }
  if (shape.length !== declared.length) {
    fail(
      "input-shape",
      `The input ${name} has the shape [${shape.join(", ")}]; it must be ${printShape(declared)}.`,
    );
  }
  return shape;
}

function checkSymbols(graph: Bindable, bindings: Bindings, from: ReadonlyMap<string, string>): void {
  for (const { name, minimum } of graph.symbols) {
    const value = bindings.get(name);
    if (value === undefined) {
      fail(
        "symbol-unbound",
        `The dimension ${name} has no value: no input has it as a dimension of its own.`,
      );
    }
    if (value < minimum) {
      fail("symbol-minimum", `${name} is ${value}, ${origin(name, from)}; it must be at least ${minimum}.`);
    }
  }
}

function origin(symbol: string, from: ReadonlyMap<string, string>): string {
  return from.get(symbol) ?? "given";
}

/** `2*N = 14`, or just `14`. */
function same(dim: Dim, value: number): string {
  return dim.constant === undefined ? `${dim} = ${value}` : `${value}`;
}

function soleSymbol(dim: Dim): string | undefined {
  const [symbol, ...others] = dim.symbols();
  return symbol !== undefined && others.length === 0 && dim.equals(Dim.symbol(symbol)) ? symbol : undefined;
}

function fail(code: string, message: string, more: { notes?: readonly string[]; hint?: string } = {}): never {
  throw new DiagnosticError([
    {
      code,
      severity: "error",
      message,
      related: [],
      notes: more.notes ?? [],
      ...(more.hint === undefined ? {} : { hint: more.hint }),
      edits: [],
    },
  ]);
}
