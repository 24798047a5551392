/**
 * Reads values inside a kernel: from their buffer, or by computing them where they are needed.
 *
 * Owns: following views to the buffer behind them, and the expressions of what was fused. Which values
 * have a buffer is fusion.ts's.
 */
import { Dim } from "../../lang/dims.ts";
import { internalFault } from "../fault.ts";
import type { Node, Value } from "../graph.ts";
import type { Index, LoweringContext, ViewPiece } from "../ops/lowering.ts";
import {
  type At,
  advanced,
  broadcastAt,
  isElementAlong,
  moves,
  type OpenRange,
  openEnds,
  positionIn,
} from "./coordinates.ts";
import { foldTerm, unreduced } from "./folds.ts";
import {
  type KernelWriter,
  type Lanes,
  type Located,
  scalarTypeOf,
  type Term,
  typeText,
} from "./kernel-writer.ts";
import { Position } from "./position.ts";
import { binaryTerm, converted, numberTerm, scalarTerm, widened } from "./scalar-text.ts";

const huge = Dim.of(2 ** 31);

export interface Buffers {
  /** Where a value is, when it has a buffer. */
  located(value: Value): Located | undefined;
  /** Where the folds of a row are, when they were kept. */
  folds?(node: Node): readonly Located[] | undefined;
}

export function contextOf(node: Node): LoweringContext {
  return {
    operands: node.operands.map(({ type }) => type),
    results: node.results.map(({ type }) => type),
    attributes: node.attributes,
  };
}

/** Whether an index is itself read from a tensor. */
function readsIndex(index: Index): boolean {
  switch (index.kind) {
    case "element":
      return true;
    case "coordinate":
    case "constant":
      return false;
    default:
      return readsIndex(index.a) || readsIndex(index.b);
  }
}

export class Reader {
  readonly writer: KernelWriter;
  readonly #buffers: Buffers;
  /** Values that this kernel computes itself, and their terms at the place it is at. */
  readonly #here: Map<Value, Term>;

  constructor(writer: KernelWriter, buffers: Buffers, here = new Map<Value, Term>()) {
    this.writer = writer;
    this.#buffers = buffers;
    this.#here = here;
  }

  /** A reader that knows some values already, wherever it is asked for them. */
  knowing(here: ReadonlyMap<Value, Term>): Reader {
    return new Reader(this.writer, this.#buffers, new Map([...this.#here, ...here]));
  }

  /** One element, or the four that start there and follow each other along `along`. */
  read(value: Value, at: At, along?: string): Term {
    const here = this.#here.get(value);
    if (here !== undefined) return here;
    const key = `${numberOf(value)}@${at.map(({ key: text }) => text).join(",")}@${along ?? ""}`;
    return this.writer.remember(key, () => this.#compute(value, at, along), "x");
  }

  /** As `read`, but computed though it is going to have a buffer: by the kernel that fills it. */
  inline(value: Value, at: At, along?: string): Term {
    return this.#expression(value, at, along);
  }

  /** The buffer of a value, or of what it is nothing but a view of, and where in that an element is. */
  behind(value: Value, at: At): { readonly located: Located; readonly at: At } | undefined {
    if (this.#here.has(value)) return undefined;
    const located = this.#buffers.located(value);
    if (located !== undefined) return { located, at };
    const { source } = value;
    if (source.kind !== "result" || source.node.op.lowering.kind !== "view") return undefined;
    const { node } = source;
    const [piece, ...others] = source.node.op.lowering.pieces(contextOf(node));
    const operand = node.operands[piece?.operand ?? -1];
    const isPlain = others.length === 0 && (piece?.when ?? []).length === 0;
    if (piece === undefined || operand === undefined || !isPlain || piece.at.some(readsIndex))
      return undefined;
    return this.behind(
      operand,
      piece.at.map((index) => this.index(index, at, node)),
    );
  }

  /** An element, or 0 where the condition does not hold; then nothing outside the buffer is read. */
  guarded(value: Value, at: At, condition: string): Term {
    const located = this.#buffers.located(value);
    const writer = this.writer;
    const depth = writer.depth;
    if (located === undefined) {
      const term: Term = { text: condition, type: "bool", lanes: 1, depth };
      return writer.branch(
        term,
        "f32",
        () => this.read(value, at).text,
        () => "0.0f",
      );
    }
    const { text } = writer.position(positionIn(located, at));
    const place = Position.name(
      writer.copied({ text: `select(0, ${text}, ${condition})`, type: "i32", lanes: 1, depth }, "p").text,
      huge,
    );
    return {
      text: `select(0.0f, ${this.fetch(located, place, undefined).text}, ${condition})`,
      type: "f32",
      lanes: 1,
      depth,
    };
  }

  #compute(value: Value, at: At, along: string | undefined): Term {
    const located = this.#buffers.located(value);
    if (located !== undefined) return this.fetch(located, positionIn(located, at), along);
    return this.#expression(value, at, along);
  }

  #expression(value: Value, at: At, along: string | undefined): Term {
    const { source } = value;
    if (source.kind !== "result") throw internalFault(`a ${source.kind} has no buffer`);
    const { node } = source;
    const { lowering } = node.op;
    switch (lowering.kind) {
      case "map":
      case "source":
        return scalarTerm(
          lowering.expression(contextOf(node)),
          {
            operand: (index) => this.#operand(node, index, at, along),
            coordinate: (axis) => this.#coordinate(at[axis], along),
          },
          this.writer,
          scalarTypeOf(value.type.dtype),
        );
      case "view":
        return this.#view(node, at, along);
      case "row":
        return this.#row(node, at, along);
      case "fold":
        return this.#fold(node, at, along);
      case "contract":
        // Four in a row are four sums, of one loop.
        if (along === undefined || !moves(at, along)) return this.#contractions(node, [at])[0] ?? zero;
        return vectorOf(
          "f32",
          this.#contractions(
            node,
            [0, 1, 2, 3].map((lane) => at.map((position) => advanced(position, along, lane))),
          ),
        );
      default:
        throw internalFault(`${node.op.name} has no buffer`, node.provenance);
    }
  }

  /** An element of a buffer, or four along a name. */
  fetch(located: Located, at: Position, along: string | undefined): Term {
    const { rows } = located;
    if (rows === undefined) return this.#fetch(located, at, along);
    const code = this.#fetch(located, at, along);
    const { depth, inner } = rows;
    const row = at
      .div(Dim.of(depth * inner))
      .times(inner)
      .add(at.mod(Dim.of(inner)));
    return binaryTerm("mul", code, this.#scale(located, row, along), this.writer);
  }

  #scale(located: Located, at: Position, along: string | undefined): Term {
    const slope = along === undefined ? "same" : at.slope(along);
    if (along === undefined || slope === "same") return this.writer.scale(located, at, 1);
    if (slope === "next" && at.isMultipleOf(4)) return this.writer.scale(located, at, 4);
    return this.#four("f32", (lane) => this.writer.scale(located, advanced(at, along, lane), 1));
  }

  #fetch(located: Located, at: Position, along: string | undefined): Term {
    if (along === undefined) return this.writer.load(located, at, 1);
    const slope = at.slope(along);
    if (slope === "same") return this.writer.load(located, at, 1);
    if (slope === "next" && at.isMultipleOf(4)) return this.writer.load(located, at, 4);
    return this.#four(scalarTypeOf(located.dtype), (lane) =>
      this.writer.load(located, advanced(at, along, lane), 1),
    );
  }

  #four(type: Term["type"], one: (lane: number) => Term): Term {
    const parts = [0, 1, 2, 3].map((lane) => this.writer.named(one(lane)));
    return vectorOf(type, parts);
  }

  #operand(node: Node, index: number, at: At, along: string | undefined): Term {
    const operand = node.operands[index];
    if (operand === undefined)
      throw internalFault(`${node.op.name} has no operand ${index}`, node.provenance);
    return this.read(operand, broadcastAt(operand, at), along);
  }

  #coordinate(at: Position | undefined, along: string | undefined): Term {
    const position = at ?? Position.of(0);
    const term = this.writer.position(position);
    if (along === undefined || position.slope(along) === "same") return term;
    return this.#four("i32", (lane) => this.writer.position(advanced(position, along, lane)));
  }

  #view(node: Node, at: At, along: string | undefined): Term {
    const [result] = node.results;
    const { lowering } = node.op;
    if (lowering.kind !== "view" || result === undefined) throw internalFault(`${node.op.name} is no view`);
    const context = contextOf(node);
    const pieces = lowering.pieces(context);
    const otherwise = lowering.otherwise?.(context);
    const type = scalarTypeOf(result.type.dtype);
    const reads = pieces.flatMap((piece) => {
      const conditions: OpenRange[] = [];
      for (const range of piece.when ?? []) {
        const open = openEnds(range, at);
        if (open === "never") return [];
        conditions.push(...open);
      }
      return [{ piece, conditions }];
    });
    // Four in a row may lie in two pieces, or be wherever four indices say.
    if (along !== undefined && moves(at, along)) {
      const isScattered = reads.some(
        ({ piece }) =>
          (piece.when ?? []).some(({ axis }) => at[axis]?.slope(along) !== "same") ||
          piece.at.some((index) => isElementAlong(index, at, along)),
      );
      if (isScattered) {
        return this.#four(type, (lane) => {
          const place = at.map((position) => advanced(position, along, lane));
          const key = `${numberOf(result)} at ${place.map((position) => position.key).join(",")}`;
          return this.writer.remember(key, () => this.#view(node, place, undefined), "x");
        });
      }
    }
    const [only] = reads;
    if (only !== undefined && only.conditions.length === 0) return this.#piece(node, only.piece, at, along);
    const lanes: Lanes = along === undefined ? 1 : 4;
    const rest = (from: number): Term => {
      const next = reads[from];
      const isLast = from === reads.length - 1 && otherwise === undefined;
      if (next === undefined) return numberTerm(otherwise ?? 0, type);
      if (isLast || next.conditions.length === 0) return this.#piece(node, next.piece, at, along);
      const texts = next.conditions.map(({ position, low, high }) => {
        const { text } = this.writer.position(position);
        const ends = [
          ...(low === undefined ? [] : [`${text} >= ${this.writer.size(low)}`]),
          ...(high === undefined ? [] : [`${text} < ${this.writer.size(high)}`]),
        ];
        return ends.map((end) => `(${end})`).join(" & ");
      });
      const condition: Term = { text: texts.join(" & "), type: "bool", lanes: 1, depth: this.writer.depth };
      const wide = typeText(type, lanes);
      const name = this.writer.variable("w", type, `${wide}()`, lanes);
      const put = (part: () => Term) => (): void =>
        this.writer.line(`${name} = ${widened(part(), lanes).text};`);
      this.writer.either(
        condition.text,
        put(() => this.#piece(node, next.piece, at, along)),
        put(() => rest(from + 1)),
      );
      return { text: name, type, lanes, depth: this.writer.depth };
    };
    return rest(0);
  }

  #piece(node: Node, piece: ViewPiece, at: At, along: string | undefined): Term {
    const operand = node.operands[piece.operand];
    if (operand === undefined) throw internalFault(`${node.op.name} has no operand ${piece.operand}`);
    return this.read(
      operand,
      piece.at.map((index) => this.index(index, at, node)),
      along,
    );
  }

  /** An index of a lowering as a position; `at` holds the coordinates. */
  index(index: Index, at: At, node: Node): Position {
    switch (index.kind) {
      case "coordinate":
        return at[index.axis] ?? Position.of(0);
      case "constant":
        return Position.of(index.value);
      case "element": {
        const operand = node.operands[index.operand];
        if (operand === undefined) throw internalFault(`${node.op.name} has no operand ${index.operand}`);
        const inner = index.at.map((part) => this.index(part, at, node));
        const term = this.writer.named(this.read(operand, inner), "e");
        return Position.name(term.text, Dim.of(2 ** 31));
      }
      case "add":
        return this.index(index.a, at, node).add(this.index(index.b, at, node));
      case "mul": {
        const a = this.index(index.a, at, node);
        const b = this.index(index.b, at, node);
        if (b.terms.length === 0) return a.times(b.offset);
        if (a.terms.length === 0) return b.times(a.offset);
        throw internalFault(`${node.op.name} multiplies two coordinates`, node.provenance);
      }
      case "div":
      case "mod": {
        const a = this.index(index.a, at, node);
        const b = this.index(index.b, at, node);
        if (b.terms.length > 0)
          throw internalFault(`${node.op.name} divides by a coordinate`, node.provenance);
        return index.kind === "div" ? a.div(b.offset) : a.mod(b.offset);
      }
    }
  }

  #row(node: Node, at: At, along: string | undefined): Term {
    const { lowering } = node.op;
    const kept = this.#buffers.folds?.(node);
    if (lowering.kind !== "row" || kept === undefined) throw internalFault(`${node.op.name} has no buffer`);
    const context = contextOf(node);
    const axis = lowering.axis(context);
    const row = at.filter((_, place) => place !== axis);
    return scalarTerm(
      lowering.expression(context),
      {
        operand: (index) => this.#operand(node, index, at, along),
        coordinate: (place) => this.#coordinate(at[place], along),
        folded: (index) => {
          const located = kept[index];
          if (located === undefined) throw internalFault(`${node.op.name} kept too few folds`);
          const lanes = along !== undefined && moves(row, along) ? along : undefined;
          return this.writer.named(this.fetch(located, positionIn(located, row), lanes));
        },
      },
      this.writer,
      "f32",
    );
  }

  #fold(node: Node, at: At, along: string | undefined): Term {
    const { lowering } = node.op;
    const [x] = node.operands;
    if (lowering.kind !== "fold" || x === undefined) throw internalFault(`${node.op.name} is no fold`);
    const axes = lowering.axes(contextOf(node));
    const isFloat = scalarTypeOf(x.type.dtype) === "f32";
    return foldTerm(this.writer, {
      fold: lowering.fold,
      axes,
      at: unreduced(at, axes, x.type.shape.length),
      shape: x.type.shape,
      read: (_, place, inner) => {
        const read = this.read(x, place, inner);
        return isFloat ? read : converted(read, "i32");
      },
      folded: [],
      isFloat,
      along: along !== undefined && moves(at, along) ? along : undefined,
    });
  }

  /** The sums for some places at once: what they share is read once. */
  #contractions(node: Node, places: readonly At[]): readonly Term[] {
    const { lowering } = node.op;
    const [left, right, bias] = node.operands;
    if (lowering.kind !== "contract" || left === undefined || right === undefined)
      throw internalFault(`${node.op.name} is no contraction`);
    const axes = lowering.axes(contextOf(node));
    const writer = this.writer;
    const starts = places.map((at) =>
      axes.bias === undefined || bias === undefined
        ? "0.0f"
        : this.read(
            bias,
            axes.bias.map((index) => this.index(index, at, node)),
          ).text,
    );
    const depth = axes.reduce.at(-1) ?? Dim.of(1);
    const isWide = !axes.padded && depth.constant !== 1 && depth.divideExactly(4) !== undefined;
    const lanes: Lanes = isWide ? 4 : 1;
    const sums = starts.map((start) => writer.variable("sum", "f32", isWide ? "vec4<f32>()" : start, lanes));
    const inner: Position[] = [];
    const product = (at: At, sum: string, along: string | undefined): void => {
      const all = [...at, ...inner];
      const read = (value: Value, indices: readonly Index[]): string =>
        widened(
          this.read(
            value,
            indices.map((index) => this.index(index, all, node)),
            along,
          ),
          lanes,
        ).text;
      const add = (): void => {
        writer.line(`${sum} = fma(${read(left, axes.left)}, ${read(right, axes.right)}, ${sum});`);
        writer.repeatsMac(lanes);
      };
      const condition = axes.padded ? this.inside(left, axes.left, all, node) : undefined;
      if (condition === undefined) add();
      else writer.block(`if (${condition})`, true, add);
    };
    const nest = (rest: readonly Dim[], loop: string | undefined): void => {
      const [extent, ...others] = rest;
      if (extent === undefined) {
        places.forEach((at, place) => {
          product(at, sums[place] ?? "", isWide ? loop : undefined);
        });
        return;
      }
      writer.loop("k", extent, isWide && others.length === 0 ? 4 : 1, (position, name) => {
        inner.push(position);
        nest(others, name);
        inner.pop();
      });
    };
    nest(axes.reduce, undefined);
    return sums.map((sum, place): Term => {
      const text = isWide ? `(${starts[place]} + ((${sum}.x + ${sum}.y) + (${sum}.z + ${sum}.w)))` : sum;
      return { text, type: "f32", lanes: 1, depth: writer.depth };
    });
  }

  /** That every index lies inside the operand, where that is not known. */
  inside(value: Value, indices: readonly Index[], all: At, node: Node): string | undefined {
    const conditions = indices.flatMap((index, axis) => {
      const position = this.index(index, all, node);
      const size = value.type.shape[axis] ?? Dim.of(1);
      if (position.isBelow(size)) return [];
      const { text } = this.writer.position(position);
      const { least } = position.range();
      const low = least !== undefined && Dim.provablyAtMost(0, least) ? [] : [`${text} >= 0`];
      return [...low, `${text} < ${this.writer.size(size)}`];
    });
    if (conditions.length === 0) return undefined;
    // Not `&&`: where it becomes a branch, kernels take long to compile.
    const text = conditions.map((condition) => `(${condition})`).join(" & ");
    return this.writer.copied({ text, type: "bool", lanes: 1, depth: this.writer.depth }, "inside").text;
  }
}

/** How many neighbours of a value's share a scale, where it is read from codes. */
export function sharedScale(value: Value, buffers: Buffers): number | undefined {
  const located = buffers.located(value);
  if (located !== undefined) return located.rows?.depth;
  const { source } = value;
  if (source.kind !== "result" || source.node.op.lowering.kind !== "view") return undefined;
  const [operand, another] = source.node.operands;
  return operand === undefined || another !== undefined ? undefined : sharedScale(operand, buffers);
}

const zero: Term = { text: "0.0f", type: "f32", lanes: 1, depth: 0 };

function vectorOf(type: Term["type"], parts: readonly Term[]): Term {
  return {
    text: `${typeText(type, 4)}(${parts.map(({ text }) => text).join(", ")})`,
    type,
    lanes: 4,
    depth: Math.max(...parts.map(({ depth }) => depth)),
  };
}

const numbers = new WeakMap<Value, number>();
let counted = 0;

function numberOf(value: Value): number {
  const known = numbers.get(value);
  if (known !== undefined) return known;
  numbers.set(value, counted);
  return counted++;
}
