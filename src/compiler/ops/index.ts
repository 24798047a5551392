/**
 * THE list of ops, and the catalogue made of it.
 *
 * Owns: which ops there are. An op is added by its record and one line here.
 */
import type { OpCatalog } from "../../lang/catalog.ts";
import { binaryOps } from "./binary.ts";
import { causalConv } from "./causal-conv.ts";
import { chooseOps } from "./choose.ts";
import { contractOps } from "./convolution.ts";
import { cutOps } from "./cut.ts";
import { frame } from "./frame.ts";
import { gatherOps } from "./gather.ts";
import { matmul } from "./matmul.ts";
import { rowOps } from "./normalize.ts";
import type { OpDefinition } from "./op.ts";
import { orderOps } from "./order.ts";
import { reduceOps } from "./reduce.ts";
import { arrangementOps } from "./reshape.ts";
import { sourceOps } from "./sources.ts";
import { ssd } from "./ssd/index.ts";
import { storedOps } from "./stored.ts";
import { unaryOps } from "./unary.ts";

export const ops: readonly OpDefinition[] = [
  ...sourceOps,
  ...unaryOps,
  ...binaryOps,
  ...chooseOps,
  ...arrangementOps,
  ...cutOps,
  frame,
  ...reduceOps,
  matmul,
  ...contractOps,
  causalConv,
  ssd,
  ...rowOps,
  ...gatherOps,
  ...orderOps,
  ...storedOps,
];

/** Throws when two ops have one name. */
export function byName(list: readonly OpDefinition[]): ReadonlyMap<string, OpDefinition> {
  const found = new Map<string, OpDefinition>();
  for (const op of list) {
    if (found.has(op.name)) throw new Error(`two ops are called ${op.name}`);
    found.set(op.name, op);
  }
  return found;
}

const named = byName(ops);

export function findOp(name: string): OpDefinition | undefined {
  return named.get(name);
}

export const catalog: OpCatalog = Object.freeze({
  find: findOp,
  names: () => [...named.keys()],
});
