/**
 * Scalar operations of a lowering.
 *
 * Owns: one rule for every op, so that no record counts in its own way. An operation is one node of a
 * scalar expression that computes (reading an element, a number or a coordinate is none), once for
 * every element it runs on. Orderings count the comparisons of ranking: each kept element against its row.
 */
import { Dim, productDims } from "../../lang/dims.ts";
import type { TensorType } from "../../lang/types.ts";
import type { Fold, Lowering, Scalar } from "./lowering.ts";
import type { CostContext } from "./op.ts";

export const elementsOf = (type: TensorType | undefined): Dim => productDims(type?.shape ?? []);

/** Operations of the 32-bit hash in hash.ts: what it does to one index, the scaling included. */
const hashOperations = 12;

export function operationCount(scalar: Scalar): number {
  switch (scalar.kind) {
    case "operand":
    case "number":
    case "coordinate":
    case "dimension":
    case "accumulator":
    case "count":
    case "folded":
      return 0;
    case "unary":
    case "cast":
      return 1 + operationCount(scalar.x);
    case "binary":
      return 1 + operationCount(scalar.a) + operationCount(scalar.b);
    case "select":
      return (
        1 +
        operationCount(scalar.condition) +
        operationCount(scalar.whenTrue) +
        operationCount(scalar.whenFalse)
      );
    case "hash-uniform":
      return hashOperations + operationCount(scalar.x);
  }
}

export function scalarCost(lowering: Lowering, context: CostContext): Dim {
  const input = elementsOf(context.operands[0]);
  const output = elementsOf(context.results[0]);
  switch (lowering.kind) {
    case "map":
    case "source":
      return output.mul(operationCount(lowering.expression(context)));
    case "view":
      return Dim.of(0);
    case "fold":
      return foldCost(lowering.fold, input, output);
    case "row": {
      const axis = lowering.axis(context);
      const rows = productDims((context.results[0]?.shape ?? []).filter((_, at) => at !== axis));
      return lowering.folds
        .map((fold) => foldCost(fold, input, rows))
        .reduce((sum, cost) => sum.add(cost), output.mul(operationCount(lowering.expression(context))));
    }
    case "contract":
      return lowering.axes(context).bias ? output : Dim.of(0);
    case "scan":
      return input.mul(operationCount(lowering.combine));
    case "select": {
      const axis = lowering.axis(context);
      const row = context.operands[0]?.shape[axis] ?? Dim.of(1);
      return output.mul(row);
    }
    case "kernel":
      throw new Error("a kernel states its own scalar cost");
  }
}

function foldCost(fold: Fold, elements: Dim, results: Dim): Dim {
  return elements.mul(operationCount(fold.combine)).add(results.mul(operationCount(fold.finish)));
}
