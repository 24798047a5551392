/**
 * What must hold for every dimension, as properties over random expressions.
 *
 * Owns: an expression tree with an evaluator of its own that shares nothing with the canonical form,
 * and the list of properties. dims.test.ts runs each a few hundred times, dims.full.ts very often.
 */
import fc from "fast-check";
import {
  Dim,
  type DimAlgebra,
  DimError,
  parseDim,
  productDims,
  type Rounding,
  sumDims,
} from "../../src/lang/dims.ts";

type Binary = "add" | "sub" | "mul" | "floorDivide" | "ceilDivide" | "modulo" | "min" | "max";

type Expression =
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "symbol"; readonly name: string }
  | { readonly kind: Binary; readonly left: Expression; readonly right: Expression }
  | {
      readonly kind: "scaled";
      readonly mode: Rounding;
      readonly factor: number | "keep";
      readonly of: Expression;
    };

const symbolNames = ["N", "M", "T"] as const;
const polynomialKinds: readonly Binary[] = ["add", "sub", "mul"];
const allKinds: readonly Binary[] = [...polynomialKinds, "floorDivide", "ceilDivide", "modulo", "min", "max"];

const leaf: fc.Arbitrary<Expression> = fc.oneof(
  fc.integer({ min: -6, max: 12 }).map((value): Expression => ({ kind: "number", value })),
  fc.constantFrom(...symbolNames).map((name): Expression => ({ kind: "symbol", name })),
);

function expressions(kinds: readonly Binary[], scaled: boolean): fc.Arbitrary<Expression> {
  return fc.letrec<{ tree: Expression }>((tie) => {
    const binary = fc
      .record({ kind: fc.constantFrom(...kinds), left: tie("tree"), right: tie("tree") })
      .map((node): Expression => node);
    const product = fc
      .record({
        mode: fc.constantFrom<Rounding>("ceil", "floor", "round"),
        factor: fc.constantFrom<number | "keep">(0.7, 0.5, 1, 0, -1.5, 2.25, 1e-7, "keep"),
        of: tie("tree"),
      })
      .map((node): Expression => ({ kind: "scaled", ...node }));
    const options = { depthSize: "small", withCrossShrink: true } as const;
    return {
      tree: scaled
        ? fc.oneof(options, leaf, binary, binary, binary, product)
        : fc.oneof(options, leaf, binary),
    };
  }).tree;
}

const anything = expressions(allKinds, true);
const polynomial = expressions(polynomialKinds, false);

const bindings = (min: number): fc.Arbitrary<ReadonlyMap<string, number>> =>
  fc
    .tuple(...symbolNames.map(() => fc.integer({ min, max: 40 })), fc.double({ min: 0, max: 1, noNaN: true }))
    .map(
      ([n = 0, m = 0, t = 0, keep = 0]) =>
        new Map([
          ["N", n],
          ["M", m],
          ["T", t],
          ["keep", keep],
        ]),
    );

const anyBindings = bindings(-20);
const positiveBindings = bindings(1);

/** The meaning, by recursion on the tree; undefined where something is divided by zero. */
function meaning(expression: Expression, values: ReadonlyMap<string, number>): bigint | undefined {
  switch (expression.kind) {
    case "number":
      return BigInt(expression.value);
    case "symbol":
      return BigInt(values.get(expression.name) ?? 0);
    case "scaled": {
      const operand = meaning(expression.of, values);
      if (operand === undefined) return undefined;
      const factor = typeof expression.factor === "number" ? expression.factor : (values.get("keep") ?? 0);
      const product = factor * Number(operand);
      if (Math.abs(product) > Number.MAX_SAFE_INTEGER) return undefined;
      if (Math.abs(Number(operand)) > Number.MAX_SAFE_INTEGER) return undefined;
      if (expression.mode === "ceil") return BigInt(Math.ceil(product));
      if (expression.mode === "floor") return BigInt(Math.floor(product));
      const [down, up] = [Math.floor(product), Math.ceil(product)];
      if (product - down === up - product) return BigInt(down % 2 === 0 ? down : up);
      return BigInt(product - down < up - product ? down : up);
    }
    default: {
      const left = meaning(expression.left, values);
      const right = meaning(expression.right, values);
      return left === undefined || right === undefined ? undefined : apply(expression.kind, left, right);
    }
  }
}

function apply(kind: Binary, a: bigint, b: bigint): bigint | undefined {
  switch (kind) {
    case "add":
      return a + b;
    case "sub":
      return a - b;
    case "mul":
      return a * b;
    case "floorDivide":
      return floor(a, b);
    case "ceilDivide": {
      const below = floor(-a, b);
      return below === undefined ? undefined : -below;
    }
    case "modulo": {
      const quotient = floor(a, b);
      return quotient === undefined ? undefined : a - b * quotient;
    }
    case "min":
      return a < b ? a : b;
    case "max":
      return a < b ? b : a;
  }
}

function floor(a: bigint, b: bigint): bigint | undefined {
  if (b === 0n) return undefined;
  const remainder = ((a % b) + b) % b;
  return (a - remainder) / b;
}

/** Of the polynomial that a tree of sums and products is, at most. */
function degreeOf(expression: Expression): number {
  switch (expression.kind) {
    case "number":
      return 0;
    case "symbol":
      return 1;
    case "scaled":
      return degreeOf(expression.of);
    default: {
      const [left, right] = [degreeOf(expression.left), degreeOf(expression.right)];
      return expression.kind === "mul" ? left + right : Math.max(left, right);
    }
  }
}

/** The Dim, or undefined where it divides by the number 0 or grows beyond the limits. */
function build(expression: Expression): Dim | undefined {
  try {
    return construct(expression);
  } catch (error) {
    if (error instanceof DimError) return undefined;
    throw error;
  }
}

function construct(expression: Expression): Dim {
  switch (expression.kind) {
    case "number":
      return Dim.of(expression.value);
    case "symbol":
      return Dim.symbol(expression.name);
    case "scaled":
      return Dim.scaled(expression.mode, expression.factor, construct(expression.of));
    case "min":
    case "max":
      return Dim[expression.kind](construct(expression.left), construct(expression.right));
    default:
      return construct(expression.left)[expression.kind](construct(expression.right));
  }
}

function evaluated(dim: Dim, values: ReadonlyMap<string, number>): bigint | undefined {
  try {
    return BigInt(dim.evaluate(values));
  } catch (error) {
    if (error instanceof DimError) return undefined;
    throw error;
  }
}

function built(expression: Expression): Dim {
  const dim = build(expression);
  fc.pre(dim !== undefined);
  return dim ?? Dim.of(0);
}

function assert(holds: boolean, message: () => string): void {
  if (!holds) throw new Error(message());
}

function assertEqual(found: Dim | undefined, expected: Dim): void {
  assert(found?.equals(expected) === true, () => `${found} is not ${expected}`);
}

const isSafe = (value: bigint | undefined): value is bigint =>
  value !== undefined && Number.isSafeInteger(Number(value));

/** Evaluates by `fold`, to hold it to the same meaning as `evaluate`. */
const evaluating = (values: ReadonlyMap<string, number>): DimAlgebra<bigint | undefined> => {
  const lift =
    (kind: Binary) =>
    (a: bigint | undefined, b: bigint | undefined): bigint | undefined =>
      a === undefined || b === undefined ? undefined : apply(kind, a, b);
  return {
    constant: (value) => value,
    symbol: (name) => BigInt(values.get(name) ?? 0),
    add: lift("add"),
    multiply: lift("mul"),
    floorDivide: lift("floorDivide"),
    minimum: lift("min"),
    maximum: lift("max"),
    scaled: (mode, factor, a) => {
      if (!isSafe(a)) return undefined;
      const known = factor === "keep" ? "keep" : Number(factor);
      return meaning(
        { kind: "scaled", mode, factor: known, of: { kind: "number", value: Number(a) } },
        values,
      );
    },
  };
};

function holds(
  name: string,
  arbitraries: readonly [
    fc.Arbitrary<Expression>,
    fc.Arbitrary<Expression>,
    fc.Arbitrary<ReadonlyMap<string, number>>,
  ],
  predicate: (a: Expression, b: Expression, values: ReadonlyMap<string, number>) => void,
): { readonly name: string; readonly check: (runs: number) => void } {
  return { name, check: (runs) => fc.assert(fc.property(...arbitraries, predicate), { numRuns: runs }) };
}

export const dimProperties = [
  holds("evaluates to what the expression means", [anything, leaf, anyBindings], (tree, _, values) => {
    const expected = meaning(tree, values);
    const dim = built(tree);
    if (!isSafe(expected)) return;
    const found = evaluated(dim, values);
    // Products with a real factor refuse what leaves the safe integers, in a different order of steps.
    if (found !== undefined || !String(dim).includes(".")) {
      assert(found === expected, () => `${dim} is ${found}, expected ${expected}`);
    }
  }),
  holds("folds to what it evaluates to", [anything, leaf, anyBindings], (tree, _, values) => {
    const dim = built(tree);
    const expected = evaluated(dim, values);
    const found = dim.fold(evaluating(values));
    if (expected !== undefined) assert(found === expected, () => `${dim} folds to ${found}, not ${expected}`);
  }),
  holds("is read back from its text", [anything, leaf, anyBindings], (tree) => {
    const dim = built(tree);
    assertEqual(parseDim(dim.toString()), dim);
  }),
  holds("lies within its range", [anything, leaf, positiveBindings], (tree, _, values) => {
    const dim = built(tree);
    const value = evaluated(dim, values);
    const { min, max } = dim.range();
    if (value === undefined) return;
    assert(min === undefined || min <= value, () => `${dim} is ${value}, below ${min}`);
    assert(max === undefined || value <= max, () => `${dim} is ${value}, above ${max}`);
  }),
  holds("respects minimums in its range", [anything, leaf, bindings(5)], (tree, _, values) => {
    const dim = built(tree);
    const value = evaluated(dim, values);
    const { min, max } = dim.range(new Map(symbolNames.map((name) => [name, 5])));
    if (value === undefined) return;
    assert(min === undefined || min <= value, () => `${dim} is ${value}, below ${min}`);
    assert(max === undefined || value <= max, () => `${dim} is ${value}, above ${max}`);
  }),
  holds("is equal only to what has the same value", [anything, anything, anyBindings], (a, b, values) => {
    const [left, right] = [built(a), built(b)];
    if (!left.equals(right)) return;
    const [x, y] = [meaning(a, values), meaning(b, values)];
    assert(x === undefined || y === undefined || x === y, () => `${left} taken for ${right}: ${x}, ${y}`);
  }),
  holds(
    "is equal whenever polynomials have the same values",
    [polynomial, polynomial, anyBindings],
    (a, b) => {
      const [left, right] = [built(a), built(b)];
      const degree = Math.max(degreeOf(a), degreeOf(b));
      fc.pre(degree <= 6);
      // Polynomials of that degree that agree on a grid of one more value along each symbol are the same.
      let agree = true;
      for (let point = 0; agree && point < (degree + 1) ** symbolNames.length; point++) {
        let rest = point;
        const values = new Map<string, number>();
        for (const name of symbolNames) {
          values.set(name, rest % (degree + 1));
          rest = Math.floor(rest / (degree + 1));
        }
        agree = meaning(a, values) === meaning(b, values);
      }
      assert(
        left.equals(right) === agree,
        () => `${left} and ${right}: ${agree ? "the same" : "not the same"}`,
      );
      // The same, written differently.
      const doubled = left.add(right).mul(2).sub(right.add(right));
      assertEqual(doubled.divideExactly(2), left);
    },
  ),
  holds("obeys the laws of a ring", [anything, anything, anyBindings], (a, b) => {
    const [x, y] = [built(a), built(b)];
    fc.pre(x.polynomial.terms.length * y.polynomial.terms.length < 200);
    assertEqual(x.add(y), y.add(x));
    assertEqual(x.mul(y), y.mul(x));
    assertEqual(x.sub(y).add(y), x);
    assertEqual(x.add(y).mul(x), x.mul(x).add(x.mul(y)));
    const square = x.add(y).mul(x.add(y));
    assertEqual(square, sumDims([x.mul(x), productDims([Dim.of(2), y, x]), y.mul(y)]));
    assertEqual(x.sub(y).mul(x.add(y)), x.mul(x).sub(y.mul(y)));
  }),
  holds("divides products exactly", [polynomial, polynomial, anyBindings], (a, b) => {
    const [x, y] = [built(a), built(b)];
    fc.pre(y.constant !== 0 && x.polynomial.terms.length * y.polynomial.terms.length < 400);
    assertEqual(x.mul(y).divideExactly(y), x);
    assertEqual(x.mul(y).floorDivide(y), x);
    const inexact = x.mul(y).mul(2).add(1).divideExactly(y.mul(2));
    assert(inexact === undefined, () => `an odd polynomial divided by 2*(${y}) gave ${inexact}`);
  }),
  holds("takes whole multiples out of a floor", [anything, polynomial, anyBindings], (a, b) => {
    const [x, k] = [built(a), built(b)];
    fc.pre(x.polynomial.terms.length < 30);
    const integer = k.constant ?? k.polynomial.terms.length;
    for (const divisor of [2, 7, 160]) {
      const floor = x.floorDivide(divisor);
      assertEqual(x.add(integer * divisor).floorDivide(divisor), floor.add(integer));
      assertEqual(x.ceilDivide(divisor), x.add(divisor - 1).floorDivide(divisor));
      assertEqual(x.mul(divisor).floorDivide(divisor), x);
      assertEqual(x.mul(3).floorDivide(3 * divisor), floor);
      assertEqual(x.modulo(divisor).add(floor.mul(divisor)), x);
    }
  }),
  holds("substitutes as evaluation composes", [anything, anything, anyBindings], (a, b, values) => {
    const [outer, inner] = [built(a), built(b)];
    let replaced: Dim;
    try {
      replaced = outer.substitute(new Map([["N", inner]]), new Map([["keep", values.get("keep") ?? 0]]));
    } catch (error) {
      if (error instanceof DimError) return;
      throw error;
    }
    const value = evaluated(inner, values);
    if (value === undefined) return;
    const expected = meaning(a, new Map([...values, ["N", Number(value)]]));
    const found = evaluated(replaced, values);
    if (isSafe(expected) && found !== undefined) {
      assert(found === expected, () => `${outer} with N = ${inner} is ${found}, expected ${expected}`);
    }
  }),
  holds("proves only orders that hold", [anything, anything, positiveBindings], (a, b, values) => {
    const [x, y] = [built(a), built(b)];
    if (!Dim.provablyAtMost(x, y)) return;
    const [low, high] = [evaluated(x, values), evaluated(y, values)];
    assert(
      low === undefined || high === undefined || low <= high,
      () => `${x} = ${low} is above ${y} = ${high}`,
    );
  }),
];
