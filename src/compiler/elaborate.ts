/**
 * From a program and the choice of an entry to a graph.
 *
 * Owns: the seam between the language's evaluator and the graph builder, and the extra outputs that
 * a user asks for by path. Every loop is unrolled and every block inlined here; equal layers are evaluated once.
 */
import { CallMemory } from "../lang/call-memory.ts";
import type { DiagnosticSink } from "../lang/diagnostic.ts";
import {
  type EntryRequest,
  type EvaluatedEntry,
  evaluateEntry,
  type ModelOutline,
  openModel,
} from "../lang/model.ts";
import type { Rename } from "../lang/plans.ts";
import type { Program } from "../lang/program.ts";
import { suggest } from "../lang/suggest.ts";
import type { Graph, GraphOutput, Value } from "./graph.ts";
import { GraphBuilder, statePresent } from "./graph-builder.ts";
import { catalog } from "./ops/index.ts";

export interface ElaborateRequest extends EntryRequest {
  /**
   * Paths of values to give out besides the entry's results: `encoder.layer.3`, or with wildcards
   * `encoder.layer.*` (one segment) and `**` (any). An output's name is its path.
   */
  readonly taps?: readonly string[];
}

export interface Elaboration {
  readonly entry: EvaluatedEntry;
  /** The model that the entry belongs to. */
  readonly outline: ModelOutline;
  readonly graph: Graph;
  /** The paths of all the model's learned tensors, those that only other entries need included. */
  readonly modelParameters: ReadonlySet<string>;
  /** How a checkpoint calls the model's tensors, where it differs. */
  readonly renames: readonly Rename[];
}

/** A model whose parts are laid out, for graphs of its entries. */
export interface LaidOutModel {
  readonly outline: ModelOutline;
  readonly builder: GraphBuilder;
  readonly sink: DiagnosticSink;
}

/** `undefined` once the problems are in `sink`. */
export function elaborate(
  program: Program,
  request: ElaborateRequest,
  sink: DiagnosticSink,
): Elaboration | undefined {
  const laidOut = layOut(program, request, sink);
  return laidOut === undefined ? undefined : elaborateEntry(laidOut, request);
}

/**
 * Lays out every part of a model, those that no entry uses included; `undefined` once the problems are in `sink`.
 * Without `memory` every call is evaluated by itself, which takes longer and gives the same.
 */
export function layOut(
  program: Program,
  request: Omit<EntryRequest, "entry">,
  sink: DiagnosticSink,
  memory: CallMemory | "none" = new CallMemory(program, "graphs"),
): LaidOutModel | undefined {
  const builder = new GraphBuilder("model");
  const remembering = memory === "none" ? {} : { memory };
  const outline = openModel({ program, catalog, sink, ...remembering }, request, builder);
  if (outline === undefined) return undefined;
  outline.instance.force();
  builder.share();
  return sink.hasErrors ? undefined : { outline, builder, sink };
}

/** The graph of one entry; `undefined` once the problems are in the model's `sink`. */
export function elaborateEntry(
  { outline, builder, sink }: LaidOutModel,
  request: ElaborateRequest,
): Elaboration | undefined {
  builder.begin(request.entry ?? "entry");
  const entry = evaluateEntry(outline, request, builder);
  if (entry === undefined || sink.hasErrors) return undefined;
  const outputs: GraphOutput[] = [];
  for (const { name, value } of entry.outputs) {
    const own = builder.find(value.handle);
    if (own !== undefined) outputs.push({ name, value: own });
  }
  for (const { name, value } of entry.states) {
    const own = builder.find(value.handle);
    if (own !== undefined) outputs.push({ name: statePresent(name), value: own, state: name });
  }
  for (const pattern of request.taps ?? []) outputs.push(...tap(pattern, builder.names(), outputs, sink));
  if (sink.hasErrors) return undefined;
  const symbols = entry.symbols.map((name) => ({ name, minimum: 1 }));
  const graph = builder.finish(outputs, symbols, entry.entry);
  const { renames } = outline.evaluator;
  return { entry, outline, graph, modelParameters: builder.parameterPaths(), renames: [...renames] };
}

/** The entries of a model, in their order; `undefined` once the problems are in `sink`. */
export function entryNames(
  program: Program,
  request: Pick<ElaborateRequest, "model" | "settings" | "open">,
  sink: DiagnosticSink,
): readonly string[] | undefined {
  return outlineOf(program, request, sink)?.instance.entries.map((entry) => entry.name.name);
}

/** A model before any of its entries is evaluated; `undefined` once the problems are in `sink`. */
export function outlineOf(
  program: Program,
  request: Pick<ElaborateRequest, "model" | "settings" | "open">,
  sink: DiagnosticSink,
): ModelOutline | undefined {
  return openModel({ program, catalog, sink }, request, new GraphBuilder("entries"));
}

function tap(
  pattern: string,
  names: ReadonlyMap<string, Value>,
  outputs: readonly GraphOutput[],
  sink: DiagnosticSink,
): GraphOutput[] {
  const wanted = globPattern(pattern);
  const found: GraphOutput[] = [];
  for (const [path, value] of names) {
    if (wanted.test(path) && !outputs.some((output) => output.name === path))
      found.push({ name: path, value });
  }
  if (found.length === 0 && !outputs.some((output) => wanted.test(output.name))) {
    const close = suggest(pattern, names.keys());
    sink.report({
      code: "unknown-tap",
      severity: "error",
      message: `No value of this entry is called \`${pattern}\`.`,
      related: [],
      notes: [],
      hint: close.length > 0 ? `did you mean ${close.join(" or ")}?` : nearestPaths(pattern, names.keys()),
      edits: [],
    });
  }
  return found;
}

/** When nothing is close in spelling: what lies under the longest part of the path that exists. */
function nearestPaths(pattern: string, names: Iterable<string>): string {
  const all = [...names];
  const segments = pattern.split(".");
  for (let length = segments.length - 1; length >= 0; length--) {
    const prefix = segments.slice(0, length).join(".");
    const next = new Set<string>();
    for (const path of all) {
      if (prefix !== "" && !path.startsWith(`${prefix}.`)) continue;
      next.add(path.slice(prefix === "" ? 0 : prefix.length + 1).split(".")[0] ?? "");
    }
    if (next.size > 0) {
      const listed = [...next].slice(0, 8).join(", ");
      return prefix === "" ? `values start with: ${listed}` : `under ${prefix} there are: ${listed}`;
    }
  }
  return "this entry names no values";
}

function globPattern(pattern: string): RegExp {
  const source = pattern
    .split(/(\*\*|\*)/)
    .map((part) =>
      part === "**" ? ".*" : part === "*" ? "[^.]*" : part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"),
    )
    .join("");
  return new RegExp(`^${source}$`);
}
