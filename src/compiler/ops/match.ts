/**
 * Matching shapes to a signature, and saying precisely why they do not match.
 *
 * Owns: what the dimension variables of a signature stand for, where each came from, the conditions
 * under which the match holds, and the words of a refusal. Two dimensions that can be neither proved
 * equal nor proved different give a condition; only a difference that is a number refuses.
 */
import type { DimSource, OpProblem, Requirement } from "../../lang/catalog.ts";
import { Dim } from "../../lang/dims.ts";
import { printShape, type TensorType } from "../../lang/types.ts";
import { type DimPattern, type OperandPattern, printDims, type Signature } from "./signature.ts";

/** A dimension and the operand axis it was read from, or `undefined` when it was computed. */
export interface SourcedDim {
  readonly dim: Dim;
  readonly source: DimSource | undefined;
}

/** Thrown by rules, caught by `infer` (define.ts) and nowhere else. */
export class Refusal extends Error {
  readonly problem: OpProblem;

  constructor(problem: OpProblem) {
    super(problem.message);
    this.problem = problem;
  }
}

export function refuse(problem: Omit<OpProblem, "operands"> & { operands?: readonly DimSource[] }): never {
  throw new Refusal({ operands: [], ...problem });
}

/** A dimension that no operand gives. */
export function computed(dim: Dim | number): SourcedDim {
  return { dim: typeof dim === "number" ? Dim.of(dim) : dim, source: undefined };
}

export class Match {
  readonly operands: readonly TensorType[];
  readonly signature: Signature;
  readonly requirements: Requirement[] = [];
  readonly #one = new Map<string, SourcedDim>();
  readonly #many = new Map<string, readonly SourcedDim[]>();

  constructor(signature: Signature, operands: readonly TensorType[]) {
    this.signature = signature;
    this.operands = operands;
    this.#matchAll();
  }

  /** What the variable of one dimension stands for. */
  dim(name: string): Dim {
    return this.sourcedDim(name).dim;
  }

  sourcedDim(name: string): SourcedDim {
    const found = this.#one.get(name);
    if (!found) throw new Error(`"${this.signature.text}" leaves ${name} unbound`);
    return found;
  }

  sourcedDims(name: string): readonly SourcedDim[] {
    const found = this.#many.get(name);
    if (!found) throw new Error(`"${this.signature.text}" leaves *${name} unbound`);
    return found;
  }

  /** Every dimension of an operand, each from its axis. */
  shape(operand: number): readonly SourcedDim[] {
    return (this.operands[operand]?.shape ?? []).map((dim, axis) => ({ dim, source: { operand, axis } }));
  }

  /** Binds what a record's `solve` found. */
  bind(solved: Readonly<Record<string, SourcedDim | readonly SourcedDim[]>>): void {
    for (const [name, value] of Object.entries(solved)) {
      if ("dim" in value) this.#one.set(name, value);
      else this.#many.set(name, value);
    }
  }

  resolve(patterns: readonly DimPattern[]): readonly SourcedDim[] {
    return patterns.flatMap((pattern) => {
      if (pattern.kind === "anything")
        throw new Error(`"${this.signature.text}" has a result without a name`);
      return pattern.kind === "one" ? [this.sourcedDim(pattern.name)] : this.sourcedDims(pattern.name);
    });
  }

  /** Holds two dimensions equal: proved, refused, or written down as a condition. */
  equal(what: string, first: SourcedDim, second: SourcedDim): SourcedDim {
    if (first.dim.equals(second.dim)) return first;
    const reason = `${what} is ${first.dim}${this.#place(first)} and ${second.dim}${this.#place(second)}`;
    if (first.dim.sub(second.dim).constant !== undefined) {
      refuse({
        message: reason,
        operands: places(first, second),
        expected: first.dim,
        found: second.dim,
      });
    }
    this.requirements.push({ kind: "equal", left: first.dim, right: second.dim, reason });
    return first;
  }

  /** Holds left <= right. */
  atMost(left: SourcedDim, right: SourcedDim, reason: string, hint?: string): void {
    if (Dim.provablyAtMost(left.dim, right.dim)) return;
    if (Dim.provablyAtMost(right.dim.add(1), left.dim)) {
      refuse({
        message: `${reason}: ${left.dim} is more than ${right.dim}`,
        operands: places(right, left),
        expected: right.dim,
        found: left.dim,
        ...(hint === undefined ? {} : { hint }),
      });
    }
    this.requirements.push({ kind: "at-most", left: left.dim, right: right.dim, reason });
  }

  /** Holds that `divisor` divides `dim`, and returns the quotient. */
  divide(dim: SourcedDim, divisor: SourcedDim, reason: string): Dim {
    const exact = dim.dim.divideExactly(divisor.dim);
    if (exact) return exact;
    const [top, bottom] = [dim.dim.constant, divisor.dim.constant];
    if (top !== undefined && bottom !== undefined) {
      refuse({ message: `${reason}: ${top} is not a multiple of ${bottom}`, operands: places(dim, divisor) });
    }
    this.requirements.push({ kind: "divides", left: divisor.dim, right: dim.dim, reason });
    return dim.dim.floorDivide(divisor.dim);
  }

  /** Numpy's rule for two dimensions; a dimension repeats only where it is the number 1. */
  broadcast(first: SourcedDim, second: SourcedDim): SourcedDim {
    if (first.dim.constant === 1) return second;
    if (second.dim.constant === 1) return first;
    return this.equal("a dimension", first, second);
  }

  /** Numpy's rule for two shapes, aligned at the last axis. */
  broadcastAll(first: readonly SourcedDim[], second: readonly SourcedDim[]): readonly SourcedDim[] {
    const [long, short] = first.length >= second.length ? [first, second] : [second, first];
    const lead = long.length - short.length;
    return long.map((dim, axis) => {
      const other = short[axis - lead];
      if (other === undefined) return dim;
      return long === first ? this.broadcast(dim, other) : this.broadcast(other, dim);
    });
  }

  /** An operand with two `*` waits until another operand has given the length of one of them. */
  #matchAll(): void {
    let waiting = this.operands.map((_, operand) => operand);
    while (waiting.length > 0) {
      const ready = waiting.filter((operand) => this.#unknownLengths(this.#pattern(operand).dims) <= 1);
      if (ready.length === 0) throw new Error(`"${this.signature.text}" can be matched in more than one way`);
      for (const operand of ready) this.#matchOperand(operand);
      waiting = waiting.filter((operand) => !ready.includes(operand));
    }
  }

  #pattern(operand: number): OperandPattern {
    const patterns = this.signature.operands;
    const pattern = patterns[Math.min(operand, patterns.length - 1)];
    if (!pattern) throw new Error(`"${this.signature.text}" has no operand ${operand}`);
    return pattern;
  }

  #unknownLengths(dims: readonly DimPattern[]): number {
    return dims.filter((p) => p.kind !== "one" && !(p.kind === "many" && this.#many.has(p.name))).length;
  }

  #matchOperand(operand: number): void {
    const pattern = this.#pattern(operand);
    const shape = this.shape(operand);
    const flexible = this.#unknownLengths(pattern.dims) === 1;
    const fixed = pattern.dims.reduce((sum, p) => sum + this.#knownLength(p), 0);
    if (shape.length < fixed || (shape.length > fixed && !flexible))
      this.#refuseRank(operand, pattern, fixed);
    let axis = 0;
    for (const part of pattern.dims) {
      const known = part.kind === "many" ? this.#many.get(part.name)?.length : undefined;
      const count = part.kind === "one" ? 1 : (known ?? shape.length - fixed);
      this.#bindPart(part, shape.slice(axis, axis + count));
      axis += count;
    }
  }

  #knownLength(part: DimPattern): number {
    if (part.kind === "one") return 1;
    return part.kind === "many" ? (this.#many.get(part.name)?.length ?? 0) : 0;
  }

  #bindPart(part: DimPattern, dims: readonly SourcedDim[]): void {
    switch (part.kind) {
      case "anything":
        return;
      case "one": {
        const [dim] = dims;
        const bound = this.#one.get(part.name);
        if (dim && bound) this.equal(`\`${part.name}\``, bound, dim);
        else if (dim) this.#one.set(part.name, dim);
        return;
      }
      case "many": {
        const bound = this.#many.get(part.name);
        if (!bound) this.#many.set(part.name, dims);
        else
          dims.forEach((dim, at) => {
            const expected = bound[at];
            if (expected) this.equal(`a dimension of \`${part.name}\``, expected, dim);
          });
        return;
      }
      case "broadcast":
        this.#many.set(part.name, this.broadcastAll(this.#many.get(part.name) ?? [], dims));
    }
  }

  #refuseRank(operand: number, pattern: OperandPattern, fixed: number): never {
    const type = this.operands[operand];
    const shape = type ? printShape(type.shape) : "";
    const rank = type?.shape.length ?? 0;
    const wanted = this.#unknownLengths(pattern.dims) === 1 ? `at least ${fixed}` : `${fixed}`;
    refuse({
      message:
        `\`${pattern.name}\` has ${rank} dimension${rank === 1 ? "" : "s"}, ${shape}, ` +
        `where ${wanted} are needed: ${printDims(pattern.dims)}`,
      operands: [{ operand, axis: 0 }],
    });
  }

  #place(dim: SourcedDim): string {
    if (!dim.source) return "";
    const { operand, axis } = dim.source;
    const pattern = this.#pattern(operand);
    const nth = pattern.repeated ? ` ${operand - this.signature.operands.length + 2}` : "";
    return ` in \`${pattern.name}\`${nth} (axis ${axis})`;
  }
}

export function places(...dims: readonly SourcedDim[]): DimSource[] {
  return dims.flatMap((dim) => (dim.source ? [dim.source] : []));
}
