/**
 * Running the lowerings that are made of indices: views and contractions.
 *
 * Owns: the meaning of an `Index`. A view's index must lie inside its operand; a contraction's may
 * fall outside when it says that it is padded.
 */
import { type HostTensor, rowMajorStrides } from "./host-tensor.ts";
import type { Contraction, Index, ViewPiece } from "./ops/lowering.ts";
import { walk } from "./walk.ts";

type Coordinates = readonly number[];
type IndexClosure = (coordinates: Coordinates) => number;

const noSymbols: ReadonlyMap<string, number> = new Map();

function compileIndex(index: Index, operands: readonly HostTensor[]): IndexClosure {
  switch (index.kind) {
    case "coordinate":
      return (coordinates) => coordinates[index.axis] ?? 0;
    case "constant": {
      const value = index.value.evaluate(noSymbols);
      return () => value;
    }
    case "element": {
      const read = reader(index.operand, index.at, operands);
      return (coordinates) => read(coordinates) ?? outside(index.operand);
    }
    case "add":
    case "mul":
    case "div":
    case "mod": {
      const a = compileIndex(index.a, operands);
      const b = compileIndex(index.b, operands);
      if (index.kind === "add") return (c) => a(c) + b(c);
      if (index.kind === "mul") return (c) => a(c) * b(c);
      if (index.kind === "div") return (c) => Math.floor(a(c) / b(c));
      return (c) => a(c) - Math.floor(a(c) / b(c)) * b(c);
    }
  }
}

function outside(operand: number): never {
  throw new Error(`an index falls outside operand ${operand}`);
}

/** Reads operand number `which` at the indices; `undefined` outside it. */
function reader(which: number, at: readonly Index[], operands: readonly HostTensor[]) {
  const tensor = operands[which];
  if (!tensor || tensor.shape.length !== at.length)
    throw new Error(`operand ${which} is read at ${at.length} indices`);
  const strides = rowMajorStrides(tensor.shape);
  const axes = at.map((index, axis) => ({
    index: compileIndex(index, operands),
    stride: strides[axis] ?? 1,
    size: tensor.shape[axis] ?? 1,
  }));
  return (coordinates: Coordinates): number | undefined => {
    let offset = 0;
    for (const { index, stride, size } of axes) {
      const value = index(coordinates);
      if (value < 0 || value >= size) return undefined;
      offset += value * stride;
    }
    return tensor.data[offset];
  };
}

export function view(
  pieces: readonly ViewPiece[],
  otherwise: number | undefined,
  operands: readonly HostTensor[],
  result: HostTensor,
): void {
  const compiled = pieces.map((piece) => ({
    operand: piece.operand,
    read: reader(piece.operand, piece.at, operands),
    when: (piece.when ?? []).map(({ axis, low, high }) => ({
      axis,
      low: low.evaluate(noSymbols),
      high: high.evaluate(noSymbols),
    })),
  }));
  walk(result.shape, [], (position, _, coordinates) => {
    const piece = compiled.find(({ when }) =>
      when.every(({ axis, low, high }) => {
        const at = coordinates[axis] ?? 0;
        return low <= at && at < high;
      }),
    );
    if (!piece && otherwise === undefined) throw new Error("no piece of the view covers an element");
    result.data[position] = piece ? (piece.read(coordinates) ?? outside(piece.operand)) : (otherwise ?? 0);
  });
}

export function contract(axes: Contraction, operands: readonly HostTensor[], result: HostTensor): void {
  const left = reader(0, axes.left, operands);
  const right = reader(1, axes.right, operands);
  const bias = axes.bias && reader(2, axes.bias, operands);
  const reduced = axes.reduce.map((dim) => dim.evaluate(noSymbols));
  walk(result.shape, [], (position, _, coordinates) => {
    let sum = bias ? (bias(coordinates) ?? outside(2)) : 0;
    walk(reduced, [], (_position, _offsets, inner) => {
      const all = [...coordinates, ...inner];
      const a = left(all) ?? (axes.padded ? 0 : outside(0));
      const b = right(all) ?? (axes.padded ? 0 : outside(1));
      sum += a * b;
    });
    result.data[position] = sum;
  });
}
