/**
 * Under which headings a node is counted: its place in the tree, its component, block and kind of work.
 *
 * Owns: these four readings of where a node was made (its blocks) and of what its op's record says.
 */
import type { BlockKind } from "../../lang/ast.ts";
import type { BlockFrame } from "../../lang/emitter.ts";
import type { Node, Value } from "../graph.ts";

/** In the order of reports. */
export const workKinds = [
  "linear",
  "convolution",
  "attention",
  "scan",
  "norm",
  "elementwise",
  "reduction",
  "selection",
  "movement",
  "pruning",
] as const;

/**
 * `linear`: products with learned or constant matrices. `attention`: products of two activations,
 * and softmax. `scan`: recurrences. `pruning`: whatever a policy does: scores, selection, gathering.
 */
export type WorkKind = (typeof workKinds)[number];

const componentKinds: ReadonlySet<BlockKind> = new Set(["frontend", "encoder", "connector", "decoder"]);

/** The blocks at work, outermost first. */
function framesOf(frame: BlockFrame | undefined): readonly BlockFrame[] {
  const frames: BlockFrame[] = [];
  for (let use = frame; use !== undefined; use = use.outer) frames.push(use);
  return frames.reverse();
}

/**
 * The segments of the path, and the name of the block that computes there without a place of its own
 * (bound by `let`): `blocks.3.Attention`.
 */
export function pathOf(path: string, frame: BlockFrame | undefined): readonly string[] {
  const segments = path === "" ? [] : path.split(".");
  const there: BlockFrame[] = [];
  for (let use = frame; use !== undefined && use.path === path; use = use.outer) {
    if (use.declaration.blockKind !== "model") there.push(use);
  }
  // The outermost of them is whose place it is; the model's own place is the root.
  const inside = path === "" ? there.at(-1) : there.at(-2);
  return inside === undefined ? segments : [...segments, inside.declaration.name.name];
}

/**
 * The policy, else the outermost front end, encoder, connector or decoder; what belongs to none is
 * called by the first segment of its path.
 */
export function componentOf(frame: BlockFrame | undefined, path: readonly string[]): string {
  const frames = framesOf(frame);
  const policy = frames.find((use) => use.declaration.blockKind === "policy");
  const component = policy ?? frames.find((use) => componentKinds.has(use.declaration.blockKind));
  if (component !== undefined) return `${component.declaration.blockKind} ${component.declaration.name.name}`;
  return path.find((segment) => !/^\d+$/.test(segment)) ?? "model";
}

/** The innermost block. */
export function blockOf(frame: BlockFrame | undefined): string {
  return frame?.declaration.name.name ?? "model";
}

export function workKind({ op, operands, provenance }: Node, given: ReadonlySet<Value>): WorkKind {
  for (let use = provenance.frame; use !== undefined; use = use.outer) {
    if (use.declaration.blockKind === "policy") return "pruning";
  }
  if (op.accounting.family !== undefined) return op.accounting.family;
  switch (op.lowering.kind) {
    case "contract":
      return operands.slice(0, 2).every((value) => !given.has(value)) ? "attention" : "linear";
    case "row":
      // Norms have weights to scale by; softmax takes one operand and is attention's.
      return op.roles.includes("weight") ? "norm" : "attention";
    case "map":
    case "source":
      return "elementwise";
    case "fold":
      return "reduction";
    case "scan":
    case "kernel":
      return "scan";
    case "select":
      return "selection";
    case "view":
      return "movement";
  }
}
