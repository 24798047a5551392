/**
 * From a program and the choice of an entry to a graph.
 *
 * Owns: the seam between the language's evaluator and the graph builder, and the extra outputs that
 * a user asks for by path. Every loop is unrolled and every block inlined here.
 */
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

/** `undefined` once the problems are in `sink`. */
export function elaborate(
  program: Program,
  request: ElaborateRequest,
  sink: DiagnosticSink,
): Elaboration | undefined {
  const elaborated = elaborateEntry(program, request, sink);
  if (elaborated === undefined) return undefined;
  const { builder, ...rest } = elaborated;
  rest.outline.instance.force();
  return { ...rest, modelParameters: builder.parameterPaths() };
}

/**
 * The same without the parts of the model that the entry does not use, and so without what is wrong with
 * them: for further entries of a model that was elaborated as a whole.
 */
export function elaborateEntry(
  program: Program,
  request: ElaborateRequest,
  sink: DiagnosticSink,
): (Omit<Elaboration, "modelParameters"> & { readonly builder: GraphBuilder }) | undefined {
  const builder = new GraphBuilder(request.entry ?? "entry");
  const outline = openModel({ program, catalog, sink }, request, builder);
  const entry = outline === undefined ? undefined : evaluateEntry(outline, request, builder);
  if (outline === undefined || entry === undefined || sink.hasErrors) return undefined;
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
  return { entry, outline, graph, builder, renames: outline.evaluator.renames };
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
