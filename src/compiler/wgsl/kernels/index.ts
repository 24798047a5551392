/**
 * The kernel of each kind of lowering.
 */
import type { Lowering } from "../../ops/lowering.ts";
import { contractKernel } from "./contract.ts";
import { elementKernel } from "./elements.ts";
import type { KernelMaker } from "./kernel.ts";
import { loopKernels } from "./loops.ts";
import { foldKernel, rowKernel, scanKernel } from "./rows.ts";
import { selectKernel } from "./selects.ts";

export const kernelMakers: Readonly<Record<Lowering["kind"], KernelMaker>> = {
  map: elementKernel,
  view: elementKernel,
  source: elementKernel,
  fold: foldKernel,
  row: rowKernel,
  contract: contractKernel,
  scan: scanKernel,
  select: selectKernel,
  kernel: loopKernels,
};
