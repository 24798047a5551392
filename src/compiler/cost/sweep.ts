/**
 * Many variants of one model, measured.
 *
 * Owns: laying a model out as seldom as possible. Ratios and integers that vary are left open and their
 * expressions evaluated; what can't be left open, and the two ends of a ratio (where the layout may
 * differ), is laid out for each of its values. A layout is shared by all variants that agree on it.
 */
import type { StaticParameter } from "../../lang/ast.ts";
import { DiagnosticError, DiagnosticSink } from "../../lang/diagnostic.ts";
import { canStayOpen } from "../../lang/model.ts";
import type { Program } from "../../lang/program.ts";
import { type Axis, mostVariants, type SweepValue } from "./axes.ts";
import { checkGiven, costFailure, type Given } from "./bindings.ts";
import type { Convention } from "./conventions.ts";
import { type Column, type Measurement, measurementsOf } from "./measurement.ts";
import { type MeasureName, Measures } from "./measures.ts";
import { costModel } from "./model-cost.ts";

export interface SweepRequest {
  readonly model: string | undefined;
  /** Which entries to measure; all of the model when left out. */
  readonly entries: readonly string[] | undefined;
  readonly settings: ReadonlyMap<string, string>;
  readonly given: Given;
  readonly tokens: number | undefined;
  readonly axes: readonly Axis[];
  readonly measures: readonly MeasureName[];
  readonly convention: Convention;
}

export interface Variant {
  /** One for each axis. */
  readonly at: readonly SweepValue[];
  /** One for each column. */
  readonly values: readonly number[];
}

export interface Sweep {
  readonly model: string;
  readonly convention: Convention;
  /** What all variants were set to or bound to, as it was written. */
  readonly settings: ReadonlyMap<string, string>;
  readonly axes: readonly Axis[];
  readonly columns: readonly Column[];
  readonly variants: readonly Variant[];
  /** How often the model was laid out. */
  readonly layouts: number;
}

/** @throws DiagnosticError when a value fits no parameter, a layout fails, or something stays open */
export function sweepModel(
  program: Program,
  parameters: readonly StaticParameter[],
  request: SweepRequest,
): Sweep {
  const total = request.axes.reduce((product, axis) => product * axis.values.length, 1);
  if (total > mostVariants) {
    throw costFailure("sweep-too-large", `This sweep has ${total} variants; ${mostVariants} are the most.`);
  }
  const layouts = new Layouts(program, parameters, request);
  let columns: readonly Column[] | undefined;
  const variants = combinations(request.axes.map((axis) => axis.values)).map((at): Variant => {
    const layout = layouts.of(at);
    columns ??= layout.columns;
    return { at, values: layout.measure(at) };
  });
  return {
    model: layouts.model,
    convention: request.convention,
    settings: request.settings,
    axes: request.axes,
    columns: columns ?? [],
    variants,
    layouts: layouts.count,
  };
}

function combinations<T>(lists: readonly (readonly T[])[]): T[][] {
  return lists.reduce<T[][]>(
    (all, list) => all.flatMap((before) => list.map((item) => [...before, item])),
    [[]],
  );
}

/** The layouts of a sweep by what had to be decided for them. */
class Layouts {
  readonly #program: Program;
  readonly #request: SweepRequest;
  readonly #known = new Map<string, Layout>();
  /** Of the parameters that can be left open: `ratio` or `int`. */
  readonly #types: ReadonlyMap<string, string>;
  /** Parameters that vary and are left open: integers last, which are given up first. */
  #open: readonly string[];

  constructor(program: Program, parameters: readonly StaticParameter[], request: SweepRequest) {
    this.#program = program;
    this.#request = request;
    this.#types = new Map(
      parameters
        .filter(canStayOpen)
        .map(({ name, type }) => [name.name, type.kind === "named-type" ? type.name.name : ""] as const),
    );
    const isRatio = (name: string): boolean => this.#types.get(name) === "ratio";
    this.#open = request.axes
      .filter(({ name, kind, values }) => kind === "parameter" && values.length > 1 && this.#types.has(name))
      .map((axis) => axis.name)
      .sort((a, b) => Number(isRatio(b)) - Number(isRatio(a)));
  }

  get count(): number {
    return this.#known.size;
  }

  get model(): string {
    return [...this.#known.values()][0]?.measures.model.model ?? "";
  }

  of(at: readonly SweepValue[]): Layout {
    for (;;) {
      const open = this.#open.filter((name) => this.#staysOpen(name, at));
      const key = JSON.stringify([open, this.#decided(at, open)]);
      const known = this.#known.get(key);
      if (known !== undefined) return known;
      const made = this.#layOut(at, open);
      if (made !== undefined) {
        this.#known.set(key, made);
        return made;
      }
      // Something depends on a value that was left open: it is decided from now on.
      const given = open.at(-1);
      this.#open = this.#open.filter((name) => name !== given);
    }
  }

  #decided(at: readonly SweepValue[], open: readonly string[]): (readonly [string, string])[] {
    return this.#request.axes.flatMap(({ name, kind }, i) =>
      kind === "parameter" && !open.includes(name) ? [[name, at[i]?.text ?? ""] as const] : [],
    );
  }

  /** A ratio's ends may be laid out differently; an integer below 1 is no size. */
  #staysOpen(name: string, at: readonly SweepValue[]): boolean {
    const value = at[this.#request.axes.findIndex((axis) => axis.name === name)]?.value;
    if (value === undefined) return false;
    return this.#types.get(name) === "ratio" ? value > 0 && value < 1 : Number.isInteger(value) && value >= 1;
  }

  #layOut(at: readonly SweepValue[], open: readonly string[]): Layout | undefined {
    const { model, entries, settings } = this.#request;
    const sink = new DiagnosticSink();
    const request = { model, entries, open, settings: new Map([...settings, ...this.#decided(at, open)]) };
    const counted = costModel(this.#program, request, sink);
    if (counted !== undefined && !sink.hasErrors) {
      return new Layout(new Measures(counted, this.#request.convention), this.#request);
    }
    if (open.length > 0) return undefined;
    throw new DiagnosticError(sink.sorted());
  }
}

class Layout {
  readonly measures: Measures;
  readonly #request: SweepRequest;
  readonly #measurements: readonly Measurement[];
  readonly #open: ReadonlySet<string>;
  #checked = false;

  constructor(measures: Measures, request: SweepRequest) {
    this.measures = measures;
    this.#request = request;
    const hasTokens = request.tokens !== undefined || request.axes.some((axis) => axis.name === "tokens");
    this.#measurements = measurementsOf(measures, request.measures, hasTokens);
    this.#open = new Set(measures.model.entries.flatMap((entry) => entry.symbols.map((s) => s.name)));
  }

  get columns(): readonly Column[] {
    return this.#measurements.map((measurement) => measurement.column);
  }

  measure(at: readonly SweepValue[]): number[] {
    const { given, axes, tokens } = this.#request;
    const bindings = new Map(given.at);
    let seconds = given.seconds;
    let written = tokens;
    for (const [i, { name, kind }] of axes.entries()) {
      const value = at[i]?.value;
      if (value === undefined) continue;
      if (this.#open.has(name)) bindings.set(name, value);
      else if (kind === "binding" && name === "seconds") seconds = value;
      else if (kind === "binding" && name === "tokens") written = value;
      else if (kind === "binding") bindings.set(name, value);
    }
    const whole = { at: bindings, seconds };
    if (!this.#checked) checkGiven(this.measures.model.entries, whole);
    this.#checked = true;
    return this.#measurements.map((measurement) => measurement.measure(whole, written));
  }
}
