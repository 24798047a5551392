/**
 * What a model can be measured by, each as an expression or as a number at given sizes.
 *
 * Owns: the list that budgets, sweeps and comparisons share. `params`, `trainable` and `weights` are
 * of the whole model; the others of one entry. `dispatches` and `executed` are of its WebGPU plan, which is
 * compiled when they are first asked for.
 */
import { Dim, sumDims } from "../../lang/dims.ts";
import type { Bindings } from "../bind.ts";
import { type Convention, countOf } from "./conventions.ts";
import { dispatchesOf, executedMacs } from "./device-work.ts";
import { liveBytes, peakBytes, peakExpression, stateBytes } from "./memory.ts";
import { allParameters, type EntryCost, elementsOf, type ModelCost } from "./model-cost.ts";
import { trainedByDefault } from "./training.ts";

export const measures = [
  "macs",
  "scalars",
  "params",
  "trainable",
  "weights",
  "state",
  "memory",
  "dispatches",
  "executed",
] as const;
export type MeasureName = (typeof measures)[number];

export interface MeasureFacts {
  readonly title: string;
  readonly unit: "" | "B";
  /** Whether it differs from entry to entry. */
  readonly ofEntry: boolean;
}

export const measureFacts: Readonly<Record<MeasureName, MeasureFacts>> = {
  macs: { title: "MACs", unit: "", ofEntry: true },
  scalars: { title: "scalar operations", unit: "", ofEntry: true },
  params: { title: "parameters", unit: "", ofEntry: false },
  trainable: { title: "trainable parameters", unit: "", ofEntry: false },
  weights: { title: "weight bytes", unit: "B", ofEntry: false },
  state: { title: "state bytes", unit: "B", ofEntry: true },
  memory: { title: "peak live memory", unit: "B", ofEntry: true },
  dispatches: { title: "dispatches on WebGPU", unit: "", ofEntry: true },
  executed: { title: "MACs executed on WebGPU", unit: "", ofEntry: true },
};

export function isMeasure(name: string): name is MeasureName {
  return (measures as readonly string[]).includes(name);
}

export interface Measured {
  /** Undefined where it is the largest of many. */
  readonly expression: Dim | undefined;
  readonly value: (bindings: Bindings) => number;
}

/** Measures of one model; each is worked out once, when it is first asked for. */
export class Measures {
  readonly model: ModelCost;
  readonly convention: Convention;
  readonly #known = new Map<string, Measured>();

  constructor(model: ModelCost, convention: Convention = "core") {
    this.model = model;
    this.convention = convention;
  }

  of(name: MeasureName, entry: EntryCost): Measured {
    const key = measureFacts[name].ofEntry ? `${name} ${entry.entry}` : name;
    let known = this.#known.get(key);
    if (known === undefined) {
      known = this.#measure(name, entry);
      this.#known.set(key, known);
    }
    return known;
  }

  #measure(name: MeasureName, entry: EntryCost): Measured {
    const { nodes } = entry.cost;
    switch (name) {
      case "macs":
        return exactly(sumDims(nodes.map((node) => countOf(node, this.convention))));
      case "scalars":
        return exactly(sumDims(nodes.map((node) => node.scalar)));
      case "params":
        return exactly(elementsOf(allParameters(this.model.entries)));
      case "trainable":
        return exactly(elementsOf(trainableParameters(this.model)));
      case "weights":
        return exactly(sumDims(allParameters(this.model.entries).map((parameter) => parameter.bytes)));
      case "state":
        return exactly(stateBytes(entry.cost));
      case "memory": {
        const live = liveBytes(entry.cost);
        return { expression: peakExpression(live), value: (bindings) => peakBytes(live, bindings) };
      }
      case "dispatches":
        return exactly(Dim.of(dispatchesOf(entry).length));
      case "executed":
        return exactly(executedMacs(dispatchesOf(entry)));
    }
  }
}

/** What is trained when nobody says otherwise. */
export function trainableParameters({ entries, frozen }: ModelCost): ReturnType<typeof allParameters> {
  const parameters = allParameters(entries);
  return parameters.filter(trainedByDefault(parameters, frozen));
}

function exactly(expression: Dim): Measured {
  return { expression, value: (bindings) => expression.evaluate(bindings) };
}
