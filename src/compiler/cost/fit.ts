/**
 * The change of one parameter that would bring a model into its budget.
 *
 * Owns: the search. A ratio or an integer is left open and the measure's expression evaluated, for the
 * value nearest to what it is now. An integer that can't stay open is laid out for the largest that fits,
 * of a choice every alternative is. A parameter on which nothing depends is passed over.
 */
import type { StaticParameter } from "../../lang/ast.ts";
import { DiagnosticError, DiagnosticSink } from "../../lang/diagnostic.ts";
import type { ModelOutline } from "../../lang/model.ts";
import type { BudgetLimit } from "../../lang/plans.ts";
import type { Program } from "../../lang/program.ts";
import { asNumber } from "../../lang/static-arithmetic.ts";
import type { Value } from "../../lang/value.ts";
import { type BudgetRequest, measureLimit } from "./limit.ts";
import { costModel, type ModelCost } from "./model-cost.ts";

export interface FittingChange {
  readonly parameter: StaticParameter;
  /** As it is written in the language. */
  readonly text: string;
  /** Of the measure, with the change. */
  readonly value: number;
  /** Whether it is the parameter's default that would have to change, and not a setting from outside. */
  readonly isDefault: boolean;
}

/** Tenths of a percent. */
const ratioSteps = 1000;

export function fittingChange(
  program: Program,
  outline: ModelOutline,
  request: BudgetRequest,
  limit: BudgetLimit,
): FittingChange | undefined {
  const { parameters } = outline.declaration;
  const search = new Search(program, request, limit);
  const inOrder = ["ratio", "int"].flatMap((kind) => parameters.filter((p) => typeName(p) === kind));
  for (const parameter of [...inOrder, ...parameters.filter((p) => p.type.kind === "union-type")]) {
    const current = outline.instance.scope.lookup(parameter.name.name)?.get();
    const found = search.along(parameter, current);
    if (found !== undefined) {
      return { parameter, ...found, isDefault: !request.settings.has(parameter.name.name) };
    }
  }
  return undefined;
}

function typeName({ type }: StaticParameter): string | undefined {
  return type.kind === "named-type" ? type.name.name : undefined;
}

type Found = Pick<FittingChange, "text" | "value">;

class Search {
  readonly #program: Program;
  readonly #request: BudgetRequest;
  readonly #limit: BudgetLimit;

  constructor(program: Program, request: BudgetRequest, limit: BudgetLimit) {
    this.#program = program;
    this.#request = request;
    this.#limit = limit;
  }

  along(parameter: StaticParameter, current: Value | undefined): Found | undefined {
    const now = current === undefined ? undefined : asNumber(current);
    if (parameter.type.kind === "union-type") return this.#choice(parameter, current);
    if (now === undefined) return undefined;
    if (typeName(parameter) === "ratio") {
      const candidates = Array.from({ length: ratioSteps - 1 }, (_, i) => (i + 1) / ratioSteps);
      return this.#nearest(parameter, now, candidates, (value) => `${Number((100 * value).toFixed(1))}%`);
    }
    const candidates = Array.from({ length: Math.min(now - 1, 4096) }, (_, i) => now - 1 - i);
    return this.#nearest(parameter, now, candidates, String) ?? this.#bisect(parameter, now);
  }

  /** The largest smaller integer that fits, of one that is laid out: a number of layers, mostly. */
  #bisect({ name }: StaticParameter, now: number): Found | undefined {
    let [low, high] = [1, now - 1];
    let best: Found | undefined;
    while (low <= high) {
      const middle = Math.floor((low + high) / 2);
      const settings = new Map([...this.#request.settings, [name.name, String(middle)]]);
      const model = this.#count({ open: [], settings });
      const value = model && this.#measure(model, new Map());
      if (value !== undefined && value <= this.#limit.limit) best = { text: String(middle), value };
      if (value === undefined || value <= this.#limit.limit) low = middle + 1;
      else high = middle - 1;
    }
    return best;
  }

  #nearest(
    { name }: StaticParameter,
    now: number,
    candidates: readonly number[],
    write: (value: number) => string,
  ): Found | undefined {
    // No size changes how many dispatches there are.
    if (this.#limit.measure === "dispatches") return undefined;
    const model = this.#count({ open: [name.name], settings: this.#request.settings });
    if (model === undefined) return undefined;
    const sorted = [...candidates].sort((a, b) => Math.abs(a - now) - Math.abs(b - now));
    for (const candidate of sorted) {
      const value = this.#measure(model, new Map([[name.name, candidate]]));
      if (value === undefined) return undefined;
      if (value <= this.#limit.limit) return { text: write(candidate), value };
    }
    return undefined;
  }

  /** The alternative that costs most of those that fit. */
  #choice({ name, type }: StaticParameter, current: Value | undefined): Found | undefined {
    if (type.kind !== "union-type") return undefined;
    let best: Found | undefined;
    for (const { value: option } of type.options) {
      if (current?.kind === "string" && current.value === option) continue;
      const model = this.#count({
        open: [],
        settings: new Map([...this.#request.settings, [name.name, option]]),
      });
      const value = model && this.#measure(model, new Map());
      if (value === undefined || value > this.#limit.limit) continue;
      if (best === undefined || value > best.value) best = { text: JSON.stringify(option), value };
    }
    return best;
  }

  #count(request: {
    readonly open: readonly string[];
    readonly settings: ReadonlyMap<string, string>;
  }): ModelCost | undefined {
    const settings = new Map([...request.settings].filter(([name]) => !request.open.includes(name)));
    const sink = new DiagnosticSink();
    const { model } = this.#request;
    const counted = costModel(this.#program, { model, open: request.open, settings }, sink);
    return sink.hasErrors ? undefined : counted;
  }

  #measure(model: ModelCost, at: ReadonlyMap<string, number>): number | undefined {
    try {
      return measureLimit(model, this.#limit, at);
    } catch (error) {
      // Not every value can be laid out, and nothing may depend on this one.
      if (error instanceof DiagnosticError) return undefined;
      throw error;
    }
  }
}
