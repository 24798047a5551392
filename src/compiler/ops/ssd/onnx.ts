/**
 * ssd in standard ONNX operators: no Loop and no Scan, which runtimes run many times slower.
 *
 * Owns: both forms. The recurrence between chunks is a product too, with a matrix of the decays
 * between all pairs of chunks (arXiv:2405.21060, listing 1). Everything is computed in f32.
 */
import { Dim } from "../../../lang/dims.ts";
import { float, int, ints, type OnnxContext, string } from "../../onnx/context.ts";
import { emitReshape } from "../reshape.ts";
import { chunksOf, isStep, type Sizes, sizesOf } from "./form.ts";

/** Names of tensors; those of one sequence are [batch, length, …]. */
interface Operands {
  readonly x: string;
  readonly dt: string;
  readonly A: string;
  readonly B: string;
  readonly C: string;
  readonly D: string;
  readonly before: string | undefined;
}

/** Far below any sum of decays, and finite: its exponential is 0 and no difference is undefined. */
const never = -1e30;

export function emit(context: OnnxContext): readonly string[] {
  return emitWith(context, emitStep);
}

/**
 * The same for onnxruntime: its LinearAttention updates the state of a step in one go. It reads out
 * along the other axis than ours (arXiv:2405.21060 keeps [width, state]), so reading stays a product.
 */
export function emitOrt(context: OnnxContext): readonly string[] {
  return emitWith(context, emitOwnStep);
}

type StepWriter = (operands: Operands, sizes: Sizes, writer: Writer) => readonly [string, string];

function emitWith(context: OnnxContext, step: StepWriter): readonly string[] {
  const dtype = context.operands[0]?.dtype ?? "f32";
  const [x = "", dt = "", A = "", B = "", C = "", D = "", before] = context.inputs.map((name) =>
    context.cast(name, dtype, "f32"),
  );
  const writer = new Writer(context);
  const operands: Operands = { x, dt, A, B, C, D, before };
  const sizes = sizesOf(context.operands);
  const [sums, after] = isStep(sizes.length)
    ? step(operands, sizes, writer)
    : emitChunks(operands, sizes, writer);
  // y is the sums with D x added: [batch, length, heads, width].
  const skip = writer.mul(x, writer.unsqueeze(D, 1));
  const y = writer.add(sums, skip);
  return [y, after].map((name) => context.cast(name, "f32", dtype));
}

/** h = exp(dt A) h + dt x ⊗ B, and h C. */
function emitStep(operands: Operands, sizes: Sizes, writer: Writer): readonly [string, string] {
  const { x, dt, A, B, C, before } = operands;
  const { batch, heads, width, groups, state } = sizes;
  const rows = heads.floorDivide(groups).mul(width);
  const input = writer.reshape(writer.mul(x, writer.unsqueeze(dt, 3)), [batch, groups, rows, 1]);
  const added = writer.mul(input, writer.reshape(B, [batch, groups, 1, state]));
  let after = writer.reshape(added, [batch, heads, width, state]);
  if (before !== undefined) {
    const decay = writer.reshape(writer.exp(writer.mul(dt, A)), [batch, heads, 1, 1]);
    after = writer.add(writer.mul(before, decay), after);
  }
  const read = writer.reshape(C, [batch, groups, state, 1]);
  const sums = writer.matmul(writer.reshape(after, [batch, groups, rows, state]), read);
  return [writer.reshape(sums, [batch, 1, heads, width]), after];
}

/** LinearAttention: S = exp(decay) S + k ⊗ v for every head, here with k = dt x and v = B. */
function emitOwnStep(operands: Operands, sizes: Sizes, writer: Writer): readonly [string, string] {
  const { x, dt, A, B, C, before = "" } = operands;
  const { batch, heads, width, groups, state } = sizes;
  const each = heads.floorDivide(groups);
  const rows = each.mul(width);
  const [headCount, one] = [heads.constant, Dim.of(1)];
  if (headCount === undefined) return emitStep(operands, sizes, writer);
  const keys = writer.reshape(writer.mul(x, writer.unsqueeze(dt, 3)), [batch, 1, heads.mul(width)]);
  const repeated = writer.node("Expand", [
    writer.reshape(B, [batch, groups, 1, state]),
    writer.dims([batch, groups, each, state]),
  ]);
  const values = writer.reshape(repeated, [batch, 1, heads.mul(state)]);
  const [, after = ""] = writer.context.ownNodes(
    "LinearAttention",
    [keys, keys, values, before, writer.mul(dt, A)],
    2,
    {
      q_num_heads: int(headCount),
      kv_num_heads: int(headCount),
      update_rule: string("gated"),
      scale: float(1),
    },
  );
  const read = writer.reshape(C, [batch, groups, state, one]);
  const sums = writer.matmul(writer.reshape(after, [batch, groups, rows, state]), read);
  return [writer.reshape(sums, [batch, 1, heads, width]), after];
}

function emitChunks(operands: Operands, sizes: Sizes, writer: Writer): readonly [string, string] {
  const { batch, length, heads, width, groups, state } = sizes;
  const { count, length: size } = chunksOf(length, writer.context.attributes);
  const each = heads.floorDivide(groups);
  const missing = count.mul(size).sub(length);
  // Zeros behind the last position: dt is 0 there, so nothing decays and nothing is added.
  const filled = (name: string, rank: number) =>
    missing.constant === 0
      ? name
      : writer.node("Pad", [name, writer.dims([0, 0, ...zeros(rank - 2), 0, missing, ...zeros(rank - 2)])]);
  const chunked = (name: string, tail: readonly Dim[]) => writer.reshape(name, [batch, count, size, ...tail]);
  /** [batch, heads, …] as [batch, groups, heads of a group, …]. */
  const byGroup = (name: string, tail: readonly Dim[]) =>
    writer.reshape(name, [batch, groups, each, count, ...tail]);

  // [batch, heads, count, size]: the time steps, and how much has decayed since the chunk's start.
  const dt = writer.transpose(chunked(filled(operands.dt, 3), [heads]), [0, 3, 1, 2]);
  const rates = writer.mul(dt, writer.reshape(operands.A, [heads, 1, 1]));
  const sums = writer.node("CumSum", [rates, writer.scalar(3)]);
  const last = writer.slice(sums, size.sub(1), size, 3);

  // [batch, heads, count, size, width]: what every position puts into the state.
  const X = writer.mul(
    writer.transpose(chunked(filled(operands.x, 4), [heads, width]), [0, 3, 1, 2, 4]),
    writer.unsqueeze(dt, 4),
  );
  // [batch, groups, 1, count, size, state]
  const shared = (name: string) =>
    writer.unsqueeze(writer.transpose(chunked(filled(name, 4), [groups, state]), [0, 3, 1, 2, 4]), 2);
  const [B, C] = [shared(operands.B), shared(operands.C)];

  // 1. Inside chunks: (C Bᵀ) times the decay from s to t, for s ≤ t.
  const scores = writer.matmul(C, writer.turned(B));
  const decays = byGroup(writer.decays(sums, sums, size, size), [size, size]);
  const weights = writer.reshape(writer.mul(scores, decays), [batch, heads, count, size, size]);
  const within = writer.matmul(weights, X);

  // 2. What each chunk leaves: [batch, heads, count, width * state].
  const cells = width.mul(state);
  const toEnd = writer.exp(writer.node("Sub", [last, sums]));
  const left = byGroup(writer.mul(X, writer.unsqueeze(toEnd, 4)), [size, width]);
  const states = writer.reshape(writer.matmul(writer.turned(left), B), [batch, heads, count, cells]);

  // 3. From chunk to chunk: the state before each is the sum of what all earlier ones left.
  const perChunk = writer.squeeze(last, 3);
  const start = writer.node("Pad", [perChunk, writer.dims([0, 0, 1, 0, 0, 0])]);
  const elapsed = writer.slice(writer.node("CumSum", [start, writer.scalar(2)]), Dim.of(0), count, 2);
  const between = writer.node("CumSum", [perChunk, writer.scalar(2)]);
  let before = writer.matmul(writer.decays(elapsed, between, count, count, false), states);
  if (operands.before !== undefined) {
    const first = writer.reshape(operands.before, [batch, heads, 1, cells]);
    before = writer.add(before, writer.mul(writer.unsqueeze(writer.exp(elapsed), 3), first));
  }
  const final = (name: string) => writer.slice(name, count.sub(1), count, 2);
  const kept = writer.mul(final(before), writer.unsqueeze(writer.exp(final(perChunk)), 3));
  const after = writer.reshape(writer.add(kept, final(states)), [batch, heads, width, state]);

  // 4. What the state before a chunk gives to each of its positions.
  const read = writer.turned(byGroup(before, [width, state]));
  const given = writer.reshape(writer.matmul(C, read), [batch, heads, count, size, width]);
  const across = writer.mul(given, writer.unsqueeze(writer.exp(sums), 4));

  const ordered = writer.transpose(writer.add(within, across), [0, 2, 3, 1, 4]);
  const y = writer.reshape(ordered, [batch, count.mul(size), heads, width]);
  return [missing.constant === 0 ? y : writer.slice(y, Dim.of(0), length, 1), after];
}

const zeros = (count: number): number[] => new Array<number>(count).fill(0);

const toDim = (size: Dim | number): Dim => (typeof size === "number" ? Dim.of(size) : size);

/** The operators by short names. */
class Writer {
  readonly context: OnnxContext;

  constructor(context: OnnxContext) {
    this.context = context;
  }

  node(opType: string, inputs: readonly string[], attributes?: Parameters<OnnxContext["node"]>[2]): string {
    return this.context.node(opType, inputs, attributes);
  }

  dims(sizes: readonly (Dim | number)[]): string {
    return this.context.dims(sizes.map(toDim));
  }

  scalar(value: number): string {
    return this.context.constant("i64", [value], []);
  }

  mul(a: string, b: string): string {
    return this.node("Mul", [a, b]);
  }

  add(a: string, b: string): string {
    return this.node("Add", [a, b]);
  }

  exp(x: string): string {
    return this.node("Exp", [x]);
  }

  matmul(a: string, b: string): string {
    return this.node("MatMul", [a, b]);
  }

  reshape(x: string, sizes: readonly (Dim | number)[]): string {
    return emitReshape(this.context, x, sizes.map(toDim));
  }

  transpose(x: string, perm: readonly number[]): string {
    return this.node("Transpose", [x], { perm: ints(perm) });
  }

  unsqueeze(x: string, axis: number): string {
    return this.node("Unsqueeze", [x, this.dims([axis])]);
  }

  squeeze(x: string, axis: number): string {
    return this.node("Squeeze", [x, this.dims([axis])]);
  }

  slice(x: string, start: Dim, stop: Dim, axis: number): string {
    return this.node("Slice", [x, this.dims([start]), this.dims([stop]), this.dims([axis])]);
  }

  /** The last two of six axes exchanged: onnxruntime reads a factor of a product that way. */
  turned(x: string): string {
    return this.transpose(x, [0, 1, 2, 3, 5, 4]);
  }

  /**
   * exp(to - from) between all pairs [..., rows, columns] with row >= column, or above it when not
   * `inclusive`, and 0 elsewhere. Masked before the exponential, which would overflow.
   */
  decays(to: string, from: string, rows: Dim, columns: Dim, inclusive = true): string {
    const range = (stop: Dim, axis: number) => {
      const numbers = this.node("Range", [this.scalar(0), this.context.dim(stop), this.scalar(1)]);
      return this.unsqueeze(numbers, axis);
    };
    const holds = this.node(inclusive ? "GreaterOrEqual" : "Greater", [range(rows, 1), range(columns, 0)]);
    const [open, closed] = [0, never].map((value) => this.context.constant("f32", [value], []));
    const mask = this.node("Where", [holds, open ?? "", closed ?? ""]);
    const difference = this.node("Sub", [this.unsqueeze(to, -1), this.unsqueeze(from, -2)]);
    return this.exp(this.add(difference, mask));
  }
}
