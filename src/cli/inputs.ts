/**
 * Inputs of an entry, as a user names them.
 *
 * Owns: `--in name=source`, where a source is a tensor of a .safetensors file (`file:tensor`, or the
 * tensor called like the input), a .npy file, a recording, or a literal such as `[1, 2, 3]`. State that
 * is not given is zero, as at the start of a sequence.
 */
import { type Bindable, bindSymbols, evaluateDim } from "../compiler/bind.ts";
import type { GraphInput } from "../compiler/graph.ts";
import { allocate, elementCount, type HostTensor } from "../compiler/host-tensor.ts";
import type { DType } from "../lang/types.ts";
import { loadAudio } from "../runtime/audio/load.ts";
import { failure } from "../runtime/failure.ts";
import { readNpy } from "../runtime/npy.ts";
import { openSafetensors } from "../runtime/safetensors.ts";
import { openFile, readFileBytes } from "./files.ts";

const recordingEndings = [".wav", ".flac", ".mp3", ".ogg", ".opus", ".oga"];

/** @throws DiagnosticError for inputs that are missing, unknown or unreadable */
export async function readInputs(
  graph: Bindable,
  given: ReadonlyMap<string, string>,
): Promise<Map<string, HostTensor>> {
  const { inputs: wanted } = graph;
  for (const name of given.keys()) {
    if (wanted.some((input) => input.name === name)) continue;
    throw failure("unknown-input", `The entry has no input \`${name}\`.`, {
      hint: wanted.length === 0 ? "it takes none" : `it takes ${listInputs(wanted)}`,
    });
  }
  const inputs = new Map<string, HostTensor>();
  for (const input of wanted) {
    const source = given.get(input.name);
    if (source === undefined && input.state !== undefined) continue;
    if (source === undefined) {
      throw failure("input-missing", `The entry needs the input \`${input.name}\`.`, {
        hint: `give it with --in ${input.name}=…`,
      });
    }
    inputs.set(input.name, withType(await readInput(input, source), input, source));
  }
  return withFreshState(graph, inputs);
}

/** What a user gives, then the state that the entry goes on from. */
function listInputs(inputs: readonly GraphInput[]): string {
  const names = inputs.flatMap((input) => (input.state === undefined ? [input.name] : []));
  const state = inputs.find((input) => input.state !== undefined);
  return state === undefined ? names.join(", ") : `${names.join(", ")}, and state such as ${state.name}`;
}

/** The inputs with zeros for the state that is missing, in the sizes that the others show. */
function withFreshState(graph: Bindable, inputs: Map<string, HostTensor>): Map<string, HostTensor> {
  const missing = graph.inputs.filter((input) => !inputs.has(input.name));
  if (missing.length === 0) return inputs;
  const given = graph.inputs.filter((input) => inputs.has(input.name));
  const shapes = new Map([...inputs].map(([name, tensor]) => [name, tensor.shape]));
  const bindings = bindSymbols({ ...graph, inputs: given }, shapes);
  for (const { name, value } of missing) {
    const shape = value.type.shape.map((dim) => evaluateDim(dim, bindings));
    inputs.set(name, allocate(value.type.dtype, shape));
  }
  return inputs;
}

async function readInput(input: GraphInput, source: string): Promise<HostTensor> {
  const text = source.trim();
  if (text.startsWith("[") || /^[-+]?[0-9.]/.test(text)) {
    const literal = parseLiteral(text, input.value.type.dtype);
    if (literal !== undefined) return literal;
  }
  const lower = source.toLowerCase();
  const at = lower.lastIndexOf(".safetensors");
  if (at >= 0) {
    const end = at + ".safetensors".length;
    const tensor = source[end] === ":" ? source.slice(end + 1) : input.name;
    return readTensor(source.slice(0, end), tensor);
  }
  if (lower.endsWith(".npy")) return readNpy(await readFileBytes(source), source);
  const rate = input.sampleRate;
  if (recordingEndings.some((ending) => lower.endsWith(ending)) || rate !== undefined) {
    if (rate === undefined) {
      throw failure(
        "input-not-a-waveform",
        `The input \`${input.name}\` is not a waveform, so ${source} can't be one.`,
      );
    }
    const { samples } = await loadAudio(await readFileBytes(source), source, rate);
    return { dtype: "f32", shape: [samples.length], data: samples };
  }
  throw failure("input-unreadable", `\`${source}\` is no input that can be read.`, {
    hint: "give a .safetensors (file:tensor), .npy or sound file, or a literal such as [1, 2, 3]",
  });
}

async function readTensor(path: string, name: string): Promise<HostTensor> {
  const file = await openFile(path);
  try {
    const tensors = await openSafetensors(file);
    if (tensors.info(name) === undefined) {
      throw failure("input-missing", `${path} holds no tensor \`${name}\`.`, {
        hint: `it holds ${tensors.names().slice(0, 8).join(", ")}; write ${path}:NAME`,
      });
    }
    return await tensors.read(name);
  } finally {
    await file.close();
  }
}

/** Nested lists of numbers. `undefined` when the text is something else. */
function parseLiteral(text: string, dtype: DType): HostTensor | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const shape: number[] = [];
  for (let level = value; Array.isArray(level); level = level[0]) shape.push(level.length);
  const numbers: number[] = [];
  const fits = collectNumbers(value, shape, 0, numbers);
  if (!fits) throw failure("bad-literal", `The lists in \`${text}\` differ in length.`);
  if (numbers.some((number) => !Number.isFinite(number))) return undefined;
  return { dtype, shape, data: Float64Array.from(numbers) };
}

function collectNumbers(value: unknown, shape: readonly number[], level: number, into: number[]): boolean {
  if (level === shape.length) {
    into.push(typeof value === "number" ? value : Number.NaN);
    return !Array.isArray(value);
  }
  return (
    Array.isArray(value) &&
    value.length === shape[level] &&
    value.every((item) => collectNumbers(item, shape, level + 1, into))
  );
}

/** The tensor in the element type that the entry declares, when nothing is lost. */
function withType(tensor: HostTensor, input: GraphInput, source: string): HostTensor {
  const { dtype } = input.value.type;
  const float = (type: DType): boolean => type === "f32" || type === "f16" || type === "bf16";
  if (tensor.dtype === dtype) return convertData(tensor, dtype);
  if (float(tensor.dtype) === float(dtype) && tensor.dtype !== "bool" && dtype !== "bool") {
    return convertData(tensor, dtype);
  }
  throw failure(
    "input-type",
    `The input \`${input.name}\` takes ${dtype}, and ${source} holds ${tensor.dtype}.`,
  );
}

function convertData(tensor: HostTensor, dtype: DType): HostTensor {
  const { data, shape } = tensor;
  if (elementCount(shape) !== data.length) {
    throw failure("input-type", `A tensor of shape [${shape.join(", ")}] has ${data.length} elements.`);
  }
  if (dtype === "i32" && !(data instanceof Int32Array)) return { dtype, shape, data: Int32Array.from(data) };
  if (dtype === "i64" && !(data instanceof Float64Array))
    return { dtype, shape, data: Float64Array.from(data) };
  if (dtype === "bool" && !(data instanceof Uint8Array)) return { dtype, shape, data: Uint8Array.from(data) };
  return { dtype, shape, data };
}
