/**
 * Codes of mistakes with values that are known while compiling: arguments, arithmetic, conditions.
 */
import type { CodeTable } from "./code.ts";

export const valueCodes = {
  "wrong-argument": {
    severity: "error",
    cause: "values",
    summary: "An argument does not fit its parameter.",
    explanation:
      'The parameter has a type, such as `int`, `ratio` or `"score" | "original"`, and the argument is not of that type or lies outside its range. A quantity needs its unit, and a ratio lies between 0 % and 100 %.',
  },
  "missing-argument": {
    severity: "error",
    cause: "text",
    summary: "A parameter without a default gets no value.",
    explanation:
      "Parameters without `= …` in their declaration must be given at every use of the block. A tensor parameter of `forward` is given when the block is applied.",
  },
  "unknown-type": {
    severity: "error",
    cause: "text",
    summary: "A name that is not a type stands where a type is needed.",
    explanation:
      "Static parameters have types such as `int`, `real`, `ratio`, `bool`, `string`, `frequency`, `duration` or the kind of a block. Tensors have an element type and a shape: `f32[B, N, width]`.",
  },
  "bad-arithmetic": {
    severity: "error",
    cause: "values",
    summary: "A calculation on known values has no answer.",
    explanation:
      "Values that are known while compiling are computed exactly. Units must match, a division by zero has no value, and a real number times an open dimension must be rounded with `ceil`, `floor` or `round` before it can be a size.",
  },
  "integer-wanted": {
    severity: "error",
    cause: "values",
    summary: "Something other than an integer stands where only an integer can.",
    explanation:
      "Dimensions, indices, and the ends of ranges are integers. Say how a real number becomes one: `ceil(keep * n)`, `floor(…)`, `round(…)`.",
  },
  "not-divisible": {
    severity: "error",
    cause: "values",
    summary: "A division leaves a remainder where a whole number is needed.",
    explanation:
      "Division between integers is exact: `width / heads` is a size only if it comes out whole. Choose sizes that divide, or say which way to round. While a size is still open, divisibility becomes a guard that is checked when inputs are bound.",
  },
  "number-too-large": {
    severity: "error",
    cause: "values",
    summary: "A number is too large to be exact.",
    explanation:
      "Integers are exact up to 9007199254740991. A product of sizes beyond it, or an expression of sizes with thousands of terms, is almost always a slip such as multiplying twice.",
  },
  "not-a-condition": {
    severity: "error",
    cause: "text",
    summary: "A condition is neither true nor false.",
    explanation:
      "`if`, `require`, `!`, `&&` and `||` take `true`, `false` or a comparison. A number is no condition: compare it, as in `n > 0`.",
  },
  "condition-not-static": {
    severity: "error",
    cause: "text",
    summary: "A condition can't be decided while compiling.",
    explanation:
      "The graph has no control flow: every `if` is decided while compiling, and this one depends on a size that is only known when inputs are bound. Decide by a static parameter instead. What must hold at run time is written as `require`.",
  },
  "requirement-failed": {
    severity: "error",
    cause: "values",
    summary: "A `require` of a block does not hold.",
    explanation:
      "The author of a block wrote down what its arguments must satisfy. The message shows the condition, the values of the names in it, and where each value came from.",
  },
  "open-range": {
    severity: "error",
    cause: "text",
    summary: "A range has an end that is not known while compiling.",
    explanation:
      "Loops and list comprehensions are unrolled while compiling, so the ends of a range must be numbers by then: a static parameter is fine, the length of an input is not. To work along a tensor of open size, use ops on whole tensors.",
  },
  "not-iterable": {
    severity: "error",
    cause: "text",
    summary: "A loop runs over something that is not a list or range.",
    explanation: "`for` takes a list or a range: `for layer in layers`, `for i in 0..depth`.",
  },
  "wrong-count": {
    severity: "error",
    cause: "text",
    summary: "A number of values does not match a number of names.",
    explanation:
      "`let (a, b) = f(x)` needs as many names as there are values, and a body with several results ends in as many values, in parentheses. Write `_` for a value that is not needed.",
  },
  "not-indexable": {
    severity: "error",
    cause: "text",
    summary: "Something that is not a tensor or a list is indexed.",
    explanation: "`x[…]` takes parts of a tensor or an item of a list. Nothing else has parts by number.",
  },
  "list-index": {
    severity: "error",
    cause: "text",
    summary: "A list is indexed like a tensor.",
    explanation: "A list takes one integer: `layers[3]`. Slices and several indices are for tensors.",
  },
  "index-out-of-range": {
    severity: "error",
    cause: "values",
    summary: "An index or a slice leaves its axis or list.",
    explanation:
      "Indices count from 0, and negative ones from the end. Bounds are exact and never clamped: `x[:, :100]` of an axis of 80 is an error. While sizes are open, the bound becomes a guard that is checked when inputs are bound.",
  },
  "bad-step": {
    severity: "error",
    cause: "values",
    summary: "The step of a slice is not a positive number.",
    explanation: "In `x[start:stop:step]` the step is a positive integer that is known while compiling.",
  },
  "not-an-initialiser": {
    severity: "error",
    cause: "text",
    summary: "A parameter starts as something that is not an initialiser.",
    explanation:
      "After `param name: type =` stands how the tensor starts when no checkpoint is given: `zeros`, `ones`, `normal(0.02)`, `truncated_normal(0.02)`, `uniform(low, high)`, a number, or a tensor of the same type.",
  },
  "none-used": {
    severity: "error",
    cause: "values",
    summary: "A value that nobody offered is used.",
    explanation:
      "A handler's parameter with the default `none` stays none when the site does not offer a value of that name. Use it only where the encoder offers it, or ask first: `if attention == none { … }`.",
  },
  "bad-setting": {
    severity: "error",
    cause: "text",
    summary: "A value given by `--set` does not fit the model.",
    explanation:
      "`--set name=value` gives a value to a parameter of the model, written as in a source file: `--set keep=70%`, `--set at=[3,6,9]`. Quotes around strings may be left out.",
  },
  "endless-block": {
    severity: "error",
    cause: "text",
    summary: "A block contains itself without end.",
    explanation:
      "A block may use itself only if a static parameter changes on the way and an `if` ends it, as in a tree of a given depth. Otherwise there would be infinitely many parameters.",
  },
  "too-much-work": {
    severity: "error",
    cause: "text",
    summary: "A program takes more steps to lay out than any model needs.",
    explanation:
      "Everything is unrolled while compiling: each turn of a loop and each item of a list is laid out by itself. The limits lie several times above the largest models: 500,000 steps in all, and 60,000 in one entry or block besides what is the same as before. Look for a range with a number of samples where a number of layers was meant.",
  },
} satisfies CodeTable;
