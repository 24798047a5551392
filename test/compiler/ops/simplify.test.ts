import { describe, expect, test } from "vitest";
import type { Node, Value } from "../../../src/compiler/graph.ts";
import { GraphBuilder } from "../../../src/compiler/graph-builder.ts";
import { findOp } from "../../../src/compiler/ops/index.ts";
import type { OpDefinition } from "../../../src/compiler/ops/op.ts";
import type { Attributes } from "../../../src/lang/catalog.ts";
import { Dim } from "../../../src/lang/dims.ts";
import { printType, type TensorType } from "../../../src/lang/types.ts";

const here = { path: "test", span: undefined };
const N = Dim.symbol("N");
const dims = (...sizes: (number | Dim)[]) =>
  sizes.map((size) => (typeof size === "number" ? Dim.of(size) : size));
const f32 = (...sizes: (number | Dim)[]): TensorType => ({ dtype: "f32", shape: dims(...sizes) });

function op(name: string): OpDefinition {
  const found = findOp(name);
  if (!found) throw new Error(name);
  return found;
}

class Bench {
  readonly builder = new GraphBuilder("bench");

  input(...sizes: (number | Dim)[]): Value {
    return this.builder.input(`x${sizes.join("_")}`, f32(...sizes));
  }

  constant(value: number, ...sizes: number[]): Value {
    const count = sizes.reduce((product, size) => product * size, 1);
    return this.builder.constant(new Array<number>(count).fill(value), f32(...sizes));
  }

  apply(name: string, operands: readonly Value[], attributes: Attributes = {}): Value {
    const [value] = this.builder.apply(op(name), operands, attributes, here);
    if (!value) throw new Error(name);
    return value;
  }

  /** What the node behind `value` says it equals; its type is checked to be the node's. */
  simplified(value: Value): Value | undefined {
    const node: Node | undefined = value.source.kind === "result" ? value.source.node : undefined;
    const found = node?.op.simplify?.(node, (definition, operands, attributes) =>
      this.builder.apply(definition, operands, attributes, here),
    );
    if (found?.[0]) expect(printType(found[0].type)).toBe(printType(value.type));
    return found?.[0];
  }
}

describe("what changes nothing is passed through", () => {
  const cases: readonly (readonly [string, (b: Bench, x: Value) => Value])[] = [
    ["a reshape to the same shape", (b, x) => b.apply("reshape", [x], { shape: dims(N, 3) })],
    ["a transpose that keeps the order", (b, x) => b.apply("transpose", [x], { permutation: [0, 1] })],
    ["a cast to the same type", (b, x) => b.apply("cast", [x], { to: "f32" })],
    ["an expansion to the same shape", (b, x) => b.apply("expand", [x], { shape: dims(N, 3) })],
    ["all of a slice", (b, x) => b.apply("slice", [x], { starts: dims(0, 0), stops: dims(N, 3) })],
    ["a concatenation of one", (b, x) => b.apply("concat", [x])],
    ["padding by nothing", (b, x) => b.apply("pad", [x], { before: dims(0, 0), after: dims(0, 0) })],
    ["x + 0", (b, x) => b.apply("add", [x, b.constant(0)])],
    ["0 + x", (b, x) => b.apply("add", [b.constant(0, 3), x])],
    ["x - 0", (b, x) => b.apply("sub", [x, b.constant(0)])],
    ["x * 1", (b, x) => b.apply("mul", [x, b.constant(1, 1, 3)])],
    ["x / 1", (b, x) => b.apply("div", [x, b.constant(1)])],
    ["x ^ 1", (b, x) => b.apply("pow", [x, b.constant(1)])],
  ];

  test.each(cases)("%s", (_, make) => {
    const bench = new Bench();
    const x = bench.input(N, 3);
    expect(bench.simplified(make(bench, x))).toBe(x);
  });
});

describe("what changes something is not", () => {
  const cases: readonly (readonly [string, (b: Bench) => Value])[] = [
    ["an addition of 0 that broadcasts x", (b) => b.apply("add", [b.input(1, 3), b.constant(0, 4, 1)])],
    ["0 - x", (b) => b.apply("sub", [b.constant(0), b.input(2)])],
    ["1 / x", (b) => b.apply("div", [b.constant(1), b.input(2)])],
    ["x * 0", (b) => b.apply("mul", [b.input(2), b.constant(0)])],
    ["a slice of a part", (b) => b.apply("slice", [b.input(4)], { starts: dims(1), stops: dims(4) })],
    ["a cast", (b) => b.apply("cast", [b.input(2)], { to: "f16" })],
    ["a swap of equal dimensions", (b) => b.apply("transpose", [b.input(2, 2)])],
    ["a concatenation of two", (b) => b.apply("concat", [b.input(2), b.constant(0, 0)])],
  ];

  test.each(cases)("%s", (_, make) => {
    const bench = new Bench();
    expect(bench.simplified(make(bench))).toBeUndefined();
  });
});

describe("two become one", () => {
  test("reshapes", () => {
    const bench = new Bench();
    const x = bench.input(2, 3, 4);
    const inner = bench.apply("reshape", [x], { shape: dims(6, 4) });
    const outer = bench.simplified(bench.apply("reshape", [inner], { shape: dims(24) }));
    expect(outer).toBe(bench.apply("reshape", [x], { shape: dims(24) }));
  });

  test("transposes", () => {
    const bench = new Bench();
    const x = bench.input(2, 3, 4);
    const inner = bench.apply("transpose", [x], { permutation: [1, 2, 0] });
    const outer = bench.simplified(bench.apply("transpose", [inner], { permutation: [0, 2, 1] }));
    expect(outer).toBe(bench.apply("transpose", [x], { permutation: [1, 0, 2] }));
  });
});
