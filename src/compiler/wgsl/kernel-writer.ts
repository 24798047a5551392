/**
 * Writes the text of one kernel.
 *
 * Owns: bindings, the numbers that come with a dispatch, names, and scopes. What is named goes into
 * the outermost scope that knows its parts, so that a loop holds only what changes in it. Knows nothing
 * of graphs: readers and kernels say what to write.
 */
import { Dim, productDims } from "../../lang/dims.ts";
import type { DType } from "../../lang/types.ts";
import { internalFault } from "../fault.ts";
import type { PlanBinding, PlanKernel, PlanPlace, StoredDType } from "../plan.ts";
import { accessors, type Binding, elementType } from "./buffer-access.ts";
import { functions, functionsOf } from "./functions.ts";
import { Position } from "./position.ts";

export type ScalarType = "f32" | "i32" | "bool";
export type Lanes = 1 | 4;

/** An expression of the kernel's, and the scope in which it can first be computed. */
export interface Term {
  readonly text: string;
  readonly type: ScalarType;
  readonly lanes: Lanes;
  readonly depth: number;
}

/** A tensor in a buffer. */
export interface Located {
  readonly place: PlanPlace;
  /** Of a weight: several when no device would let all of it be one binding. */
  readonly parts?: readonly Part[] | undefined;
  readonly dtype: DType;
  readonly stored: StoredDType;
  readonly shape: readonly Dim[];
  readonly strides: readonly Dim[];
  readonly offset: Dim;
  /** Of codes: `depth` elements, `inner` apart, share a scale. */
  readonly rows?: { readonly depth: number; readonly inner: number } | undefined;
}

/** A part of a tensor, from its element number `first` on: a multiple of four. */
export interface Part {
  readonly place: PlanPlace;
  readonly first: number;
  /** Of codes: where the scales are, and the number of the first. */
  readonly scales?: { readonly start: number; readonly first: number } | undefined;
}

interface Scope {
  readonly lines: string[];
  readonly terms: Map<string, Term>;
  /** Reads in it must stay in it: outside, they may be outside their buffer. */
  readonly conditional: boolean;
}

export const scalarTypeOf = (dtype: DType): ScalarType =>
  dtype === "bool" ? "bool" : dtype === "i64" || dtype === "i32" ? "i32" : "f32";

export const typeText = (type: ScalarType, lanes: Lanes): string => (lanes === 1 ? type : `vec4<${type}>`);

export interface WrittenKernel {
  readonly kernel: PlanKernel;
  readonly places: readonly PlanBinding[];
  readonly sizes: readonly Dim[];
}

export class KernelWriter {
  readonly workgroup: readonly [number, number, number];
  readonly #bindings = new Map<string, Binding>();
  readonly #sizes = new Map<string, { readonly dim: Dim; readonly number: number }>();
  readonly #scopes: Scope[] = [{ lines: [], terms: new Map(), conditional: false }];
  readonly #depths = new Map<string, number>();
  readonly #shared: string[] = [];
  readonly #features = new Set<PlanKernel["features"][number]>();
  readonly #counts = new Map<string, number>();
  /** How often the loops around turn, outermost first. */
  readonly #turns: Dim[] = [];
  #again = Dim.of(0);
  #invocations: Dim | undefined;
  #sharedBytes = 0;
  #loads = { one: 0, four: 0 };

  constructor(workgroup: readonly [number, number, number]) {
    this.workgroup = workgroup;
    for (const name of ["local", "group.x", "group.y", "group.z"]) this.#depths.set(name, 0);
  }

  get depth(): number {
    return this.#scopes.length - 1;
  }

  /** How many reads of one and of four elements were written. */
  get loads(): { readonly one: number; readonly four: number } {
    return { ...this.#loads };
  }

  get #scope(): Scope {
    const scope = this.#scopes.at(-1);
    if (scope === undefined) throw internalFault("a kernel has no scope");
    return scope;
  }

  fresh(prefix: string): string {
    const count = this.#counts.get(prefix) ?? 0;
    this.#counts.set(prefix, count + 1);
    return `${prefix}${count}`;
  }

  line(text: string): void {
    this.#scope.lines.push(text);
  }

  /** A name for the term, unless it is one; the same name for the same text. */
  named(term: Term, prefix = "v"): Term {
    if (/^[\w.]+$/.test(term.text)) return term;
    return this.remember(`${typeText(term.type, term.lanes)} ${term.text}`, () => term, prefix);
  }

  /** What `make` gave for this key in this scope or one around it, named. */
  remember(key: string, make: () => Term, prefix = "v"): Term {
    for (const scope of this.#scopes) {
      const known = scope.terms.get(key);
      if (known !== undefined) return known;
    }
    const term = make();
    const { depth } = term;
    const scope = this.#scopes[depth] ?? this.#scope;
    const name = this.fresh(prefix);
    scope.lines.push(`let ${name} = ${term.text};`);
    const result = { ...term, text: name };
    this.#depths.set(name, depth);
    scope.terms.set(key, result);
    return result;
  }

  variable(prefix: string, type: ScalarType, initial: string, lanes: Lanes = 1): string {
    const name = this.fresh(prefix);
    this.line(`var ${name}: ${typeText(type, lanes)} = ${initial};`);
    return name;
  }

  /** A name of its own for the term as it is now. */
  copied(term: Term, prefix: string): Term {
    const name = this.fresh(prefix);
    this.line(`let ${name} = ${term.text};`);
    this.#depths.set(name, this.depth);
    return { ...term, text: name, depth: this.depth };
  }

  /** A coordinate from an expression over the builtins or over other names. */
  coordinate(prefix: string, text: string, extent: Dim, step = 1): Position {
    if (extent.constant === 1) return Position.of(0);
    const name = this.fresh(prefix);
    this.line(`let ${name} = ${text};`);
    this.#depths.set(name, this.depth);
    return Position.name(name, extent, step);
  }

  /** A loop over [0, extent) in steps. */
  loop(prefix: string, extent: Dim, step: number, body: (at: Position, name: string) => void): void {
    this.range(prefix, "0", this.size(extent), extent, step, body);
  }

  /**
   * A loop between ends that the kernel computes.
   * @param multiple what its name is always a multiple of: the step, where `from` is one too
   */
  range(
    prefix: string,
    from: string,
    to: string,
    extent: Dim,
    step: number,
    body: (at: Position, name: string) => void,
    multiple = step,
  ): void {
    const name = this.fresh(prefix);
    this.#turns.push(extent.ceilDivide(step));
    this.block(`for (var ${name} = ${from}; ${name} < ${to}; ${name} += ${step})`, false, () => {
      this.#depths.set(name, this.depth);
      body(Position.name(name, extent, multiple), name);
    });
    this.#turns.pop();
  }

  /** How many invocations do work. */
  runs(invocations: Dim): void {
    this.#invocations = invocations;
  }

  /** Says that so many multiply-adds are written here of a product that another kernel computes too. */
  repeatsMac(count: number): void {
    this.#again = this.#again.add(productDims(this.#turns).mul(count));
  }

  /** Multiply-adds of products that other kernels compute too, by all invocations. */
  get repeated(): Dim {
    if (this.#again.constant === 0) return this.#again;
    if (this.#invocations === undefined) throw internalFault("a kernel does not say how often it runs");
    return this.#again.mul(this.#invocations);
  }

  block(head: string, conditional: boolean, body: () => void): void {
    const lines = this.#linesOf(conditional, body);
    this.line(`${head} {`);
    for (const line of lines) this.line(`  ${line}`);
    this.line("}");
  }

  /** Both ways of a condition. What either of them needs from outside is written ahead of both. */
  either(condition: string, whenTrue: () => void, whenFalse: () => void): void {
    const first = this.#linesOf(true, whenTrue);
    const second = this.#linesOf(true, whenFalse);
    this.line(`if (${condition}) {`);
    for (const line of first) this.line(`  ${line}`);
    this.line("} else {");
    for (const line of second) this.line(`  ${line}`);
    this.line("}");
  }

  #linesOf(conditional: boolean, body: () => void): readonly string[] {
    const inner: Scope = { lines: [], terms: new Map(), conditional };
    this.#scopes.push(inner);
    body();
    this.#scopes.pop();
    return inner.lines;
  }

  /** A value that differs between two ways to compute it. */
  branch(condition: Term, type: ScalarType, whenTrue: () => string, whenFalse: () => string): Term {
    const name = this.fresh("w");
    this.line(`var ${name}: ${type};`);
    this.either(
      condition.text,
      () => this.line(`${name} = ${whenTrue()};`),
      () => this.line(`${name} = ${whenFalse()};`),
    );
    this.#depths.set(name, this.depth);
    return { text: name, type, lanes: 1, depth: this.depth };
  }

  /** A dimension: a number, or one of the dispatch's. */
  size(dim: Dim): string {
    if (dim.constant !== undefined) return integerText(dim.constant);
    const key = `${dim}`;
    const known = this.#sizes.get(key);
    const number = known?.number ?? this.#sizes.size;
    if (known === undefined) this.#sizes.set(key, { dim, number });
    return `size${number}`;
  }

  position(position: Position): Term {
    const parts = new Map<number, string[]>();
    for (const { atom, key, coefficient } of position.terms) {
      let text: string;
      let depth: number;
      if (atom.kind === "name") {
        text = atom.name;
        depth = this.#depths.get(atom.name) ?? this.depth;
      } else {
        const term = this.remember(
          `i32 ${key}`,
          () => {
            const of = this.position(atom.of);
            const sign = atom.kind === "div" ? "/" : "%";
            return { ...of, text: `(${of.text} ${sign} ${this.size(atom.by)})` };
          },
          "q",
        );
        text = term.text;
        depth = term.depth;
      }
      const scaled = coefficient.constant === 1 ? text : `${text} * ${this.size(coefficient)}`;
      parts.set(depth, [...(parts.get(depth) ?? []), scaled]);
    }
    const offset = position.offset.constant === 0 ? [] : [this.size(position.offset)];
    if (parts.size === 0) return { text: offset[0] ?? "0", type: "i32", lanes: 1, depth: 0 };
    const depths = [...parts.keys()].sort((a, b) => a - b);
    let sum = offset;
    let term: Term = { text: "0", type: "i32", lanes: 1, depth: 0 };
    for (const depth of depths) {
      sum = [...sum, ...(parts.get(depth) ?? [])];
      const text = sum.length === 1 ? (sum[0] ?? "0") : `(${sum.join(" + ")})`;
      term = { text, type: "i32", lanes: 1, depth };
      if (depth !== depths.at(-1)) {
        term = this.named(term, "p");
        sum = [term.text];
      }
    }
    return term;
  }

  /** An element, or four in a row when the position is a multiple of four. */
  load(from: Located, at: Position, lanes: Lanes): Term {
    const quarter = lanes === 4 ? this.#quarter(at) : undefined;
    const position = this.position(quarter ?? at);
    const number = this.#bind(from, lanes);
    this.#loads[lanes === 4 ? "four" : "one"]++;
    const inside = this.#scopes.findLastIndex(({ conditional }) => conditional);
    const type = scalarTypeOf(from.dtype);
    const read = quarter !== undefined ? `quad${number}` : lanes === 4 ? `four${number}` : `one${number}`;
    const depth = Math.max(position.depth, inside);
    return { text: `${read}(${position.text})`, type, lanes, depth };
  }

  /** The scale of a row of codes, or of the four that start there. */
  scale(from: Located, at: Position, lanes: Lanes): Term {
    const position = this.position(at);
    const read = lanes === 4 ? "scale_four" : "scale";
    const text = `${read}${this.#bind(from, 1)}(${position.text})`;
    const inside = this.#scopes.findLastIndex(({ conditional }) => conditional);
    const depth = Math.max(position.depth, inside);
    return this.remember(`f32 ${text}`, () => ({ text, type: "f32", lanes, depth }), "s");
  }

  store(to: Located, at: Position, value: Term): void {
    const number = this.#bind(to, value.lanes);
    const quarter = value.lanes === 4 ? this.#quarter(at) : undefined;
    const position = this.position(quarter ?? at);
    const put =
      quarter !== undefined ? `put_quad${number}` : value.lanes === 4 ? `put_four${number}` : `put${number}`;
    this.line(`${put}(${position.text}, ${value.text});`);
  }

  /** Which four of a buffer of fours, so that the loops around a read need not divide. */
  #quarter(at: Position): Position | undefined {
    return at.quarter((name, extent) => {
      const depth = this.#depths.get(name) ?? this.depth;
      const text = this.named({ text: `(${name} >> 2u)`, type: "i32", lanes: 1, depth }, "q").text;
      return Position.name(text, extent);
    });
  }

  /** Has the kernel compile on devices with a feature alone. */
  require(feature: PlanKernel["features"][number]): void {
    this.#features.add(feature);
  }

  /** Memory that the workgroup shares. */
  shared(type: string, count: number, bytes: number): string {
    const name = this.fresh("shared");
    this.#shared.push(`var<workgroup> ${name}: array<${type}, ${count}>;`);
    this.#sharedBytes += bytes;
    return name;
  }

  finish(label: string): WrittenKernel {
    const body = this.#scopes[0]?.lines ?? [];
    const text = body.join("\n");
    const bindings = [...this.#bindings.values()];
    const firsts: number[] = [];
    let bound = 0;
    for (const { parts } of bindings) {
      firsts.push(bound);
      bound += parts.length;
    }
    const access = bindings.map((binding, number) => accessors(binding, number, firsts[number] ?? 0, text));
    const used = functionsOf([text, ...access].join("\n"));
    const sizes = [...this.#sizes.values()].map(({ dim }) => dim);
    const places = bindings.flatMap(({ parts }) => parts.map(({ place }) => place));
    const header = bindings.flatMap((of, binding) =>
      of.parts.map(({ place }, part) => {
        const number = (firsts[binding] ?? 0) + part;
        const usage = place.kind === "weight" ? "read" : "read_write";
        return `@group(0) @binding(${number}) var<storage, ${usage}> b${number}: array<${elementType(of)}>;`;
      }),
    );
    if (sizes.length > 0) {
      header.push(`struct Sizes { v: array<vec4<i32>, ${Math.ceil(sizes.length / 4)}> }`);
      header.push(`@group(0) @binding(${places.length}) var<uniform> sizes: Sizes;`);
    }
    const names = sizes.map((_, i) => `  let size${i} = sizes.v[${i >> 2}].${"xyzw"[i & 3]};`);
    const [x, y, z] = this.workgroup;
    const hasSubgroups = this.#features.has("subgroups");
    const code = [
      ...(this.#features.has("shader-f16") ? ["enable f16;"] : []),
      ...(hasSubgroups ? ["enable subgroups;"] : []),
      ...header,
      ...this.#shared,
      ...access,
      ...used.map((name) => functions[name]),
      `@compute @workgroup_size(${x}, ${y}, ${z})`,
      `fn main(@builtin(local_invocation_index) local_index: u32, @builtin(workgroup_id) group_id: vec3<u32>${hasSubgroups ? ", @builtin(subgroup_invocation_id) lane_index: u32, @builtin(subgroup_size) lane_count: u32" : ""}) {`,
      "  let local = i32(local_index);",
      ...(hasSubgroups ? ["  let lane = i32(lane_index);", "  let lanes = i32(lane_count);"] : []),
      "  let group = vec3<i32>(group_id);",
      ...names,
      ...body.map((line) => `  ${line}`),
      "}",
      "",
    ].join("\n");
    return {
      kernel: {
        label,
        code,
        workgroup: this.workgroup,
        bindings: [
          ...places.map(({ kind }) => (kind === "weight" ? ("read" as const) : ("read-write" as const))),
          ...(sizes.length > 0 ? (["sizes"] as const) : []),
        ],
        features: [...this.#features],
        workgroupBytes: this.#sharedBytes,
      },
      places: places.map((place) => ({ place })),
      sizes,
    };
  }

  #bind(at: Located, lanes: Lanes): number {
    const key = JSON.stringify(at.place);
    const known = this.#bindings.get(key);
    const { place, parts = [{ place, first: 0 }], dtype, stored } = at;
    const binding = known ?? { parts, type: scalarTypeOf(dtype), stored, vector: false };
    if (lanes === 4) binding.vector = true;
    if (known === undefined) this.#bindings.set(key, binding);
    return [...this.#bindings.keys()].indexOf(key);
  }
}

export function integerText(value: number): string {
  return value < 0 ? `(${value})` : `${value}`;
}
