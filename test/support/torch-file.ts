/**
 * PyTorch checkpoints written by hand: pickles opcode by opcode, and archives of stored files.
 *
 * Owns: the bytes that `torch.save` writes for a dictionary of tensors (protocol 2), and the means to write
 * others that it never would.
 */

export type Bytes = readonly number[];

const ascii = (text: string): Bytes => [...new TextEncoder().encode(text)];
const little = (value: number, bytes: number): Bytes =>
  Array.from({ length: bytes }, (_, i) => Math.floor(value / 256 ** i) % 256);

/** Opcodes, by what they push. */
export const op = {
  start: [0x80, 2],
  stop: ascii("."),
  mark: ascii("("),
  text: (value: string): Bytes => [0x58, ...little(ascii(value).length, 4), ...ascii(value)],
  int: (value: number): Bytes => [0x4a, ...little(value, 4)],
  global: (name: string): Bytes => {
    const dot = name.lastIndexOf(".");
    return ascii(`c${name.slice(0, dot)}\n${name.slice(dot + 1)}\n`);
  },
  tuple: (...items: readonly Bytes[]): Bytes => [...ascii("("), ...items.flat(), ...ascii("t")],
  call: (name: string, ...given: readonly Bytes[]): Bytes => [
    ...op.global(name),
    ...op.tuple(...given),
    ...ascii("R"),
  ],
  dict: (entries: readonly (readonly [Bytes, Bytes])[]): Bytes => [
    ...ascii("}("),
    ...entries.flat(2),
    ...ascii("u"),
  ],
  put: (place: number): Bytes => [0x71, place],
  get: (place: number): Bytes => [0x68, place],
  raw: ascii,
};

export interface TorchTensor {
  readonly type: string;
  readonly key: string;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset?: number;
  readonly parameter?: boolean;
}

const empty = op.call("collections.OrderedDict");

export function tensorOf({ type, key, shape, strides, offset = 0, parameter }: TorchTensor): Bytes {
  const place = op.tuple(op.text("storage"), op.global(type), op.text(key), op.text("cpu"), op.int(0));
  const sizes = op.tuple(...shape.map(op.int));
  const steps = op.tuple(...strides.map(op.int));
  const made = op.call(
    "torch._utils._rebuild_tensor_v2",
    [...place, ...ascii("Q")],
    op.int(offset),
    sizes,
    steps,
    [0x89],
    empty,
  );
  return parameter === true ? op.call("torch._utils._rebuild_parameter", made, [0x88], empty) : made;
}

/** A state_dict: an ordered dictionary, with the versions of layers as its attribute. */
export function stateDict(tensors: Readonly<Record<string, TorchTensor>>): Bytes {
  const entries = Object.entries(tensors).flatMap(([name, tensor]) => [op.text(name), tensorOf(tensor)]);
  const metadata = op.dict([[op.text("_metadata"), empty]]);
  return [...empty, ...op.put(1), ...op.mark, ...entries.flat(), ...ascii("u"), ...metadata, ...ascii("b")];
}

export const pickled = (...values: readonly Bytes[]): Bytes => [...op.start, ...values.flat(), ...op.stop];

export interface ZipOptions {
  readonly method?: number;
  readonly flags?: number;
  /** Sizes and places in the extra field, as for archives beyond 4 GiB. */
  readonly wide?: boolean;
}

export function zipOf(
  files: readonly (readonly [name: string, bytes: Bytes | Uint8Array])[],
  { method = 0, flags = 0, wide = false }: ZipOptions = {},
): Uint8Array {
  const out: number[] = [];
  const central: number[] = [];
  for (const [name, content] of files) {
    const bytes = [...content];
    const start = out.length;
    const header = [...little(20, 2), ...little(flags, 2), ...little(method, 2), ...little(0, 4)];
    const size = wide ? 0xffffffff : bytes.length;
    const extra = wide
      ? [
          ...little(1, 2),
          ...little(24, 2),
          ...[bytes.length, bytes.length, start].flatMap((n) => little(n, 8)),
        ]
      : [];
    const named = [...little(0, 4), ...little(size, 4), ...little(size, 4), ...little(name.length, 2)];
    // Padding in the local header, as PyTorch aligns what follows.
    out.push(...little(0x04034b50, 4), ...header, ...named, ...little(6, 2), ...ascii(name));
    out.push(...little(0x4246, 2), ...little(2, 2), 0, 0, ...bytes);
    central.push(...little(0x02014b50, 4), ...little(20, 2), ...header, ...named, ...little(extra.length, 2));
    central.push(...little(0, 10), ...little(wide ? 0xffffffff : start, 4), ...ascii(name), ...extra);
  }
  const at = out.length;
  out.push(...central);
  if (wide) {
    const end = out.length;
    out.push(...little(0x06064b50, 4), ...little(44, 8), ...little(45, 2), ...little(45, 2), ...little(0, 8));
    out.push(...[files.length, files.length, central.length, at].flatMap((n) => little(n, 8)));
    out.push(...little(0x07064b50, 4), ...little(0, 4), ...little(end, 8), ...little(1, 4));
  }
  const [count, length, offset] = wide
    ? [0xffff, 0xffffffff, 0xffffffff]
    : [files.length, central.length, at];
  out.push(...little(0x06054b50, 4), ...little(0, 4), ...little(count, 2), ...little(count, 2));
  out.push(...little(length, 4), ...little(offset, 4), ...little(0, 2));
  return Uint8Array.from(out);
}

/** The bytes of numbers in memory order. */
export function stored(
  values: Float32Array | Float64Array | Uint16Array | BigInt64Array | Uint8Array,
): Bytes {
  return [...new Uint8Array(values.buffer, values.byteOffset, values.byteLength)];
}

export function torchFile(
  description: Bytes,
  storages: Readonly<Record<string, Bytes>>,
  options: ZipOptions = {},
): Uint8Array {
  const data = Object.entries(storages).map(([key, bytes]) => [`archive/data/${key}`, bytes] as const);
  return zipOf(
    [
      ["archive/data.pkl", description],
      ["archive/byteorder", ascii("little")],
      ...data,
      ["archive/version", ascii("3\n")],
    ],
    options,
  );
}
