/**
 * `ossicle check --target webgpu`: that the entries of a model, as one kernel plan, fit a device.
 *
 * Owns: compiling the plan without weights, and what is said of what does not fit: both numbers, the place in
 * the model, and what to change.
 */
import { elaborate } from "../compiler/elaborate.ts";
import type { Graph, Provenance } from "../compiler/graph.ts";
import { optimize } from "../compiler/pipeline.ts";
import type { KernelPlan } from "../compiler/plan.ts";
import { checkPlanRules } from "../compiler/plan-rules.ts";
import { withStorage } from "../compiler/storage.ts";
import { compilePlan } from "../compiler/wgsl/compile.ts";
import { type Diagnostic, DiagnosticError, DiagnosticSink } from "../lang/diagnostic.ts";
import type { Program } from "../lang/program.ts";
import { countOf, failureDiagnostic } from "../runtime/failure.ts";
import { defaultLimits, printAmount } from "../runtime/gpu/needs.ts";
import type { ProfiledDevice } from "./device-profile.ts";
import type { Output } from "./output.ts";
import { type EntryFit, type Excess, excessOf, fitEntry, type SymbolFit } from "./plan-fit.ts";
import { type GivenSizes, sizesOf } from "./plan-sizes.ts";
import { type StorageOptions, storageChoice } from "./storage.ts";

export interface DeviceCheck extends GivenSizes, StorageOptions {
  readonly device: ProfiledDevice;
  readonly model: string | undefined;
  readonly settings: ReadonlyMap<string, string>;
  readonly entries: readonly string[];
}

export function checkDevice(program: Program, request: DeviceCheck, output: Output): void {
  const { device } = request;
  const { graphs, model } = graphsOf(program, request);
  const sizes = sizesOf(graphs, request);
  // Matrices that are too large for one binding are split, as `compile --device` does.
  const { plan } = compilePlan(graphs, { model, largestBinding: device.limits.maxStorageBufferBindingSize });
  const fits = plan.entries.flatMap((entry) => {
    const given = sizes.get(entry.name);
    return given === undefined ? [] : [fitEntry(entry, given, device)];
  });
  const places = placesOf(graphs);
  const problems = [
    ...checkPlanRules(plan).map(({ entry, path, message }) =>
      at(
        places,
        path,
        failureDiagnostic("plan-rule", `The plan of ${entry} breaks a rule of WebGPU: ${message}`),
      ),
    ),
    ...merged(excessOf(plan, device)).map((excess) => limitDiagnostic(excess, plan, device, places)),
    ...fits.flatMap((fit) =>
      merged(fit.excess).map((excess) => limitDiagnostic(excess, plan, device, places, fit)),
    ),
    ...featureProblems(plan, device, places),
    ...memoryProblems(plan, fits, device),
  ];
  output.diagnostics(problems);
  output.set("target", targetToJson(plan, device, fits, problems.length === 0));
  if (problems.length > 0) return;
  for (const line of summary(model, plan, fits, device)) output.line(line);
}

function graphsOf(
  program: Program,
  { model, settings, entries, ...stored }: DeviceCheck,
): { readonly graphs: readonly Graph[]; readonly model: string } {
  const names = entries.length === 0 ? [undefined] : entries;
  let named = "model";
  const graphs = names.map((entry) => {
    // The warnings of the model are the check's; here only what keeps an entry from being laid out counts.
    const sink = new DiagnosticSink();
    const elaboration = elaborate(program, { model, settings, entry }, sink);
    if (elaboration === undefined || sink.hasErrors) throw new DiagnosticError(sink.sorted());
    named = elaboration.entry.model;
    return withStorage(optimize(elaboration.graph), storageChoice(stored, elaboration));
  });
  return { graphs, model: named };
}

// ---------------------------------------------------------------- what does not fit

type Places = ReadonlyMap<string, Provenance>;

/** Where each path of the model is in its text. */
function placesOf(graphs: readonly Graph[]): Places {
  const places = new Map<string, Provenance>();
  const note = (path: string, provenance: Provenance): void => {
    if (provenance.span !== undefined && !places.has(path)) places.set(path, provenance);
  };
  for (const { nodes, parameters } of graphs) {
    for (const { provenance } of nodes) note(provenance.path, provenance);
    for (const { source } of parameters) {
      if (source.kind === "parameter") note(source.parameter.path, source.parameter.provenance);
    }
  }
  return places;
}

function at(places: Places, path: string | undefined, diagnostic: Diagnostic): Diagnostic {
  const span = path === undefined ? undefined : places.get(path)?.span;
  return span === undefined ? diagnostic : { ...diagnostic, primary: { span, text: path ?? "" } };
}

interface MergedExcess extends Excess {
  /** How many others are over the same limit. */
  readonly others: number;
}

/** One for each limit: the one that needs most of it. */
function merged(all: readonly Excess[]): MergedExcess[] {
  const byLimit = new Map<string, MergedExcess>();
  for (const excess of all) {
    const known = byLimit.get(excess.limit);
    if (known === undefined) byLimit.set(excess.limit, { ...excess, others: 0 });
    else {
      const larger = excess.amount > known.amount ? excess : known;
      byLimit.set(excess.limit, { ...larger, others: known.others + 1 });
    }
  }
  return [...byLimit.values()];
}

function limitDiagnostic(
  excess: MergedExcess,
  plan: KernelPlan,
  device: ProfiledDevice,
  places: Places,
  fit?: EntryFit,
): Diagnostic {
  const { what, limit, allowed, unit, path, others } = excess;
  const weight = excess.weight === undefined ? undefined : plan.weights[excess.weight];
  const learned = weight?.from[0];
  const where = path === undefined || path === "" || what.includes(path) ? "" : ` at ${path}`;
  const notes = [
    ...(fit === undefined ? [] : [sizesNote(fit)]),
    ...(learned === undefined || what.includes(learned)
      ? []
      : [`the weight is made of ${weight?.from.join(", ")}`]),
    ...(others === 0
      ? []
      : [`${others === 1 ? "another place is" : `${others} other places are`} over this limit too`]),
  ];
  return at(
    places,
    path ?? learned,
    failureDiagnostic(
      "webgpu-limit",
      `${what}${where}, and ${device.name} allows ${printAmount(allowed, unit)} (${limit}).`,
      { notes, hint: adviceFor(excess, fit) },
    ),
  );
}

function sizesNote({ at: sizes, open }: EntryFit): string {
  const list = [...sizes].map(
    ([name, value]) => `${name} = ${value}${open.includes(name) ? " (the least)" : ""}`,
  );
  return list.length === 0 ? "this does not depend on any size" : `at ${list.join(", ")}`;
}

function adviceFor({ limit, allowed, weight, path }: Excess, fit: EntryFit | undefined): string {
  const bounds = (fit?.symbols ?? []).flatMap(({ symbol, most }) =>
    typeof most === "number" && most >= 1 ? [`${symbol} <= ${most}`] : [],
  );
  if (bounds.length > 0)
    return `give shorter inputs or a smaller batch: it fits for ${bounds.join(", or for ")}`;
  if (fit !== undefined) return "choose a smaller model, or a device that allows more";
  if (weight !== undefined) {
    return path === undefined
      ? "store the weight with fewer bits, or split it into several"
      : "store the weight with fewer bits, choose a smaller model, or a device that allows more";
  }
  if (allowed < defaultLimits[limit])
    return `every device of WebGPU allows ${defaultLimits[limit]}: look at the profile`;
  return "choose a device that allows more";
}

function featureProblems(plan: KernelPlan, { name, features }: ProfiledDevice, places: Places): Diagnostic[] {
  return plan.kernels.flatMap((kernel, index) => {
    const path = plan.entries
      .flatMap(({ dispatches }) => dispatches)
      .find((dispatch) => dispatch.kernel === index)?.path;
    return kernel.features
      .filter((feature) => !features.has(feature))
      .map((feature) =>
        at(
          places,
          path,
          failureDiagnostic(
            "webgpu-feature",
            `The kernel ${kernel.label} needs ${feature}, which ${name} lacks.`,
            {
              hint: `compile without ${feature}`,
            },
          ),
        ),
      );
  });
}

function memoryProblems(plan: KernelPlan, fits: readonly EntryFit[], device: ProfiledDevice): Diagnostic[] {
  const { memoryBytes, name } = device;
  if (memoryBytes === undefined) return [];
  const weights = weightBytes(plan);
  const arena = Math.max(0, ...fits.map((fit) => fit.arena.bytes));
  const states = Math.max(0, ...fits.map((fit) => fit.stateBytes));
  const total = weights + arena + states;
  if (total <= memoryBytes) return [];
  const parts = [
    `weights ${bytes(weights)}`,
    `values within a call ${bytes(arena)}`,
    `states ${bytes(states)}`,
  ];
  return [
    failureDiagnostic(
      "webgpu-memory",
      `The model takes ${bytes(total)}, and ${name} has ${bytes(memoryBytes)} (memoryBytes).`,
      {
        notes: [parts.join(", "), ...fits.map((fit) => `${fit.entry}: ${sizesNote(fit)}`)],
        hint:
          weights > memoryBytes
            ? "store the weights with fewer bits, or choose a smaller model"
            : "give shorter inputs, or choose a smaller model",
      },
    ),
  ];
}

// ---------------------------------------------------------------- what fits

const bytes = (amount: number): string => printAmount(amount, "bytes");

function weightBytes({ weights }: KernelPlan): number {
  return weights.reduce((sum, weight) => sum + weight.bytes, 0);
}

function summary(
  model: string,
  plan: KernelPlan,
  fits: readonly EntryFit[],
  { name, limits, memoryBytes }: ProfiledDevice,
): string[] {
  const buffers = plan.kernels.map(({ bindings }) => bindings.filter((kind) => kind !== "sizes").length);
  const invocations = plan.kernels.map(({ workgroup: [x, y, z] }) => x * y * z);
  const shared = plan.kernels.map(({ workgroupBytes }) => workgroupBytes);
  const largest = plan.weights.map((weight) => weight.bytes);
  const budget = memoryBytes === undefined ? "" : ` of ${bytes(memoryBytes)}`;
  const most = (values: readonly number[]): number => Math.max(0, ...values);
  return [
    `${model} fits ${name}`,
    `  ${countOf(plan.kernels.length, "kernel")}: at most ${most(buffers)} of ${limits.maxStorageBuffersPerShaderStage} storage buffers, ${most(invocations)} of ${limits.maxComputeInvocationsPerWorkgroup} invocations, ${bytes(most(shared))} of ${bytes(limits.maxComputeWorkgroupStorageSize)} of workgroup memory`,
    `  weights: ${bytes(weightBytes(plan))}${budget} in ${countOf(plan.weights.length, "tensor")}, the largest binding ${bytes(most(largest))} of ${bytes(limits.maxStorageBufferBindingSize)}`,
    ...fits.flatMap((fit) => entryLines(plan, fit)),
  ];
}

function entryLines(plan: KernelPlan, fit: EntryFit): string[] {
  const { entry, at: sizes, arena, open, symbols, stateBytes } = fit;
  const dispatches = plan.entries.find(({ name }) => name === entry)?.dispatches.length ?? 0;
  const where = [...sizes].map(([name, value]) => `${name} = ${value}`).join(", ");
  const states = stateBytes === 0 ? "" : `, states ${bytes(stateBytes)}`;
  const lines = [
    `  ${entry}: ${dispatches === 1 ? "1 dispatch" : `${dispatches} dispatches`}, arena ${bytes(arena.bytes)}${states}${where === "" ? "" : ` at ${where}`}`,
  ];
  for (const one of symbols) lines.push(`    ${boundText(one, sizes, open)}`);
  return lines;
}

function boundText({ symbol, most }: SymbolFit, sizes: EntryFit["at"], open: readonly string[]): string {
  const others = open.filter((name) => name !== symbol);
  const given = others.map((name) => `${name} = ${sizes.get(name)}`).join(", ");
  const where = given === "" ? "" : ` at ${given}`;
  if (most === "all") return `fits for every ${symbol} that it takes${where}`;
  return `fits for ${symbol} <= ${most}${where}`;
}

function targetToJson(
  plan: KernelPlan,
  { name, limits, memoryBytes }: ProfiledDevice,
  fits: readonly EntryFit[],
  isFit: boolean,
): unknown {
  return {
    target: "webgpu",
    device: { name, limits, memoryBytes: memoryBytes ?? null },
    fits: isFit,
    kernels: plan.kernels.length,
    weights: { tensors: plan.weights.length, bytes: weightBytes(plan) },
    entries: fits.map(({ entry, at: sizes, arena, stateBytes, symbols }) => ({
      entry,
      at: Object.fromEntries(sizes),
      dispatches: plan.entries.find((one) => one.name === entry)?.dispatches.length ?? 0,
      arena,
      stateBytes,
      bounds: symbols.map(({ symbol, most }) => ({ symbol, most })),
    })),
  };
}
