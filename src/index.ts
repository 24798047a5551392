/**
 * The library's public face: from text to checked programs, graphs, ONNX files, kernel plans and results. What
 * of it a page can load is `ossicle/browser` (runtime/gpu/browser.ts).
 */

export { type ElaborateRequest, type Elaboration, elaborate } from "./compiler/elaborate.ts";
export { describeGeneration, type GenerationPlan, planGeneration } from "./compiler/generation-plan.ts";
export type { Graph, GraphInput, GraphOutput, Node, Value } from "./compiler/graph.ts";
export { parseGraph } from "./compiler/graph-parse.ts";
export { printGraph } from "./compiler/graph-text.ts";
export type { HostTensor, TensorInfo, WeightSource } from "./compiler/host-tensor.ts";
export { type InterpretOptions, interpret } from "./compiler/interpret.ts";
export { type AdaptableGraphs, type AdapterPort, withLiveAdapters } from "./compiler/live-adapters.ts";
export { compileOnnx, type OnnxArtefact, type OnnxOptions } from "./compiler/onnx/compile.ts";
export type { OnnxProfile } from "./compiler/onnx/context.ts";
export { nameStates, type StateNames } from "./compiler/onnx/state-names.ts";
export { catalog, findOp, ops } from "./compiler/ops/index.ts";
export { optimize, type StageOptions } from "./compiler/pipeline.ts";
export { verify } from "./compiler/verify.ts";
export { compilePlan, type PlanArtefact, type PlanOptions } from "./compiler/wgsl/compile.ts";
export { readWeightBytes } from "./compiler/wgsl/weight-bytes.ts";
export type { OpCatalog, OpSignature } from "./lang/catalog.ts";
export { type CheckedEntry, type CheckedModule, checkProgram } from "./lang/check.ts";
export { type Diagnostic, DiagnosticError, DiagnosticSink } from "./lang/diagnostic.ts";
export { Dim, parseDim } from "./lang/dims.ts";
export { parse } from "./lang/parse.ts";
export { loadProgram, type ModuleLoader, type Program } from "./lang/program.ts";
export { diagnosticToJson, renderDiagnostic } from "./lang/render.ts";
export { SourceFile, type Span } from "./lang/source.ts";
export { printType, type TensorType } from "./lang/types.ts";
export { loadAudio } from "./runtime/audio/load.ts";
export { bytesSource } from "./runtime/byte-source.ts";
export {
  type Adapter,
  type AdapterConfig,
  type AdapterSite,
  adapted,
  adapterSites,
  readAdapterConfig,
} from "./runtime/checkpoint/adapter.ts";
export { LiveAdapters } from "./runtime/checkpoint/live-adapters.ts";
export {
  type Generated,
  type GeneratedToken,
  generate,
  generateTokens,
} from "./runtime/generation/generate.ts";
export type { Choice, GenerationOptions } from "./runtime/generation/options.ts";
export { type GenerationSession, hostSession, type RunEntry } from "./runtime/generation/session.ts";
export { readTokenizer, type Tokenizer } from "./runtime/generation/tokenizer.ts";
export { type DawnOptions, openDawn } from "./runtime/gpu/dawn.ts";
export { GpuModel, type GpuModelOptions, type Recovery } from "./runtime/gpu/model.ts";
export { readPlan } from "./runtime/gpu/plan-reader.ts";
export type { CallOptions, CallResult, GpuSession } from "./runtime/gpu/session.ts";
export { type Asked, ReadPrompt, TextGenerator, type TextOptions } from "./runtime/gpu/text-generator.ts";
export {
  type WeightStream,
  weightsFrom,
  weightsFromAddress,
  weightsFromFile,
} from "./runtime/gpu/weight-streams.ts";
export { createOnnxSession, type OnnxSession } from "./runtime/onnx-session.ts";
export { openSafetensors } from "./runtime/safetensors.ts";
export { writeSafetensors } from "./runtime/safetensors-writer.ts";
