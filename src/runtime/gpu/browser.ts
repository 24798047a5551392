/**
 * What a page loads to run a plan, `ossicle/browser`: everything here works with the browser's WebGPU and fetch
 * alone. In Node it is the same, with the GPU that the package `webgpu` gives.
 */

export type { HostTensor } from "../../compiler/host-tensor.ts";
export type { KernelPlan, PlanEntry, PlanGeneration, PlanPort } from "../../compiler/plan.ts";
export { type Diagnostic, DiagnosticError } from "../../lang/diagnostic.ts";
export { mixDown } from "../audio/load.ts";
export { resample } from "../audio/resample.ts";
export { decodeWav, isWav } from "../audio/wav.ts";
export { byteTokenizer } from "../generation/byte-tokenizer.ts";
export { type Generated, type GeneratedToken, generate, generateTokens } from "../generation/generate.ts";
export type { Choice, GenerationOptions } from "../generation/options.ts";
export { readTokenizer, type Tokenizer } from "../generation/tokenizer.ts";
export type { CallInputs } from "./call.ts";
export { DeviceTensor } from "./device-tensor.ts";
export { GpuModel, type GpuModelOptions, type Recovery } from "./model.ts";
export { type EntryCost, entryCost } from "./plan-cost.ts";
export { readPlan } from "./plan-reader.ts";
export type { LoadOptions, LoadProgress } from "./plan-weights.ts";
export type { PrepareOptions, PrepareProgress } from "./preparation.ts";
export type { CallOptions, CallResult, FollowOptions, GpuSession, Link } from "./session.ts";
export type { HostState, StateSnapshot } from "./state-copies.ts";
export { type Asked, ReadPrompt, TextGenerator, type TextOptions } from "./text-generator.ts";
export type { DispatchTime } from "./trace.ts";
export type { Tuned, TuningOptions } from "./tuner.ts";
export { type TuningCache, type TuningChoices, tuningInStorage } from "./tuning-cache.ts";
export { type WeightStream, weightsFrom, weightsFromAddress, weightsFromFile } from "./weight-streams.ts";
