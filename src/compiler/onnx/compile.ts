/**
 * Graphs to ONNX files: one model for each graph, and one file of weights that they share.
 *
 * Owns: where each tensor lies, inside the models or beside them. Writes to sinks and knows no file
 * system; weights are read one at a time while they are written.
 */
import { type Diagnostic, DiagnosticError } from "../../lang/diagnostic.ts";
import { printShape } from "../../lang/types.ts";
import type { Graph } from "../graph.ts";
import type { WeightSource } from "../host-tensor.ts";
import type { OnnxProfile } from "./context.ts";
import { emitOnnx } from "./emit.ts";
import { encodedLength, writeModel } from "./encode.ts";
import { type ByteSink, type OnnxInitializer, type OnnxModel, tensorBytes } from "./model.ts";
import { StoredWeights } from "./weights.ts";

export interface OnnxOptions {
  /** Operators of the standard alone by default. */
  readonly profile?: OnnxProfile;
  /** `inline` puts weights into each model; `auto` does so for one graph of less than 1 GiB. */
  readonly storage?: "auto" | "inline" | "external";
  /** The name of the weight file beside the models; `<first graph>.onnx.data` by default. */
  readonly dataFile?: string;
  readonly producerVersion?: string;
  readonly documentation?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** A file that is described, and made when it is written. */
export interface OnnxFile {
  readonly fileName: string;
  readonly byteLength: number;
  write(sink: ByteSink): Promise<void>;
}

export interface OnnxModelFile extends OnnxFile {
  readonly model: OnnxModel;
}

/** The files must lie in one folder under their names. */
export interface OnnxArtefact {
  readonly models: readonly OnnxModelFile[];
  readonly data: OnnxFile | undefined;
}

const inlineLimit = 2 ** 30;
/** Protobuf cannot hold more. */
const messageLimit = 2 ** 31 - 1;

/** Tensors at least this large start on a boundary at which every platform can map a file into memory. */
const mappedBytes = 1 << 20;
const mapAlignment = 1 << 16;
const smallAlignment = 64;

/**
 * Throws a DiagnosticError when an op has no ONNX form, when a parameter is missing from `weights` or
 * has another shape there, and when `inline` was asked for and is too large.
 */
export function compileOnnx(
  graphs: readonly Graph[],
  weights: WeightSource,
  options: OnnxOptions = {},
): OnnxArtefact {
  refuseMisfits(graphs, weights);
  const stored = new StoredWeights();
  const models = graphs.map((graph) =>
    emitOnnx(graph, stored, {
      profile: options.profile ?? "portable",
      producerVersion: options.producerVersion ?? "",
      documentation: options.documentation ?? "",
      metadata: options.metadata ?? {},
    }),
  );
  const total = Math.max(0, ...models.map((model) => weightBytes(model)));
  const storage = options.storage ?? "auto";
  const external =
    storage === "external" || (storage === "auto" && (graphs.length > 1 || total > inlineLimit));
  if (!external) {
    return { models: models.map((model) => modelFile(model, stored, weights)), data: undefined };
  }
  const dataFile = options.dataFile ?? `${graphs[0]?.name ?? "model"}.onnx.data`;
  const layout = layOut(models);
  return {
    models: models.map((model) => modelFile(placed(model, layout, dataFile), stored, weights)),
    data: layout.byteLength === 0 ? undefined : dataFileOf(dataFile, layout, stored, weights),
  };
}

interface Layout {
  readonly offsets: ReadonlyMap<string, number>;
  readonly tensors: readonly { readonly key: string; readonly offset: number }[];
  readonly byteLength: number;
}

/** In order of first use; a tensor that several models hold lies there once. */
function layOut(models: readonly OnnxModel[]): Layout {
  const offsets = new Map<string, number>();
  const tensors: { key: string; offset: number }[] = [];
  let end = 0;
  for (const tensor of models.flatMap((model) => model.initializers)) {
    if (tensor.content.kind !== "weight" || offsets.has(tensor.content.key)) continue;
    const bytes = tensorBytes(tensor);
    const alignment = bytes >= mappedBytes ? mapAlignment : smallAlignment;
    const offset = Math.ceil(end / alignment) * alignment;
    offsets.set(tensor.content.key, offset);
    tensors.push({ key: tensor.content.key, offset });
    end = offset + bytes;
  }
  return { offsets, tensors, byteLength: end };
}

function placed(model: OnnxModel, layout: Layout, location: string): OnnxModel {
  const initializers = model.initializers.map((tensor): OnnxInitializer => {
    if (tensor.content.kind !== "weight") return tensor;
    const offset = layout.offsets.get(tensor.content.key) ?? 0;
    return { ...tensor, content: { kind: "external", location, offset } };
  });
  return { ...model, initializers };
}

function modelFile(model: OnnxModel, stored: StoredWeights, weights: WeightSource): OnnxModelFile {
  const byteLength = encodedLength(model);
  if (byteLength > messageLimit) throw new DiagnosticError([tooLarge(model.name, byteLength)]);
  return {
    fileName: `${model.name}.onnx`,
    byteLength,
    model,
    write: (sink) => writeModel(model, (key) => stored.read(key, weights), sink),
  };
}

function dataFileOf(
  fileName: string,
  layout: Layout,
  stored: StoredWeights,
  weights: WeightSource,
): OnnxFile {
  return {
    fileName,
    byteLength: layout.byteLength,
    write: async (sink) => {
      let at = 0;
      for (const { key, offset } of layout.tensors) {
        if (offset > at) await sink.write(new Uint8Array(offset - at));
        const bytes = await stored.read(key, weights);
        await sink.write(bytes);
        at = offset + bytes.length;
      }
    },
  };
}

function weightBytes(model: OnnxModel): number {
  return model.initializers.reduce(
    (total, tensor) => total + (tensor.content.kind === "weight" ? tensorBytes(tensor) : 0),
    0,
  );
}

/** What is wrong is said before the first byte is written. */
function refuseMisfits(graphs: readonly Graph[], weights: WeightSource): void {
  const notes = new Set<string>();
  for (const value of graphs.flatMap((graph) => graph.parameters)) {
    if (value.source.kind !== "parameter") continue;
    const { path } = value.source.parameter;
    const found = weights.info(path);
    const wanted = printShape(value.type.shape);
    if (found === undefined) notes.add(`${path} ${wanted} is missing`);
    else if (`[${found.shape.join(", ")}]` !== wanted) {
      notes.add(`${path} is [${found.shape.join(", ")}]; the model has ${wanted}`);
    }
  }
  if (notes.size === 0) return;
  throw new DiagnosticError([
    {
      code: "weights-misfit",
      severity: "error",
      message: `${weights.label} does not fit the model: ${[...notes].join("; ")}.`,
      related: [],
      notes: [],
      edits: [],
    },
  ]);
}

function tooLarge(name: string, byteLength: number): Diagnostic {
  return {
    code: "onnx-too-large",
    severity: "error",
    message: `${name}.onnx would have ${byteLength} bytes, and an ONNX file holds at most ${messageLimit}.`,
    related: [],
    notes: [],
    hint: "Store the weights in a file beside the model.",
    edits: [],
  };
}
