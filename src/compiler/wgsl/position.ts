/**
 * Where in a buffer a kernel reads: integer expressions over its coordinates.
 *
 * Owns: their canonical form, a sum of atoms with dimensions as coefficients, and what follows from
 * the coordinates' extents: quotients and remainders that a split or joined axis leaves disappear when
 * they can be shown to. Values are never negative inside a quotient or a remainder.
 */
import { Dim } from "../../lang/dims.ts";

export type Atom =
  /** A name of the kernel's, from 0 to below `extent`, and always a multiple of `step`. */
  | { readonly kind: "name"; readonly name: string; readonly extent: Dim; readonly step: number }
  | { readonly kind: "div" | "mod"; readonly of: Position; readonly by: Dim };

interface Term {
  readonly atom: Atom;
  readonly key: string;
  readonly coefficient: Dim;
}

const zero = Dim.of(0);
const one = Dim.of(1);

/** How a position changes while one name runs over four values, from a multiple of four. */
export type Slope = "same" | "next" | "other";

export class Position {
  readonly terms: readonly Term[];
  readonly offset: Dim;
  #key: string | undefined;

  private constructor(terms: readonly Term[], offset: Dim) {
    this.terms = terms;
    this.offset = offset;
  }

  static of(dim: Dim | number): Position {
    return new Position([], typeof dim === "number" ? Dim.of(dim) : dim);
  }

  /** A name that the kernel has defined. One that can only be 0 is 0. */
  static name(name: string, extent: Dim, step = 1): Position {
    if (extent.constant === 1) return Position.of(0);
    return Position.#atom({ kind: "name", name, extent, step }, name);
  }

  static #atom(atom: Atom, key: string): Position {
    return new Position([{ atom, key, coefficient: one }], zero);
  }

  /** Equal positions have equal keys. */
  get key(): string {
    this.#key ??= [
      ...this.terms.map(({ key, coefficient }) => `${coefficient}*${key}`),
      `${this.offset}`,
    ].join(" + ");
    return this.#key;
  }

  get constant(): number | undefined {
    return this.terms.length === 0 ? this.offset.constant : undefined;
  }

  add(other: Position | Dim | number): Position {
    if (!(other instanceof Position)) {
      return new Position(this.terms, this.offset.add(other));
    }
    const sums = new Map<string, Term>(this.terms.map((term) => [term.key, term]));
    for (const term of other.terms) {
      const known = sums.get(term.key);
      const coefficient = known === undefined ? term.coefficient : known.coefficient.add(term.coefficient);
      if (coefficient.constant === 0) sums.delete(term.key);
      else sums.set(term.key, { ...term, coefficient });
    }
    const terms = [...sums.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
    return new Position(terms, this.offset.add(other.offset)).#joined();
  }

  times(factor: Dim | number): Position {
    const dim = typeof factor === "number" ? Dim.of(factor) : factor;
    if (dim.constant === 0) return Position.of(0);
    if (dim.constant === 1) return this;
    const terms = this.terms.map((term) => ({ ...term, coefficient: term.coefficient.mul(dim) }));
    return new Position(terms, this.offset.mul(dim));
  }

  /** The quotient, rounded down. */
  div(by: Dim): Position {
    if (by.constant === 1) return this;
    const { whole, rest } = this.#split(by);
    if (rest.isBelow(by)) return whole;
    if (rest.terms.length === 0 && rest.offset.constant !== undefined && by.constant !== undefined)
      return whole.add(Math.floor(rest.offset.constant / by.constant));
    return whole.add(Position.#atom({ kind: "div", of: rest, by }, `(${rest.key} div ${by})`));
  }

  mod(by: Dim): Position {
    if (by.constant === 1) return Position.of(0);
    const { rest } = this.#split(by);
    if (rest.isBelow(by)) return rest;
    if (rest.terms.length === 0 && rest.offset.constant !== undefined && by.constant !== undefined)
      return Position.of(rest.offset.constant % by.constant);
    return Position.#atom({ kind: "mod", of: rest, by }, `(${rest.key} mod ${by})`);
  }

  /** Whether it lies in [0, bound) whatever the coordinates are. */
  isBelow(bound: Dim): boolean {
    const { least, most } = this.range();
    return (
      least !== undefined &&
      most !== undefined &&
      Dim.provablyAtMost(zero, least) &&
      Dim.provablyAtMost(most, bound.sub(1))
    );
  }

  /** Bounds that hold for all coordinates, where they can be told. */
  range(): { least: Dim | undefined; most: Dim | undefined } {
    let least: Dim | undefined = this.offset;
    let most: Dim | undefined = this.offset;
    for (const { atom, coefficient } of this.terms) {
      const top = largest(atom);
      const end = top?.mul(coefficient);
      if (Dim.provablyAtMost(zero, coefficient)) most = end === undefined ? undefined : most?.add(end);
      else if (Dim.provablyAtMost(coefficient, zero)) least = end === undefined ? undefined : least?.add(end);
      else return { least: undefined, most: undefined };
    }
    return { least, most };
  }

  /** How it changes while `name`, a multiple of four, runs over the next four. */
  slope(name: string): Slope {
    let next = 0;
    for (const { atom, coefficient } of this.terms) {
      const slope = slopeOf(atom, name);
      if (slope === "same") continue;
      if (slope === "other" || coefficient.constant !== 1) return "other";
      next++;
    }
    return next === 0 ? "same" : next === 1 ? "next" : "other";
  }

  /** Whether it is a multiple of `step` for all coordinates. */
  isMultipleOf(step: number): boolean {
    return (
      this.offset.divideExactly(step) !== undefined &&
      this.terms.every(({ atom, coefficient }) => {
        if (coefficient.divideExactly(step) !== undefined) return true;
        const { constant } = coefficient;
        return constant !== undefined && (stepOf(atom) * Math.abs(constant)) % step === 0;
      })
    );
  }

  /**
   * A quarter of a multiple of four, where its atoms have one: what `name` gives for a name that is a
   * multiple of four, and the rest by their coefficients.
   */
  quarter(name: (name: string, extent: Dim) => Position): Position | undefined {
    const offset = this.offset.divideExactly(4);
    if (offset === undefined) return undefined;
    let sum = Position.of(offset);
    for (const { atom, key, coefficient } of this.terms) {
      const part = coefficient.divideExactly(4);
      if (part !== undefined) {
        sum = sum.add(new Position([{ atom, key, coefficient: part }], zero));
        continue;
      }
      const own = quarterOf(atom, name);
      if (own === undefined) return undefined;
      sum = sum.add(own.times(coefficient));
    }
    return sum;
  }

  /** What does not depend on the names for which `inner` holds, and the rest. */
  partition(inner: (name: string) => boolean): { outer: Position; inner: Position } {
    const within = this.terms.filter(({ atom }) => namesOf(atom).some(inner));
    const without = this.terms.filter((term) => !within.includes(term));
    return { outer: new Position(without, this.offset), inner: new Position(within, zero) };
  }

  /** With `name` so much further. */
  substituted(name: string, by: number): Position {
    let sum = Position.of(this.offset);
    for (const { atom, key, coefficient } of this.terms) {
      if (atom.kind === "name") {
        const own = new Position([{ atom, key, coefficient }], zero);
        sum = sum.add(atom.name === name ? own.add(coefficient.mul(by)) : own);
      } else if (atom.of.names().includes(name)) {
        const of = atom.of.substituted(name, by);
        sum = sum.add((atom.kind === "div" ? of.div(atom.by) : of.mod(atom.by)).times(coefficient));
      } else sum = sum.add(new Position([{ atom, key, coefficient }], zero));
    }
    return sum;
  }

  /** By what a name is multiplied, where it is not inside a quotient or a remainder as well. */
  coefficientOf(name: string): Dim | undefined {
    const found = this.terms.filter(({ atom }) => namesOf(atom).includes(name));
    return found.length === 1 && found[0]?.atom.kind === "name" ? found[0].coefficient : undefined;
  }

  names(): readonly string[] {
    return this.terms.flatMap(({ atom }) => namesOf(atom));
  }

  #split(by: Dim): { whole: Position; rest: Position } {
    const whole: Term[] = [];
    const rest: Term[] = [];
    for (const term of this.terms) {
      const quotient = term.coefficient.divideExactly(by);
      if (quotient === undefined) rest.push(term);
      else whole.push({ ...term, coefficient: quotient });
    }
    const offset = this.offset.divideExactly(by);
    return {
      whole: new Position(whole, offset ?? zero),
      rest: new Position(rest, offset === undefined ? this.offset : zero),
    };
  }

  /** x mod d + d (x div d) is x. */
  #joined(): Position {
    for (const { atom, coefficient } of this.terms) {
      if (atom.kind !== "mod") continue;
      const wanted = `(${atom.of.key} div ${atom.by})`;
      const partner = this.terms.find(({ key }) => key === wanted);
      if (!partner?.coefficient.equals(coefficient.mul(atom.by))) continue;
      const others = this.terms.filter((term) => term !== partner && term.atom !== atom);
      return new Position(others, this.offset).add(atom.of.times(coefficient));
    }
    return this;
  }
}

function largest(atom: Atom): Dim | undefined {
  if (atom.kind === "name") return atom.extent.sub(1);
  if (atom.kind === "mod") return atom.by.sub(1);
  const { most } = atom.of.range();
  return most?.floorDivide(atom.by);
}

function stepOf(atom: Atom): number {
  if (atom.kind === "name") return atom.step;
  if (atom.kind === "div") return 1;
  for (const step of [16, 8, 4, 2]) {
    if (atom.by.divideExactly(step) !== undefined && atom.of.isMultipleOf(step)) return step;
  }
  return 1;
}

function quarterOf(atom: Atom, name: (name: string, extent: Dim) => Position): Position | undefined {
  if (atom.kind === "name") {
    return atom.step % 4 === 0 ? name(atom.name, atom.extent.ceilDivide(4)) : undefined;
  }
  // x mod 4d is 4 (x/4 mod d) where x is a multiple of four.
  const by = atom.by.divideExactly(4);
  if (atom.kind === "div" || by === undefined) return undefined;
  return atom.of.quarter(name)?.mod(by);
}

function slopeOf(atom: Atom, name: string): Slope {
  if (atom.kind === "name") return atom.name === name ? "next" : "same";
  const slope = atom.of.slope(name);
  if (slope === "same") return "same";
  // Four in a row that start at a multiple of four never cross a multiple of the divisor.
  if (slope !== "next" || atom.by.divideExactly(4) === undefined || !atom.of.isMultipleOf(4)) return "other";
  return atom.kind === "div" ? "same" : "next";
}

function namesOf(atom: Atom): readonly string[] {
  return atom.kind === "name" ? [atom.name] : atom.of.names();
}

export function flatPosition(at: readonly Position[], shape: readonly Dim[]): Position {
  return at.reduce((sum, position, axis) => sum.times(shape[axis] ?? one).add(position), Position.of(0));
}

export function unflattened(position: Position, shape: readonly Dim[]): Position[] {
  const at: Position[] = [];
  let rest = position;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis] ?? one;
    at.unshift(axis === 0 ? rest : rest.mod(size));
    rest = rest.div(size);
  }
  return at;
}
