/**
 * The report of a model's cost: what every way of printing it shows.
 *
 * Owns: which figures there are, bound as far as numbers were given. How they are written is
 * report-text.ts's, report-json.ts's, report-csv.ts's and page.ts's.
 */
import { type Dim, type DimNotation, notationOf, sumDims } from "../../lang/dims.ts";
import type { StorageType } from "../../lang/storage-type.ts";
import type { DType } from "../../lang/types.ts";
import type { Bindings } from "../bind.ts";
import {
  bindDim,
  bindEntry,
  checkGiven,
  type Given,
  openSymbols,
  requireBound,
  typicalBindings,
} from "./bindings.ts";
import type { MeasuredLimit } from "./budget.ts";
import { type Clip, clipOf } from "./clip.ts";
import { type Convention, definitions, type Missed, missedBy } from "./conventions.ts";
import type { DeviceProfile } from "./device-profile.ts";
import {
  type DispatchCost,
  dispatchesOf,
  executedMacs,
  type NamedOverhead,
  namedOverheads,
  type Target,
} from "./device-work.ts";
import { type Estimate, estimate } from "./latency.ts";
import { Measures } from "./measures.ts";
import { liveBytes, peakBytes, peakExpression, stateBytes, weightBytes } from "./memory.ts";
import { allParameters, type CostSymbol, type EntryCost, elementsOf, type ModelCost } from "./model-cost.ts";
import { bindTraining } from "./strategies.ts";
import { selectTrained } from "./trained.ts";
import { type TrainingCost, trainingCost } from "./training.ts";
import { type CostTree, condense, type Grouping, mapTree, repeatOf, rollUp } from "./tree.ts";

export interface ReportOptions {
  readonly given: Given;
  /** What the model's parameters were set to, as it was written. */
  readonly settings: ReadonlyMap<string, string>;
  readonly convention: Convention;
  readonly by: Grouping;
  readonly depth?: number | undefined;
  /** Adds a clip: the first entry once, and the next so many times. */
  readonly tokens?: number | undefined;
  /** Adds the cost of a training step: what is trained, as on the command line. */
  readonly train?: string | undefined;
  /** Adds an estimate of the time that each entry takes. */
  readonly profile?: DeviceProfile | undefined;
  /** Adds what a target executes. */
  readonly target?: Target | undefined;
  /** The limits of the model's budget, measured. */
  readonly budget?: readonly MeasuredLimit[];
}

export interface CostReport {
  readonly model: string;
  readonly convention: Convention;
  readonly definition: string;
  readonly settings: ReadonlyMap<string, string>;
  /** What was bound, by name. */
  readonly bindings: ReadonlyMap<string, number>;
  readonly parameters: Dim;
  readonly trainable: Dim;
  readonly entries: readonly EntryReport[];
  /** The device that times are estimated for. */
  readonly device: string | undefined;
  readonly clip: Clip | undefined;
  /** What the model's text allows, held against what it costs. */
  readonly budget: readonly MeasuredLimit[];
}

export interface EntryReport {
  readonly entry: string;
  readonly continues: string | undefined;
  readonly bindings: Bindings;
  /** What is still open. */
  readonly open: readonly CostSymbol[];
  readonly total: CostTree["amounts"];
  readonly state: Dim;
  /** Undefined where it is the largest of too many expressions. */
  readonly peak: Dim | undefined;
  readonly weights: ReadonlyMap<DType | StorageType, Dim>;
  /** Of the MACs, those that a mask takes away again. */
  readonly masked: Dim;
  readonly target: TargetReport | undefined;
  /** MACs and scalar operations of what is computed once, from learned tensors alone. */
  readonly prepared: { readonly macs: Dim; readonly scalar: Dim };
  readonly by: Grouping;
  readonly tree: CostTree;
  /** By kind of work, and by component, whatever the tree is by. */
  readonly kinds: CostTree;
  readonly components: CostTree;
  /** The tree with parts of lists that cost the same put together. */
  readonly rows: CostTree;
  readonly missed: readonly Missed[];
  readonly training: TrainingCost | undefined;
  readonly estimate: Estimate | undefined;
  readonly notation: DimNotation;
  /** A welcome factor for the formula of the whole. */
  readonly repeat: number;
  /** For shares where something is open. */
  readonly typical: Bindings;
}

/** What a target does at one call. */
export interface TargetReport {
  readonly target: Target;
  readonly dispatches: number;
  readonly executed: Dim;
  /** MACs that the entry declares. */
  readonly declared: Dim;
  readonly overhead: readonly NamedOverhead[];
}

/** @throws DiagnosticError when a number was given to what is not open, or is missing where one is needed */
export function reportCost(model: ModelCost, options: ReportOptions): CostReport {
  checkGiven(model.entries, options.given);
  const measures = new Measures(model, options.convention);
  const [first] = model.entries;
  const trainable = first === undefined ? undefined : measures.of("trainable", first);
  const entries = model.entries.map((entry) => reportEntry(entry, measures, options));
  if (
    options.profile !== undefined &&
    first !== undefined &&
    entries.every((entry) => entry.open.length > 0)
  ) {
    requireBound(first, bindEntry(first, options.given), "The time");
  }
  const bindings = new Map(entries.flatMap((entry) => [...entry.bindings]));
  const parameters = elementsOf(allParameters(model.entries));
  return {
    model: model.model,
    convention: options.convention,
    definition: definitions[options.convention],
    settings: options.settings,
    bindings,
    parameters: bindDim(parameters, bindings),
    trainable: bindDim(trainable?.expression ?? parameters, bindings),
    entries,
    device: options.profile?.name,
    clip: options.tokens === undefined ? undefined : clipOf(model, entries, options.tokens),
    budget: options.budget ?? [],
  };
}

function reportEntry(entry: EntryCost, measures: Measures, options: ReportOptions): EntryReport {
  const { cost } = entry;
  const bindings = bindEntry(entry, options.given);
  const bind = (dim: Dim): Dim => bindDim(dim, bindings);
  const { convention, depth } = options;
  const dispatches = options.target === undefined ? undefined : dispatchesOf(entry);
  const tree = mapTree(rollUp(cost, { by: options.by, convention, depth, dispatches }), bind);
  const under = (by: Grouping): CostTree => mapTree(rollUp(cost, { by, convention, dispatches }), bind);
  const [kinds, components] = [under("kind"), under("component")];
  const rows = condense(tree);
  const open = openSymbols(entry, bindings);
  const live = liveBytes(cost).map(bind);
  const peak = open.length === 0 ? bind(peakOf(live, bindings)) : peakExpression(live);
  const training =
    options.train === undefined
      ? undefined
      : bindTraining(trainingCost(cost, selectTrained(options.train, measures.model)), bind);
  // Learned tensors stand under no op and no kind of work: they are the entry's, whatever the rows are.
  const total = {
    ...tree.amounts,
    parameters: bind(elementsOf(cost.parameters)),
    weights: bind(sumDims(cost.parameters.map((parameter) => parameter.bytes))),
  };
  const state = bind(stateBytes(cost));
  const masked = bind(sumDims(cost.nodes.map((node) => node.masked)));
  const target = reportTarget(options.target, total.macs, dispatches, bind);
  const prepared = {
    macs: bind(sumDims(cost.prepared.map((node) => node.macs))),
    scalar: bind(sumDims(cost.prepared.map((node) => node.scalar))),
  };
  const shownDims = [
    ...[rows, kinds, components].flatMap(dimsOf),
    state,
    masked,
    ...(target === undefined ? [] : [target.executed, ...target.overhead.map(({ macs }) => macs)]),
    ...(peak === undefined ? [] : [peak]),
    ...(training === undefined ? [] : Object.values(training)),
  ];
  return {
    entry: entry.entry,
    continues: entry.continues,
    bindings,
    open,
    total,
    state,
    peak,
    weights: new Map([...weightBytes(cost)].map(([dtype, bytes]) => [dtype, bind(bytes)])),
    masked,
    target,
    prepared,
    by: options.by,
    tree,
    kinds,
    components,
    rows,
    missed: missedBy(cost, options.convention).map((missed) => ({
      ...missed,
      macs: bind(missed.macs),
      scalar: bind(missed.scalar),
    })),
    training,
    estimate: options.profile && open.length === 0 ? estimate(cost, bindings, options.profile) : undefined,
    notation: notationOf(shownDims.filter((dim) => dim.constant === undefined)),
    repeat: repeatOf(tree),
    typical: typicalBindings(entry, bindings),
  };
}

function reportTarget(
  target: Target | undefined,
  declared: Dim,
  dispatches: readonly DispatchCost[] = [],
  bind: (dim: Dim) => Dim,
): TargetReport | undefined {
  if (target === undefined) return undefined;
  const overhead = namedOverheads(dispatches).map((named) => ({
    ...named,
    macs: bind(named.macs),
    parts: named.parts.map((part) => ({ ...part, macs: bind(part.macs) })),
  }));
  return {
    target,
    dispatches: dispatches.length,
    executed: bind(executedMacs(dispatches)),
    declared,
    overhead: overhead.filter(
      ({ macs, parts }) => macs.constant !== 0 || parts.some((p) => p.macs.constant !== 0),
    ),
  };
}

function peakOf(live: readonly Dim[], bindings: Bindings): Dim {
  const peak = peakBytes(live, bindings);
  return live.find((dim) => dim.constant === peak) ?? sumDims([]);
}

/** Every figure of a tree that is shown. */
function dimsOf(tree: CostTree): Dim[] {
  const { count, scalar, parameters, read, written } = tree.amounts;
  return [count, scalar, parameters, read, written, ...tree.children.flatMap(dimsOf)];
}
