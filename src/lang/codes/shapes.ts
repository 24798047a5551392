/**
 * Codes of mistakes with tensors: element types, ranks and sizes.
 */
import type { CodeTable } from "./code.ts";

export const shapeCodes = {
  "shape-mismatch": {
    severity: "error",
    cause: "values",
    summary: "Two sizes that must be equal are not.",
    explanation:
      "Shapes are types: a tensor goes only where its sizes agree with what is declared. The message shows both shapes, the dimension that differs, and where each of the two sizes came from. Usually one of these places is the one to change. Sizes that are still open are compared when inputs are bound.",
  },
  "rank-mismatch": {
    severity: "error",
    cause: "values",
    summary: "A tensor has more or fewer dimensions than expected.",
    explanation:
      "`f32[B, N, width]` takes tensors of exactly three dimensions. `*b` in a shape stands for any number of leading ones. Add or remove a dimension with `reshape`, or take one away with an index: `x[:, 0]`.",
  },
  "element-type-mismatch": {
    severity: "error",
    cause: "values",
    summary: "A tensor holds elements of another type than expected.",
    explanation:
      "Element types are never converted silently. Write `cast(x, f32)` where a conversion is meant. Indices are i64.",
  },
  "tensor-wanted": {
    severity: "error",
    cause: "text",
    summary: "Something other than a tensor stands where a tensor is needed.",
    explanation:
      "Parameters of `forward` with a shape, operands of ops and results of entries are tensors. A block that has all its static arguments becomes one by being applied: `pool(x)`, not `pool`.",
  },
  "variadic-dimension": {
    severity: "error",
    cause: "text",
    summary: "`*name` stands where it has no meaning.",
    explanation:
      "`*b` stands for any number of leading dimensions. It may appear once in the shape of a parameter or result of `forward`. Inputs, `param`s and `let`s have a fixed number of dimensions.",
  },
  "negative-size": {
    severity: "error",
    cause: "values",
    summary: "A size of a declared tensor is less than 0.",
    explanation:
      "A dimension counts elements, so it is 0 or more. Look at the values that the size is computed from; a `require` at the block's head can refuse the wrong ones in your own words.",
  },
  "too-many-indices": {
    severity: "error",
    cause: "values",
    summary: "A tensor is indexed with more items than it has dimensions.",
    explanation:
      "Each item in `x[:, 0, 1:]` belongs to one dimension, in order; `...` stands for as many whole dimensions as are left, and may appear once.",
  },
} satisfies CodeTable;
