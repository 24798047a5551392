/**
 * Attention in one kernel: a product, a softmax along its last axis, and a product with that, without
 * the matrix of weights between them (M. Milakov and N. Gimelshein, arXiv:1805.02867; T. Dao et al.,
 * arXiv:2205.14135).
 *
 * Each invocation holds one query and walks over the keys in blocks; a workgroup reads the same keys.
 * The largest score and the sum of exponentials of each row are kept where something else reads the
 * weights, which it then computes again.
 */
import { Dim, productDims } from "../../../lang/dims.ts";
import { internalFault } from "../../fault.ts";
import type { Attention } from "../attention.ts";
import type { At } from "../coordinates.ts";
import type { Group } from "../groups.ts";
import { KernelWriter, type Term } from "../kernel-writer.ts";
import { Position, unflattened } from "../position.ts";
import { Reader } from "../reader.ts";
import { floatText, widened } from "../scalar-text.ts";
import type { Kernel, KernelContext } from "./kernel.ts";
import { axesOf } from "./product-axes.ts";
import { applySteps, finish } from "./tail.ts";

/** Keys whose scores are known before the sums are scaled once. */
const block = 4;
const smallest = floatText(Number.NEGATIVE_INFINITY);

export function attentionKernel(
  group: Group,
  { scores, steps, row, weighted }: Attention,
  context: KernelContext,
): readonly Kernel[] {
  const [tail] = group.tails;
  if (tail === undefined) throw internalFault(`${weighted.op.name} has no result`);
  const first = axesOf(scores);
  const second = axesOf(weighted);
  const { shape } = first;
  const last = shape.length - 1;
  const keys = shape[last] ?? Dim.of(1);
  const outer = shape.slice(0, last);
  const total = productDims(outer);
  if (total.constant === 0) return [];
  // A workgroup's queries share their batch and head, so that keys and values are read uniformly.
  const layersShape = outer.slice(0, -1);
  const queries = outer.at(-1) ?? Dim.of(1);
  const layers = productDims(layersShape);
  const { workgroup } = context.tuning;
  const writer = new KernelWriter([workgroup, 1, 1]);
  const layer = writer.coordinate("layer", "group.y", layers);
  const query = writer.coordinate("i", `group.x * ${workgroup} + local`, queries);
  const [name] = query.names();
  writer.line(
    name === undefined ? "if (local > 0) { return; }" : `if (${name} >= ${writer.size(queries)}) { return; }`,
  );
  const place = [...unflattened(layer, layersShape), query];
  const reader = new Reader(writer, context.buffers);
  const depth = constantOf(first.contraction.reduce[0]);
  const width = constantOf(second.shape.at(-1));
  const at = (axes: typeof first, all: At, which: "left" | "right", node: typeof scores): At =>
    axes.contraction[which].map((index) => reader.index(index, all, node));

  // Four at a time along the depth of a head, every one with a name of its own.
  const chunk = (prefix: string, size: number, c: number): { position: Position; along: string } => {
    const text = `${4 * c}`;
    const known = writer.coordinate(prefix, text, Dim.of(size), 4);
    return { position: known, along: known.names()[0] ?? "" };
  };
  const depths = Array.from({ length: depth / 4 }, (_, c) => chunk("d", depth, c));
  const widths = Array.from({ length: width / 4 }, (_, c) => chunk("u", width, c));
  const any = [...place, Position.of(0)];
  const held = depths.map(({ position, along }) =>
    writer.copied(
      widened(reader.read(first.left, at(first, [...any, position], "left", scores), along), 4),
      "q",
    ),
  );
  const sums = widths.map(() => writer.variable("sum", "f32", "vec4<f32>()", 4));
  const largest = writer.variable("most", "f32", smallest);
  const share = writer.variable("share", "f32", "0.0f");

  writer.loop("j", keys, block, (start, loop) => {
    const isWhole = keys.divideExactly(block) !== undefined;
    const places = Array.from({ length: block }, (_, k) => {
      if (k === 0) return start;
      const text = isWhole ? `${loop} + ${k}` : `min(${loop} + ${k}, ${writer.size(keys.sub(1))})`;
      return writer.coordinate("key", text, keys);
    });
    const found = places.map((key, k) => {
      const here = [...place, key];
      const dot = writer.variable("dot", "f32", "vec4<f32>()", 4);
      depths.forEach(({ position, along }, c) => {
        const right = widened(
          reader.read(first.right, at(first, [...here, position], "right", scores), along),
          4,
        );
        writer.line(`${dot} = fma(${held[c]?.text}, ${right.text}, ${dot});`);
      });
      const text = `((${dot}.x + ${dot}.y) + (${dot}.z + ${dot}.w))`;
      const score: Term = { text, type: "f32", lanes: 1, depth: writer.depth };
      const { term } = applySteps(reader, first.result, steps, here, writer.copied(score, "s"));
      if (k === 0 || isWhole) return writer.copied(term, "s").text;
      return writer.copied(
        {
          ...term,
          text: `select(${smallest}, ${term.text}, ${loop} + ${k} < ${writer.size(keys)})`,
          depth: writer.depth,
        },
        "s",
      ).text;
    });
    const most = writer.fresh("top");
    writer.line(`let ${most} = max(${largest}, ${found.reduce((a, b) => `max(${a}, ${b})`)});`);
    const scale = writer.fresh("scale");
    writer.line(`let ${scale} = exp(${largest} - ${most});`);
    writer.line(`${largest} = ${most};`);
    const weights = found.map((score) => {
      const weight = writer.fresh("weight");
      writer.line(`let ${weight} = exp(${score} - ${most});`);
      return weight;
    });
    writer.line(`${share} = fma(${share}, ${scale}, ${weights.join(" + ")});`);
    widths.forEach(({ position, along }, c) => {
      const sum = sums[c];
      writer.line(`${sum} *= ${scale};`);
      places.forEach((key, k) => {
        const right = widened(
          reader.read(second.right, at(second, [...place, position, key], "right", weighted), along),
          4,
        );
        writer.line(`${sum} = fma(vec4<f32>(${weights[k]}), ${right.text}, ${sum});`);
      });
    });
  });

  const kept = context.folds(row);
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
  widths.forEach(({ position, along }, c) => {
    const term: Term = { text: `(${sums[c]} / ${share})`, type: "f32", lanes: 4, depth: writer.depth };
    finish(reader, tail, [...place, position], term, context.target, along);
  });
  const groups = queries.ceilDivide(workgroup);
  const rows = layers.mul(queries).mul(depth + width);
  const wholeKeys = keys.ceilDivide(block).mul(block);
  writer.runs(layers.mul(queries));
  return [
    {
      writer,
      label: `attention ${depth}`,
      workgroups: [groups, layers, Dim.of(1)],
      executed: rows.mul(wholeKeys),
      overhead: [{ reason: "keys that fill the last block", macs: rows.mul(wholeKeys.sub(keys)) }],
    },
  ];
}

function constantOf(size: Dim | undefined): number {
  if (size?.constant === undefined) throw internalFault("the depth of a head is open");
  return size.constant;
}
