/**
 * What a page loads to run a plan: everything here works with the browser's WebGPU and fetch alone.
 */

export type { HostTensor } from "../../compiler/host-tensor.ts";
export type { KernelPlan, PlanEntry, PlanPort } from "../../compiler/plan.ts";
export { type Diagnostic, DiagnosticError } from "../../lang/diagnostic.ts";
export type { CallInputs } from "./call.ts";
export { DeviceTensor } from "./device-tensor.ts";
export { GpuModel, type GpuModelOptions, type Recovery } from "./model.ts";
export { readPlan } from "./plan-reader.ts";
export type { LoadOptions, LoadProgress } from "./plan-weights.ts";
export type { CallOptions, CallResult, GpuSession } from "./session.ts";
export type { HostState, StateSnapshot } from "./state-copies.ts";
export type { DispatchTime } from "./trace.ts";
export { type WeightStream, weightsFrom, weightsFromAddress, weightsFromFile } from "./weight-streams.ts";
