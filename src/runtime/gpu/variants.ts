/**
 * A dispatch by another of its kernels.
 */
import type { PlanDispatch, PlanVariant } from "../../compiler/plan.ts";
import { failure } from "../failure.ts";

/** The dispatch as the variant has it; as it is without one. */
export function dispatchBy(dispatch: PlanDispatch, variant: PlanVariant | undefined): PlanDispatch {
  if (variant === undefined) return dispatch;
  const { kernel, order, sizes, workgroups, executed, overhead } = variant;
  const places = order.map((index) => {
    const place = dispatch.places[index];
    if (place === undefined) throw failure("plan-damaged", `A variant at ${dispatch.path} binds no value.`);
    return place;
  });
  return { ...dispatch, kernel, places, sizes, workgroups, executed, overhead };
}
