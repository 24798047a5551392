/**
 * Attention in one kernel: a product, a softmax along its last axis, and a product with that, without
 * the matrix of weights between them (M. Milakov and N. Gimelshein, arXiv:1805.02867; T. Dao et al.,
 * arXiv:2205.14135).
 *
 * Each invocation holds its queries and walks over the keys in blocks; a workgroup reads the same keys, where
 * that helps through memory that it shares. The largest score and the sum of exponentials of each row
 * are kept where something else reads the weights, which it then computes again.
 */
import { Dim, productDims } from "../../../lang/dims.ts";
import { internalFault } from "../../fault.ts";
import type { Node } from "../../graph.ts";
import type { Attention } from "../attention.ts";
import type { At } from "../coordinates.ts";
import type { Group, Tail } from "../groups.ts";
import { KernelWriter, type Term } from "../kernel-writer.ts";
import { Position, unflattened } from "../position.ts";
import { Reader } from "../reader.ts";
import { floatText, widened } from "../scalar-text.ts";
import type { Kernel, KernelContext, WhichOthers } from "./kernel.ts";
import { type Axes, axesOf } from "./product-axes.ts";
import { applySteps, finish } from "./tail.ts";

const smallest = floatText(Number.NEGATIVE_INFINITY);

/** How the work is shared out. */
interface Shape {
  /** Queries of an invocation. */
  readonly queries: number;
  /** Keys whose scores are known before the sums are scaled once. */
  readonly keys: number;
  readonly workgroup: number;
  /** Keys, and their values, that a workgroup brings into its memory together; 0: none. */
  readonly tile: number;
}

/**
 * Invocations of the default, which takes one key a turn: where shaders run in software, reads take longest, so queries
 * share them, and a short loop is faster than a long one that scales its sums less often.
 */
const usualWorkgroup = 32;

/** What a device may choose from besides the default. */
const otherShapes: readonly Shape[] = [
  { queries: 1, keys: 1, workgroup: 64, tile: 0 },
  { queries: 1, keys: 4, workgroup: 64, tile: 0 },
  { queries: 1, keys: 8, workgroup: 64, tile: 0 },
  { queries: 2, keys: 2, workgroup: 64, tile: 0 },
  { queries: 8, keys: 1, workgroup: 32, tile: 0 },
  { queries: 1, keys: 4, workgroup: 64, tile: 16 },
  { queries: 1, keys: 4, workgroup: 128, tile: 32 },
];
/** Workgroup memory that every device has, in bytes. */
const mostShared = 16384;

export function attentionKernel(
  group: Group,
  attention: Attention,
  context: KernelContext,
): readonly Kernel[] {
  const [tail] = group.tails;
  if (tail === undefined) throw internalFault(`${attention.weighted.op.name} has no result`);
  const first = axesOf(attention.scores);
  if (productDims(first.shape.slice(0, -1)).constant === 0) return [];
  const typical = context.typical(first.shape.at(-2) ?? Dim.of(1));
  const queries = Math.max(1, Math.min(context.tuning.queries, typical));
  const own: Shape = { queries, keys: 1, workgroup: usualWorkgroup, tile: 0 };
  const make = (shape: Shape): Kernel => new AttentionWriter(attention, first, tail, context, shape).run();
  const others = (which: WhichOthers): readonly Kernel[] =>
    otherShapes
      .filter((shape) => which === "all" && shape.queries <= typical)
      .flatMap((shape) => {
        const isOwn = JSON.stringify(shape) === JSON.stringify(own);
        const isLarge = sharedBytes(shape, first, attention.weighted) > mostShared;
        return isOwn || isLarge ? [] : [make(shape)];
      });
  return [{ ...make(own), others }];
}

function sharedBytes({ tile }: Shape, first: Axes, weighted: Node): number {
  const depth = constantOf(first.contraction.reduce[0]);
  return 4 * tile * (depth + constantOf(axesOf(weighted).shape.at(-1)));
}

/** Four elements in a row along the depth of a head, or along a row of the result. */
interface Chunk {
  readonly position: Position;
  readonly along: string;
}

/** What an invocation holds of a query. */
interface Query {
  /** As the kernel computes it; not held to the number of queries. */
  readonly text: string;
  /** Coordinates of its row. */
  readonly place: At;
  readonly held: readonly Term[];
  readonly sums: readonly string[];
  readonly largest: string;
  readonly share: string;
}

class AttentionWriter {
  readonly #attention: Attention;
  readonly #first: Axes;
  readonly #second: Axes;
  readonly #tail: Tail;
  readonly #context: KernelContext;
  readonly #shape: Shape;
  readonly #writer: KernelWriter;
  readonly #reader: Reader;
  readonly #keys: Dim;
  readonly #queries: Dim;
  readonly #layersShape: readonly Dim[];
  readonly #depths: readonly Chunk[];
  readonly #widths: readonly Chunk[];

  constructor(attention: Attention, first: Axes, tail: Tail, context: KernelContext, shape: Shape) {
    this.#attention = attention;
    this.#first = first;
    this.#second = axesOf(attention.weighted);
    this.#tail = tail;
    this.#context = context;
    this.#shape = shape;
    this.#writer = new KernelWriter([shape.workgroup, 1, 1]);
    this.#reader = new Reader(this.#writer, context.buffers);
    this.#keys = first.shape.at(-1) ?? Dim.of(1);
    this.#queries = first.shape.at(-2) ?? Dim.of(1);
    this.#layersShape = first.shape.slice(0, -2);
    this.#depths = this.#chunks("d", constantOf(first.contraction.reduce[0]));
    this.#widths = this.#chunks("u", constantOf(this.#second.shape.at(-1)));
  }

  /** Four at a time, every one with a name of its own. */
  #chunks(prefix: string, size: number): readonly Chunk[] {
    return Array.from({ length: size / 4 }, (_, c) => {
      const position = this.#writer.coordinate(prefix, `${4 * c}`, Dim.of(size), 4);
      return { position, along: position.names()[0] ?? "" };
    });
  }

  run(): Kernel {
    const { queries: count, workgroup, tile } = this.#shape;
    const writer = this.#writer;
    const size = this.#queries;
    const layers = productDims([...this.#layersShape]);
    // A workgroup's queries share their batch and head, so that keys and values are read uniformly.
    const layer = unflattened(writer.coordinate("layer", "group.y", layers), this.#layersShape);
    const base = `group.x * ${workgroup} + local`;
    const start = writer.named(
      { text: count === 1 ? base : `(${base}) * ${count}`, type: "i32", lanes: 1, depth: 0 },
      "i",
    ).text;
    if (tile === 0) writer.line(`if (${start} >= ${writer.size(size)}) { return; }`);
    const queries = Array.from({ length: count }, (_, at) => this.#query(layer, start, at));
    if (tile === 0) {
      writer.loop("j", this.#keys, this.#shape.keys, (_, loop) => this.#turn(queries, loop, undefined));
    } else this.#tiled(queries);
    const isWhole = size.divideExactly(count * (tile === 0 ? 1 : workgroup)) !== undefined;
    queries.forEach((query, at) => {
      const isSure = isWhole || (tile === 0 && at === 0);
      const condition = isSure ? "" : `if (${query.text} < ${writer.size(size)})`;
      writer.block(condition, true, () => this.#end(query));
    });
    return this.#finished(layers);
  }

  #finished(layers: Dim): Kernel {
    const { queries: count, workgroup, keys: block, tile } = this.#shape;
    const own = layers.mul(
      constantOf(this.#first.contraction.reduce[0]) + constantOf(this.#second.shape.at(-1)),
    );
    const groups = this.#queries.ceilDivide(workgroup * count);
    const invocations = tile === 0 ? this.#queries.ceilDivide(count) : groups.mul(workgroup);
    const wholeQueries = invocations.mul(count);
    const step = tile === 0 ? block : tile;
    const wholeKeys = this.#keys.ceilDivide(step).mul(step);
    this.#writer.runs(layers.mul(invocations));
    const details = [...(count === 1 ? [] : [`${count} queries`]), ...(block === 1 ? [] : [`${block} keys`])];
    const shared = tile === 0 ? [] : [`${tile} keys shared`];
    const size = workgroup === usualWorkgroup ? [] : [`${workgroup} invocations`];
    return {
      writer: this.#writer,
      label: [`attention ${4 * this.#depths.length}`, ...details, ...shared, ...size].join(", "),
      workgroups: [groups, layers, Dim.of(1)],
      executed: own.mul(wholeQueries).mul(wholeKeys),
      overhead: [
        {
          reason: "keys that fill the last block",
          macs: own.mul(wholeQueries).mul(wholeKeys.sub(this.#keys)),
        },
        {
          reason: "queries that fill the last block",
          macs: own.mul(wholeQueries.sub(this.#queries)).mul(this.#keys),
        },
      ],
    };
  }

  #query(layer: At, start: string, at: number): Query {
    const writer = this.#writer;
    const text = at === 0 ? start : `${start} + ${at}`;
    const last = writer.size(this.#queries.sub(1));
    const isSure = this.#shape.tile === 0 && at === 0;
    const position = writer.coordinate("i", isSure ? text : `min(${text}, ${last})`, this.#queries);
    const place = [...layer, position];
    const held = this.#depths.map((chunk) =>
      writer.copied(this.#operand("query", place, Position.of(0), chunk), "q"),
    );
    return {
      text,
      place,
      held,
      sums: this.#widths.map(() => writer.variable("sum", "f32", "vec4<f32>()", 4)),
      largest: writer.variable("most", "f32", smallest),
      share: writer.variable("share", "f32", "0.0f"),
    };
  }

  /** Four elements of an operand; `place` is that of a row of scores. */
  #operand(which: "query" | "key" | "value", place: At, key: Position, { position, along }: Chunk): Term {
    const { scores, weighted } = this.#attention;
    const [axes, node, side] =
      which === "query"
        ? [this.#first, scores, "left" as const]
        : which === "key"
          ? [this.#first, scores, "right" as const]
          : [this.#second, weighted, "right" as const];
    const all = which === "value" ? [...place, position, key] : [...place, key, position];
    const at = axes.contraction[side].map((index) => this.#reader.index(index, all, node));
    return widened(this.#reader.read(axes[side], at, along), 4);
  }

  /** Blocks of keys through the workgroup's memory. */
  #tiled(queries: readonly Query[]): void {
    const { tile, workgroup, keys: block } = this.#shape;
    const writer = this.#writer;
    const [own] = queries;
    if (own === undefined) throw internalFault("an attention kernel has no queries");
    const bring = (
      which: "key" | "value",
      chunks: readonly Chunk[],
    ): { name: string; fill(start: string): void } => {
      const count = tile * chunks.length;
      const name = writer.shared("vec4<f32>", count, 16 * count);
      const extent = Dim.of(4 * chunks.length);
      const items = Array.from({ length: Math.ceil(count / workgroup) }, (_, turn) => {
        const number =
          turn === 0
            ? "local"
            : writer.named({ text: `(local + ${turn * workgroup})`, type: "i32", lanes: 1, depth: 0 }, "item")
                .text;
        const position = writer.coordinate("c", `${number} % ${chunks.length} * 4`, extent, 4);
        return { number, position, isSure: (turn + 1) * workgroup <= count };
      });
      const fill = (start: string): void => {
        for (const { number, position, isSure } of items) {
          writer.block(isSure ? "" : `if (${number} < ${count})`, true, () => {
            const text = `${start} + ${number} / ${chunks.length}`;
            const key = writer.coordinate(
              "key",
              `min(${text}, ${writer.size(this.#keys.sub(1))})`,
              this.#keys,
            );
            const chunk = { position, along: position.names()[0] ?? "" };
            writer.line(`${name}[${number}] = ${this.#operand(which, own.place, key, chunk).text};`);
          });
        }
      };
      return { name, fill };
    };
    const keys = bring("key", this.#depths);
    const values = bring("value", this.#widths);
    writer.loop("tile", this.#keys, tile, (_, start) => {
      keys.fill(start);
      values.fill(start);
      writer.line("workgroupBarrier();");
      const inner = writer.fresh("j");
      writer.block(`for (var ${inner} = 0; ${inner} < ${tile}; ${inner} += ${block})`, false, () => {
        this.#turn(queries, `${start} + ${inner}`, { inner, keys: keys.name, values: values.name });
      });
      writer.line("workgroupBarrier();");
    });
  }

  /** The next keys, from `loop` on; from the workgroup's memory where they were brought there. */
  #turn(
    queries: readonly Query[],
    loop: string,
    tile: { readonly inner: string; readonly keys: string; readonly values: string } | undefined,
  ): void {
    const writer = this.#writer;
    const { keys: block } = this.#shape;
    const isWhole = tile === undefined && this.#keys.divideExactly(block) !== undefined;
    const keys = Array.from({ length: block }, (_, k) => {
      const text = k === 0 ? loop : `${loop} + ${k}`;
      const last = writer.size(this.#keys.sub(1));
      const isSure = isWhole || (k === 0 && tile === undefined);
      return {
        text,
        isSure,
        position: writer.coordinate("key", isSure ? text : `min(${text}, ${last})`, this.#keys),
      };
    });
    const chunkText = (which: "key" | "value", k: number, c: number, chunk: Chunk, count: number): string => {
      const key = keys[k]?.position ?? Position.of(0);
      if (tile === undefined) return this.#operand(which, queries[0]?.place ?? [], key, chunk).text;
      const name = which === "key" ? tile.keys : tile.values;
      return writer.remember(
        `${name} ${k} ${c}`,
        () => ({
          text: `${name}[(${tile.inner} + ${k}) * ${count} + ${c}]`,
          type: "f32",
          lanes: 4,
          depth: writer.depth,
        }),
        "x",
      ).text;
    };
    const scores = queries.map(() => [] as string[]);
    keys.forEach((key, k) => {
      const dots = queries.map(() => "");
      this.#depths.forEach((chunk, c) => {
        const right = chunkText("key", k, c, chunk, this.#depths.length);
        queries.forEach(({ held }, q) => {
          const left = held[c]?.text;
          const text = c === 0 ? `${left} * ${right}` : `fma(${left}, ${right}, ${dots[q]})`;
          dots[q] = writer.copied({ text, type: "f32", lanes: 4, depth: writer.depth }, "dot").text;
        });
      });
      queries.forEach(({ place }, q) => {
        const dot = dots[q];
        const text = `((${dot}.x + ${dot}.y) + (${dot}.z + ${dot}.w))`;
        const score: Term = { text, type: "f32", lanes: 1, depth: writer.depth };
        const here = [...place, key.position];
        const { steps } = this.#attention;
        const { term } = applySteps(this.#reader, this.#first.result, steps, here, writer.copied(score, "s"));
        const held = key.isSure
          ? term.text
          : `select(${smallest}, ${term.text}, ${key.text} < ${writer.size(this.#keys)})`;
        scores[q]?.push(writer.copied({ ...term, text: held, depth: writer.depth }, "s").text);
      });
    });
    const rescaled = queries.map(({ largest, share }, q) => this.#rescale(largest, share, scores[q] ?? []));
    this.#widths.forEach((chunk, c) => {
      const sums = queries.map(({ sums }, q) => `${sums[c]} * ${rescaled[q]?.scale}`);
      keys.forEach((_, k) => {
        const right = chunkText("value", k, c, chunk, this.#widths.length);
        queries.forEach((_, q) => {
          const text = `fma(vec4<f32>(${rescaled[q]?.weights[k]}), ${right}, ${sums[q]})`;
          sums[q] = writer.copied({ text, type: "f32", lanes: 4, depth: writer.depth }, "part").text;
        });
      });
      queries.forEach((query, q) => {
        writer.line(`${query.sums[c]} = ${sums[q]};`);
      });
    });
  }

  /** Takes the scores of a block into account; their weights, relative to the largest score so far. */
  #rescale(
    largest: string,
    share: string,
    scores: readonly string[],
  ): { readonly weights: readonly string[]; readonly scale: string } {
    const writer = this.#writer;
    const most = writer.fresh("top");
    writer.line(`let ${most} = max(${largest}, ${scores.reduce((a, b) => `max(${a}, ${b})`)});`);
    const scale = writer.fresh("scale");
    writer.line(`let ${scale} = exp(${largest} - ${most});`);
    writer.line(`${largest} = ${most};`);
    const weights = scores.map((score) => {
      const weight = writer.fresh("weight");
      writer.line(`let ${weight} = exp(${score} - ${most});`);
      return weight;
    });
    writer.line(`${share} = fma(${share}, ${scale}, ${weights.join(" + ")});`);
    return { weights, scale };
  }

  /** Stores a row, and the numbers from which its weights can be computed again. */
  #end({ place, sums, largest, share }: Query): void {
    const writer = this.#writer;
    const kept = this.#context.folds(this.#attention.row);
    if (kept !== undefined) {
      [largest, share].forEach((text, which) => {
        const located = kept[which];
        if (located === undefined) throw internalFault("a softmax keeps two numbers a row");
        const flat = place.reduce(
          (sum, position, axis) => sum.add(position.times(located.strides[axis] ?? Dim.of(1))),
          Position.of(0),
        );
        writer.store(located, flat, { text, type: "f32", lanes: 1, depth: writer.depth });
      });
    }
    this.#widths.forEach(({ position, along }, c) => {
      const term: Term = { text: `(${sums[c]} / ${share})`, type: "f32", lanes: 4, depth: writer.depth };
      finish(this.#reader, this.#tail, [...place, position], term, this.#context.target, along);
    });
  }
}

function constantOf(size: Dim | undefined): number {
  if (size?.constant === undefined) throw internalFault("the depth of a head is open");
  return size.constant;
}
