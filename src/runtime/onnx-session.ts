/**
 * Running ONNX models with onnxruntime's CPU library. Node only; the package is loaded on first use.
 *
 * Owns: sessions, host tensors in and out, and turning onnxruntime's failures into diagnostics.
 * Knows nothing of how a model was made.
 *
 * Memory. Measured as the peak of the whole process on a 12-layer ViT-B with 324 MiB of weights, 1214
 * tokens and 2 threads: 581 MiB with the weights in a file beside the model (415 MiB after loading), which
 * onnxruntime maps and drops once packed; 762 MiB with the weights inside the model. Planning ahead
 * (memory patterns) holds the first run's memory beside the plan: 735 MiB. Without the arena, freed
 * blocks fragment: 650 to 800 MiB. Without packed weights a decoding step takes 30 % longer.
 */
import type { InferenceSession, Tensor } from "onnxruntime-node";
import { elementCount, type HostTensor } from "../compiler/host-tensor.ts";
import { type Diagnostic, DiagnosticError } from "../lang/diagnostic.ts";
import type { DType } from "../lang/types.ts";

type OnnxRuntime = typeof import("onnxruntime-node");

export interface OnnxSessionOptions {
  /** Threads inside one operator; as many as there are physical cores by default. */
  readonly threads?: number;
  /** Where to write onnxruntime's own profile (`<prefix>_<time>.json`); none by default. */
  readonly profile?: string;
}

/** A dimension is a number, or the text of the symbol or expression that it stands for. */
export interface OnnxPort {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly (number | string)[];
}

export interface OnnxSession {
  readonly inputs: readonly OnnxPort[];
  readonly outputs: readonly OnnxPort[];
  /** Runs the model once. Throws a DiagnosticError when an input is missing, unknown or misshapen. */
  run(inputs: ReadonlyMap<string, HostTensor>): Promise<Map<string, HostTensor>>;
  release(): Promise<void>;
}

/** What goes wrong is thrown, and the terminal belongs to the command line: nothing short of fatal is printed. */
export const runtimeLogLevel = "fatal";
export const sessionSettings = {
  enableMemPattern: false,
  logSeverityLevel: 4,
} as const;

/**
 * Opens a model from a path or from its bytes. A model with a weight file beside it needs its path.
 * Throws a DiagnosticError (`onnxruntime-missing`, `onnxruntime-failed`).
 */
export async function createOnnxSession(
  model: string | Uint8Array,
  options: OnnxSessionOptions = {},
): Promise<OnnxSession> {
  const runtime = await loadRuntime();
  const settings = {
    ...sessionSettings,
    ...(options.threads !== undefined && { intraOpNumThreads: options.threads }),
    ...(options.profile !== undefined && { enableProfiling: true, profileFilePrefix: options.profile }),
  };
  const session = await attempt("load the model", () =>
    typeof model === "string"
      ? runtime.InferenceSession.create(model, settings)
      : runtime.InferenceSession.create(model, settings),
  );
  const inputs = session.inputMetadata.map(port);
  const outputs = session.outputMetadata.map(port);
  return {
    inputs,
    outputs,
    run: async (given) => {
      checkInputs(inputs, given);
      const feeds = Object.fromEntries(
        inputs.map(({ name, dtype }) => [name, toOrt(runtime, name, dtype, given.get(name))]),
      );
      const results = await attempt("run the model", () => session.run(feeds));
      return new Map(outputs.map(({ name, dtype }) => [name, fromOrt(name, dtype, results[name])]));
    },
    release: async () => {
      if (options.profile !== undefined) session.endProfiling();
      await session.release();
    },
  };
}

let loading: Promise<OnnxRuntime> | undefined;

function loadRuntime(): Promise<OnnxRuntime> {
  loading ??= import("onnxruntime-node").then(
    (module) => {
      module.default.env.logLevel = runtimeLogLevel;
      return module.default;
    },
    (cause: unknown) => {
      throw new DiagnosticError([
        {
          ...failure("onnxruntime-missing", "The package onnxruntime-node could not be loaded."),
          notes: [messageOf(cause)],
          hint: "Install it for this platform (npm install onnxruntime-node).",
        },
      ]);
    },
  );
  return loading;
}

const dtypeOf: Readonly<Record<string, DType>> = { float32: "f32", int64: "i64", int32: "i32", bool: "bool" };

function port(metadata: InferenceSession.ValueMetadata): OnnxPort {
  const dtype = metadata.isTensor ? dtypeOf[metadata.type] : undefined;
  if (!metadata.isTensor || dtype === undefined) {
    const type = metadata.isTensor ? metadata.type : "no tensor";
    throw new DiagnosticError([
      failure(
        "onnx-type-unsupported",
        `\`${metadata.name}\` of the model is ${type}, which cannot be passed in or out.`,
      ),
    ]);
  }
  return { name: metadata.name, dtype, shape: [...metadata.shape] };
}

function checkInputs(inputs: readonly OnnxPort[], given: ReadonlyMap<string, HostTensor>): void {
  const problems: Diagnostic[] = [];
  for (const input of inputs) {
    const problem = inputProblem(input, given.get(input.name));
    if (problem !== undefined) problems.push(failure("input-mismatch", problem));
  }
  const known = new Set(inputs.map((input) => input.name));
  for (const name of given.keys()) {
    if (known.has(name)) continue;
    const hint = `Its inputs are ${[...known].join(", ")}.`;
    problems.push({ ...failure("input-mismatch", `The model has no input \`${name}\`.`), hint });
  }
  if (problems.length > 0) throw new DiagnosticError(problems);
}

function inputProblem({ name, dtype, shape }: OnnxPort, tensor: HostTensor | undefined): string | undefined {
  const wanted = `${dtype}[${shape.join(", ")}]`;
  if (tensor === undefined) return `The input \`${name}\` (${wanted}) is missing.`;
  const fits =
    tensor.dtype === dtype &&
    tensor.shape.length === shape.length &&
    tensor.shape.every((size, axis) => typeof shape[axis] === "string" || shape[axis] === size);
  if (!fits)
    return `The input \`${name}\` must be ${wanted}, not ${tensor.dtype}[${tensor.shape.join(", ")}].`;
  if (tensor.data.length !== elementCount(tensor.shape)) {
    return `The input \`${name}\` holds ${tensor.data.length} values where its shape [${tensor.shape.join(", ")}] has ${elementCount(tensor.shape)}.`;
  }
  return undefined;
}

function toOrt(runtime: OnnxRuntime, name: string, dtype: DType, tensor: HostTensor | undefined): Tensor {
  if (tensor === undefined)
    throw new DiagnosticError([failure("input-mismatch", `The input \`${name}\` is missing.`)]);
  const { data, shape } = tensor;
  switch (dtype) {
    case "f32":
      return new runtime.Tensor(
        "float32",
        data instanceof Float32Array ? data : Float32Array.from(data),
        shape,
      );
    case "i64":
      return new runtime.Tensor("int64", BigInt64Array.from(data, BigInt), shape);
    case "i32":
      return new runtime.Tensor("int32", data instanceof Int32Array ? data : Int32Array.from(data), shape);
    case "bool":
      return new runtime.Tensor("bool", data instanceof Uint8Array ? data : Uint8Array.from(data), shape);
    case "f16":
    case "bf16":
      throw new DiagnosticError([
        failure("onnx-type-unsupported", `\`${name}\` is ${dtype}, which cannot be passed in.`),
      ]);
  }
}

function fromOrt(name: string, dtype: DType, tensor: Tensor | undefined): HostTensor {
  const data = tensor?.data;
  const shape = [...(tensor?.dims ?? [])];
  if (data instanceof Float32Array || data instanceof Int32Array || data instanceof Uint8Array) {
    return { dtype, shape, data };
  }
  if (data instanceof BigInt64Array) return { dtype, shape, data: Float64Array.from(data, Number) };
  throw new DiagnosticError([
    failure("onnxruntime-failed", `onnxruntime gave no usable value for the output \`${name}\`.`),
  ]);
}

async function attempt<T>(what: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    throw new DiagnosticError([explain(what, messageOf(cause))]);
  }
}

/** onnxruntime says `… while running MatMul node. Name:'encoder/matmul' Status Message: …`. */
const failedNode = /while running (\S+) node\. Name:'([^']*)' Status Message: (.*)/s;

function explain(what: string, text: string): Diagnostic {
  const [, opType, name, status] = failedNode.exec(text) ?? [];
  if (opType === undefined || name === undefined || status === undefined) {
    return { ...failure("onnxruntime-failed", `onnxruntime could not ${what}.`), notes: [text] };
  }
  return {
    ...failure("onnxruntime-failed", `onnxruntime could not ${what}: ${opType} at ${name} failed.`),
    notes: [status.trim()],
  };
}

function failure(code: string, message: string): Diagnostic {
  return { code, severity: "error", message, related: [], notes: [], edits: [] };
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
