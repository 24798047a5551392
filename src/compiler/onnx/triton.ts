/**
 * A model repository of NVIDIA's Triton Inference Server: `<entry>/config.pbtxt` and `<entry>/1/model.onnx`.
 *
 * Owns: what the server is told of each entry (its published schema is model_config.proto of
 * triton-inference-server/common), and the inputs by which it tells of sequences. State is implicit: the
 * server starts it at zero, keeps it between the requests of a sequence and gives it to nobody.
 */
import { DiagnosticError } from "../../lang/diagnostic.ts";
import { Dim } from "../../lang/dims.ts";
import type { DType } from "../../lang/types.ts";
import type { Graph, GraphInput, Value } from "../graph.ts";
import { nameStates } from "./state-names.ts";

export interface TritonOptions {
  /** Requests or sequences that one run takes together; 8 by default. */
  readonly maxBatch?: number;
  /** After so long without a request a sequence is forgotten; 60 by default. */
  readonly idleSeconds?: number;
}

export interface TritonModel {
  /** As it is exported: states numbered, inputs for the server's signals added. */
  readonly graph: Graph;
  /** The text of config.pbtxt. */
  readonly config: string;
}

/** A message of the text format: fields in order; a list is a repeated field. */
type Field = readonly [name: string, value: FieldValue];
type FieldValue = number | boolean | string | Word | readonly number[] | Message;
interface Message {
  readonly fields: readonly Field[];
}
/** A name of an enumeration: written without quotes. */
interface Word {
  readonly word: string;
}

const dataTypes: Readonly<Record<DType, Word>> = {
  f32: { word: "TYPE_FP32" },
  f16: { word: "TYPE_FP16" },
  bf16: { word: "TYPE_BF16" },
  i64: { word: "TYPE_INT64" },
  i32: { word: "TYPE_INT32" },
  bool: { word: "TYPE_BOOL" },
};

/** Inputs that tell whether a sequence starts, whether there is a request for it, and whether it ends. */
const controls: readonly (readonly [name: string, kind: string])[] = [
  ["START", "CONTROL_SEQUENCE_START"],
  ["READY", "CONTROL_SEQUENCE_READY"],
  ["END", "CONTROL_SEQUENCE_END"],
];

/**
 * @param name of the model in the repository
 * @throws DiagnosticError `triton-open-state` when a state's size is open but for the batch
 */
export function tritonModel(entry: Graph, name: string, options: TritonOptions = {}): TritonModel {
  const named = nameStates(entry, "plain");
  const stateful = named.inputs.some((input) => input.state !== undefined);
  const batch = batchOf(named);
  const graph = stateful ? withControls(named, batch) : named;
  const dims = (value: Value): number[] =>
    value.type.shape.slice(batch === undefined ? 0 : 1).map((dim) => dim.constant ?? -1);
  const maxBatch = batch === undefined ? 0 : (options.maxBatch ?? 8);
  const ports = (
    name: string,
    all: readonly { name: string; value: Value; state?: string | undefined }[],
  ): Field[] =>
    all
      // What the server keeps is neither asked for nor answered.
      .filter((port) => !stateful || port.state === undefined)
      .map((port) => [name, message(portFields(port.name, port.value, dims(port.value)))]);
  const scheduling: readonly Field[] = stateful
    ? [["sequence_batching", sequenceBatching(named, dims, options)]]
    : batch === undefined
      ? []
      : [["dynamic_batching", message([["max_queue_delay_microseconds", 1000]])]];
  const fields: Field[] = [
    ["name", name],
    ["backend", "onnxruntime"],
    ["default_model_filename", "model.onnx"],
    ["max_batch_size", maxBatch],
    ...ports("input", named.inputs),
    ...ports("output", named.outputs),
    ...scheduling,
    ["model_warmup", warmUp(graph, dims)],
  ];
  return { graph, config: fields.map((field) => printField(field, "")).join("") };
}

/** The open dimension that every input and output begins with. */
function batchOf({ inputs, outputs }: Graph): Dim | undefined {
  const [first] = inputs;
  const dim = first?.value.type.shape[0];
  if (dim === undefined || dim.constant !== undefined) return undefined;
  const shared = [...inputs, ...outputs].every(({ value }) => value.type.shape[0]?.equals(dim) === true);
  return shared ? dim : undefined;
}

/** No number depends on them: state that starts at zero needs no signal inside the model. */
function withControls(graph: Graph, batch: Dim | undefined): Graph {
  const one = Dim.of(1);
  const shape = batch === undefined ? [one] : [batch, one];
  const added = controls.map(([name]): GraphInput => {
    const value: Value = { type: { dtype: "i32", shape }, source: { kind: "input", name } };
    return { name, value, sampleRate: undefined };
  });
  return { ...graph, inputs: [...graph.inputs, ...added] };
}

function portFields(name: string, value: Value, dims: readonly number[]): Field[] {
  const shaped: Field[] = [
    ["name", name],
    ["data_type", dataTypes[value.type.dtype]],
    ["dims", dims.length === 0 ? [1] : dims],
  ];
  // The server knows no tensor without dimensions; the model sees it without this one.
  return dims.length === 0 ? [...shaped, ["reshape", message([["shape", []]])]] : shaped;
}

function sequenceBatching(
  { inputs, outputs, name }: Graph,
  dims: (value: Value) => number[],
  options: TritonOptions,
): Message {
  const signals = controls.map(([control, kind]): Field => {
    const signal = message([
      ["kind", { word: kind }],
      ["int32_false_true", [0, 1]],
    ]);
    return [
      "control_input",
      message([
        ["name", control],
        ["control", signal],
      ]),
    ];
  });
  const states = inputs.flatMap((input): Field[] => {
    const output = outputs.find((port) => port.state !== undefined && port.state === input.state);
    if (input.state === undefined || output === undefined) return [];
    const size = dims(input.value);
    if (size.includes(-1)) throw openState(name, input.name);
    const type = dataTypes[input.value.type.dtype];
    const start = message([
      ["name", "zeros"],
      ["data_type", type],
      ["dims", size],
      ["zero_data", true],
    ]);
    const pair: Field[] = [
      ["input_name", input.name],
      ["output_name", output.name],
    ];
    return [["state", message([...pair, ["data_type", type], ["dims", size], ["initial_state", start]])]];
  });
  return message([
    ["max_sequence_idle_microseconds", Math.round((options.idleSeconds ?? 60) * 1e6)],
    // Each sequence stays in one place of the batch, so that its state does.
    ["direct", message([["max_queue_delay_microseconds", 1000]])],
    ...signals,
    ...states,
  ]);
}

/** One run on zeros before the first request; open sizes are one. Every input is given, signals too. */
function warmUp({ inputs }: Graph, dims: (value: Value) => number[]): Message {
  const given = inputs.map(({ name, value }): Field => {
    const size = dims(value).map((dim) => (dim < 0 ? 1 : dim));
    const content = message([
      ["data_type", dataTypes[value.type.dtype]],
      ["dims", size.length === 0 ? [1] : size],
      ["zero_data", true],
    ]);
    return [
      "inputs",
      message([
        ["key", name],
        ["value", content],
      ]),
    ];
  });
  return message([["name", "zeros"], ["batch_size", 1], ...given]);
}

function message(fields: readonly Field[]): Message {
  return { fields };
}

function printField([name, value]: Field, indent: string): string {
  if (typeof value === "object" && "fields" in value) {
    const inner = value.fields.map((field) => printField(field, `${indent}  `)).join("");
    return `${indent}${name} {\n${inner}${indent}}\n`;
  }
  return `${indent}${name}: ${printValue(value)}\n`;
}

function printValue(value: Exclude<FieldValue, Message>): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return "word" in value ? value.word : `[${value.join(", ")}]`;
}

function openState(entry: string, input: string): DiagnosticError {
  return new DiagnosticError([
    {
      code: "triton-open-state",
      severity: "error",
      message: `The state ${input} of ${entry} has an open size, and the server must know how many zeros to start with.`,
      related: [],
      notes: [],
      hint: "give sizes values with --set",
      edits: [],
    },
  ]);
}
