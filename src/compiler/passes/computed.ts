/**
 * What was computed while compiling, remembered: the entries of a model share their filterbanks and
 * position tables, and whoever works on a model counts and compiles it again and again.
 *
 * Owns: when two computations are the same (op, attributes, types, and operands bit by bit), and how
 * much is kept. Tensors are not changed once they are made, so they can be shared.
 */
import { printType } from "../../lang/types.ts";
import { printAttributes } from "../attribute-form.ts";
import { contentHash, sameContent } from "../content-hash.ts";
import type { Node } from "../graph.ts";
import type { HostTensor } from "../host-tensor.ts";
import { runNode } from "../interpret.ts";
import { CountingMeter } from "../ops/arithmetic.ts";

interface Computation {
  readonly op: Node["op"];
  readonly operands: readonly HostTensor[];
  readonly results: readonly HostTensor[];
}

/** Elements in all: 64 MiB as f64. */
const mostElements = 2 ** 23;

/** The least recently used first. */
const remembered = new Map<string, Computation>();
let elements = 0;

/** The results of a node whose shapes and attributes are numbers. */
export function computed(node: Node, operands: readonly HostTensor[]): readonly HostTensor[] {
  const key = [
    node.op.name,
    printAttributes(node.attributes),
    ...node.results.map(({ type }) => printType(type)),
    ...operands.map(contentHash),
  ].join("|");
  const known = remembered.get(key);
  if (known !== undefined && isSame(known, node, operands)) {
    remembered.delete(key);
    remembered.set(key, known);
    return known.results;
  }
  const results = runNode(node, operands, new Map(), new CountingMeter());
  keep(key, { op: node.op, operands, results });
  return results;
}

function isSame(known: Computation, { op }: Node, operands: readonly HostTensor[]): boolean {
  return known.op === op && known.operands.every((tensor, at) => isEqual(tensor, operands[at]));
}

function isEqual(a: HostTensor, b: HostTensor | undefined): boolean {
  return b !== undefined && (a === b || sameContent(a, b));
}

function keep(key: string, computation: Computation): void {
  const earlier = remembered.get(key);
  if (earlier !== undefined) elements -= sizeOf(earlier);
  remembered.delete(key);
  remembered.set(key, computation);
  elements += sizeOf(computation);
  for (const [oldest, old] of remembered) {
    if (elements <= mostElements) return;
    remembered.delete(oldest);
    elements -= sizeOf(old);
  }
}

function sizeOf({ results }: Computation): number {
  return results.reduce((sum, { data }) => sum + data.length, 0);
}
