/**
 * How other counting tools see ops.
 *
 * Owns: the rules that several records share, as those tools have them in their source: torchprofile's
 * handlers (mul, mean, norms) and fvcore's default handles. What is one op's alone stands in its record.
 */
import { Dim } from "../../lang/dims.ts";
import { elementsOf } from "./cost.ts";
import type { Accounting, CostContext, ToolCount } from "./op.ts";

export const resultElements = ({ results }: CostContext): Dim => elementsOf(results[0]);

const isAffine = ({ operands }: CostContext): boolean => operands.length > 1;

/** A fused kernel is one opaque call to a tool that traces PyTorch. */
export const opaqueKernel: ToolCount = { missed: "a fused kernel, which tracing does not see inside" };

/** torchprofile: an element each when there is a weight; fvcore: 5 operations an element, 4 without a weight. */
export const layerNormAccounting: Accounting = {
  torchprofile: (context) => (isAffine(context) ? resultElements(context) : Dim.of(0)),
  fvcore: (context) => resultElements(context).mul(isAffine(context) ? 5 : 4),
};

/** As PyTorch models write it out: a mean of each row, then a product or two with every element. */
export const rmsNormAccounting: Accounting = {
  torchprofile: (context) => {
    const elements = resultElements(context);
    const rows = elementsOf({ dtype: "f32", shape: context.operands[0]?.shape.slice(0, -1) ?? [] });
    return rows.add(elements.mul(isAffine(context) ? 2 : 1));
  },
};

/**
 * torchprofile counts a multiplication for every element of the result. A constant factor is left to
 * the op it prepares: published attention scales the similarities, which softmax's record counts.
 */
export const productAccounting: Accounting = {
  torchprofile: (context) =>
    context.operands.some(({ shape }) => shape.length === 0) ? Dim.of(0) : resultElements(context),
};

/** torchprofile counts the scale that published attention code applies to what its softmax takes. */
export const softmaxAccounting: Accounting = { torchprofile: resultElements };

export const meanAccounting: Accounting = { torchprofile: resultElements };
