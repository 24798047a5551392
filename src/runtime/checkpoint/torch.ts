/**
 * PyTorch checkpoints: an archive with one pickle that describes tensors, and their numbers as files.
 *
 * Owns: from that description to named tensors that are read by range. Views share a storage: any
 * strides are read, and each is held to the bytes that its storage has. The archives of before 2020
 * (a tar, or a bare pickle) are told apart and refused.
 */
import type { HostTensor, WeightSource } from "../../compiler/host-tensor.ts";
import { elementCount, rowMajorStrides } from "../../compiler/host-tensor.ts";
import type { ByteSource } from "../byte-source.ts";
import { countOf, failure } from "../failure.ts";
import { decodeTensor, hostDType } from "../safetensors.ts";
import { type Storage, storageBytes } from "../safetensors-header.ts";
import { type PickleValue, readPickle } from "./pickle.ts";
import { readZipDirectory, type ZipEntry, zipDataOffset } from "./zip.ts";

const storages: Readonly<Record<string, Storage>> = {
  "torch.FloatStorage": "F32",
  "torch.DoubleStorage": "F64",
  "torch.HalfStorage": "F16",
  "torch.BFloat16Storage": "BF16",
  "torch.LongStorage": "I64",
  "torch.IntStorage": "I32",
  "torch.ShortStorage": "I16",
  "torch.CharStorage": "I8",
  "torch.ByteStorage": "U8",
  "torch.BoolStorage": "BOOL",
};
const rebuildTensor = "torch._utils._rebuild_tensor_v2";
const rebuildParameter = "torch._utils._rebuild_parameter";
const orderedDict = "collections.OrderedDict";

const rules = {
  globals: new Set([...Object.keys(storages), rebuildTensor, rebuildParameter, orderedDict]),
  dictionaries: new Set([orderedDict]),
};

/** Names under which training programs keep the weights beside other things. */
const wrappers: readonly string[] = ["state_dict", "model_state_dict", "model", "module", "params"];

const largestPickle = 256 * 1024 * 1024;
const deepest = 64;

interface View {
  readonly storage: Storage;
  readonly file: ZipEntry;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  /** Of the first element, in elements. */
  readonly offset: number;
}

/**
 * Reads what the archive says of its tensors; their numbers are read when asked for.
 * @throws DiagnosticError with a code `zip-…`, `pickle-…` or `torch-…`
 */
export async function openTorch(source: ByteSource): Promise<WeightSource> {
  const { label } = source;
  const entries = await readZipDirectory(source);
  const pickles = [...entries.keys()].filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  const [pickle] = pickles;
  if (pickle === undefined || pickles.length > 1) {
    throw failure("torch-format", `${label} is an archive, but no checkpoint of PyTorch.`, {
      notes: [`a checkpoint holds one data.pkl; this holds ${countOf(entries.size, "other file")}`],
    });
  }
  const root = pickle.slice(0, -"data.pkl".length);
  const bytesOf = async (name: string): Promise<Uint8Array | undefined> => {
    const entry = entries.get(root + name);
    if (entry === undefined) return undefined;
    if (entry.size > largestPickle) throw failure("torch-format", `${root}${name} of ${label} is too large.`);
    return await source.read(await zipDataOffset(source, entry), entry.size);
  };
  const order = new TextDecoder().decode((await bytesOf("byteorder")) ?? new Uint8Array());
  if (order !== "" && order !== "little") {
    throw failure(
      "torch-format",
      `${label} was written by a machine of the other byte order (${order.slice(0, 8)}).`,
    );
  }
  const description = readPickle((await bytesOf("data.pkl")) ?? new Uint8Array(), { ...rules, label });
  const views = new Map<string, View>();
  const file = (key: string): ZipEntry => {
    const entry = entries.get(`${root}data/${key}`);
    if (entry === undefined)
      throw failure("torch-format", `${label} lacks the numbers ${JSON.stringify(key)}.`);
    return entry;
  };
  collect(unwrap(description), "", views, { label, file, depth: 0 });
  if (views.size === 0) throw failure("torch-format", `${label} holds no tensors.`);
  return {
    label,
    names: () => [...views.keys()],
    info(name) {
      const view = views.get(name);
      return view && { dtype: hostDType(view.storage), shape: view.shape };
    },
    async read(name) {
      const view = views.get(name);
      if (view === undefined) throw failure("torch-no-tensor", `${label} holds no tensor named '${name}'.`);
      return await readView(source, name, view);
    },
  };
}

/** A bare pickle or a tar, as PyTorch wrote before version 1.6: recognised by their first bytes. */
export function isOldTorch(start: Uint8Array): boolean {
  const tar = String.fromCharCode(...start.subarray(257, 262)) === "ustar";
  return tar || (start[0] === 0x80 && start[1] === 2);
}

export function oldTorch(label: string): Error {
  return failure("torch-format", `${label} is in a format that PyTorch wrote before version 1.6.`, {
    notes: ["it is a pickle through and through, and its numbers can't be told from a program"],
    hint: "load it with PyTorch where you trust it, and save its state_dict again",
  });
}

/** The dictionary of weights, when it lies beside other things such as an optimiser. */
function unwrap(value: PickleValue): PickleValue {
  if (value.kind !== "dict" || value.entries.some(([, item]) => isTensor(item))) return value;
  for (const wrapper of wrappers) {
    const found = value.entries.find(([key, item]) => {
      return key.kind === "text" && key.value === wrapper && item.kind === "dict";
    });
    if (found !== undefined) return found[1];
  }
  return value;
}

function isTensor(value: PickleValue): boolean {
  return value.kind === "call" && (value.name === rebuildTensor || value.name === rebuildParameter);
}

interface Collecting {
  readonly label: string;
  readonly file: (key: string) => ZipEntry;
  readonly depth: number;
}

/** Tensors of nested dictionaries have dotted names; whatever is no tensor is no weight. */
function collect(value: PickleValue, path: string, into: Map<string, View>, context: Collecting): void {
  const { label, depth } = context;
  if (depth > deepest)
    throw failure("torch-format", `The dictionaries of ${label} lie too deep in one another.`);
  if (value.kind === "call") {
    if (into.has(path)) throw failure("torch-format", `${label} names '${path}' twice.`);
    into.set(path, viewOf(value, path, context));
    return;
  }
  if (value.kind !== "dict") return;
  for (const [key, item] of value.entries) {
    if (key.kind !== "text" && key.kind !== "number") continue;
    const name = path === "" ? `${key.value}` : `${path}.${key.value}`;
    collect(item, name, into, { ...context, depth: depth + 1 });
  }
}

function viewOf(value: PickleValue, name: string, context: Collecting): View {
  const refuse = (why: string): Error =>
    failure("torch-format", `'${name}' of ${context.label} is no tensor that can be read: ${why}.`);
  if (value.kind !== "call") throw refuse("it is not described as one");
  if (value.name === rebuildParameter) {
    const [inner] = value.arguments;
    if (inner?.kind !== "call" || inner.name !== rebuildTensor) throw refuse("a parameter holds no tensor");
    return viewOf(inner, name, context);
  }
  const [persistent, first, sizes, steps] = value.arguments;
  const parts =
    persistent?.kind === "persistent" && persistent.id.kind === "tuple" ? persistent.id.items : [];
  const [what, type, key] = parts;
  const storage = type?.kind === "global" ? storages[type.name] : undefined;
  if (
    value.name !== rebuildTensor ||
    what?.kind !== "text" ||
    what.value !== "storage" ||
    storage === undefined
  ) {
    throw refuse("its numbers are not stored as numbers");
  }
  const shape = wholeNumbers(sizes);
  const strides = wholeNumbers(steps);
  const [offset] = wholeNumbers({ kind: "tuple", items: first === undefined ? [] : [first] }) ?? [];
  if (
    key?.kind !== "text" ||
    shape === undefined ||
    strides?.length !== shape.length ||
    offset === undefined
  ) {
    throw refuse("its shape is not a list of whole numbers");
  }
  const file = context.file(key.value);
  const last = shape.includes(0)
    ? 0
    : shape.reduce((sum, size, i) => sum + (size - 1) * (strides[i] ?? 0), offset + 1);
  if (!Number.isSafeInteger(last) || last * storageBytes[storage] > file.size) {
    throw refuse(`it reaches beyond the ${countOf(file.size, "byte")} of its storage`);
  }
  // Strides of zero repeat elements: what a file of a few bytes says must not fill the memory.
  const count = elementCount(shape);
  if (!Number.isSafeInteger(count) || count * storageBytes[storage] > Math.max(file.size, 1 << 20)) {
    throw refuse("it has more elements than its storage");
  }
  return { storage, file, shape, strides, offset };
}

function wholeNumbers(value: PickleValue | undefined): number[] | undefined {
  if (value?.kind !== "tuple") return undefined;
  const numbers = value.items.flatMap((item) => (item.kind === "number" ? [item.value] : []));
  const fine = numbers.every((number) => Number.isSafeInteger(number) && number >= 0);
  return fine && numbers.length === value.items.length ? numbers : undefined;
}

async function readView(source: ByteSource, name: string, view: View): Promise<HostTensor> {
  const { storage, shape, strides, offset } = view;
  const size = storageBytes[storage];
  const count = elementCount(shape);
  const start = await zipDataOffset(source, view.file);
  const span = count === 0 ? 0 : shape.reduce((sum, length, i) => sum + (length - 1) * (strides[i] ?? 0), 1);
  const bytes = await source.read(start + offset * size, span * size);
  const decode = (shape: readonly number[]): HostTensor =>
    decodeTensor(source.label, name, { storage, shape, begin: 0, end: bytes.length }, bytes);
  const rowMajor = rowMajorStrides(shape);
  if (count === 0 || shape.every((length, i) => length === 1 || strides[i] === rowMajor[i]))
    return decode(shape);
  const stored = decode([span]);
  const data = stored.data.slice(0, 0);
  const gathered = new Float64Array(count);
  const place = new Array<number>(shape.length).fill(0);
  let from = 0;
  for (let i = 0; i < count; i++) {
    gathered[i] = stored.data[from] ?? 0;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      place[axis] = (place[axis] ?? 0) + 1;
      from += strides[axis] ?? 0;
      if ((place[axis] ?? 0) < (shape[axis] ?? 0)) break;
      from -= (strides[axis] ?? 0) * (shape[axis] ?? 0);
      place[axis] = 0;
    }
  }
  if (data instanceof Float32Array) return { ...stored, shape, data: Float32Array.from(gathered) };
  if (data instanceof Int32Array) return { ...stored, shape, data: Int32Array.from(gathered) };
  if (data instanceof Uint8Array) return { ...stored, shape, data: Uint8Array.from(gathered) };
  return { ...stored, shape, data: gathered };
}
