/**
 * What the inputs and outputs that carry recurrent state are called in a model, for the host that runs it.
 *
 * Owns: the styles. A state has one number among those of its kind, in the order of the program, and the
 * same on both sides: sorted by name, inputs and outputs pair up. What each state is, the model's
 * metadata says (emit.ts). Nothing here changes what is computed.
 */
import { internalFault } from "../fault.ts";
import type { Graph } from "../graph.ts";
import { statePast, statePresent } from "../graph-builder.ts";

/**
 * `paths`: as the program calls them. `plain`: numbered with leading zeros, so that names sort as
 * layers do. `transformers.js`: as its getCacheNames has them for hybrids with state-space layers.
 * `onnxruntime-genai`: its default names of convolution and recurrent states.
 */
export type StateNames = "paths" | "plain" | "transformers.js" | "onnxruntime-genai";

export const stateNameStyles: readonly StateNames[] = [
  "paths",
  "plain",
  "transformers.js",
  "onnxruntime-genai",
];

interface Place {
  /** `backbone.layers.3.mixer.ssm_state` */
  readonly path: string;
  /** `ssm_state` */
  readonly kind: string;
  readonly number: number;
  /** How many there are of the kind. */
  readonly count: number;
}

interface Pair {
  readonly past: string;
  readonly present: string;
}

/** What a host calls a kind of state, where it has a word of its own. */
const genaiKinds: Readonly<Record<string, string>> = { ssm_state: "recurrent_state" };

const styles: Readonly<Record<StateNames, (place: Place) => Pair>> = {
  paths: ({ path }) => ({ past: statePast(path), present: statePresent(path) }),
  plain: ({ kind, number, count }) => {
    const padded = String(number).padStart(String(count - 1).length, "0");
    return { past: `past.${padded}.${kind}`, present: `present.${padded}.${kind}` };
  },
  "transformers.js": ({ kind, number }) => {
    const short = kind.replace(/_state$/, "");
    return { past: `past_${short}.${number}`, present: `present_${short}.${number}` };
  },
  "onnxruntime-genai": ({ kind, number }) => {
    const name = genaiKinds[kind] ?? kind;
    return { past: `past_key_values.${number}.${name}`, present: `present.${number}.${name}` };
  },
};

/** The graph with its states called so. Entries of one model agree: each carries all of its states. */
export function nameStates(graph: Graph, style: StateNames): Graph {
  const pairs = pairsOf(graph, styles[style]);
  const renamed = (state: string | undefined, name: string, side: keyof Pair): string =>
    (state === undefined ? undefined : pairs.get(state)?.[side]) ?? name;
  const named: Graph = {
    ...graph,
    inputs: graph.inputs.map((input) => ({ ...input, name: renamed(input.state, input.name, "past") })),
    outputs: graph.outputs.map((output) => ({
      ...output,
      name: renamed(output.state, output.name, "present"),
    })),
  };
  const names = [...named.inputs, ...named.outputs].map((port) => port.name);
  if (new Set(names).size < names.length)
    throw internalFault(`two inputs or outputs share a name (${style})`);
  return named;
}

function pairsOf(graph: Graph, name: (place: Place) => Pair): ReadonlyMap<string, Pair> {
  const kinds = new Map<string, string[]>();
  for (const { state } of [...graph.outputs, ...graph.inputs]) {
    if (state === undefined) continue;
    const kind = state.slice(state.lastIndexOf(".") + 1);
    const known = kinds.get(kind) ?? [];
    if (!known.includes(state)) kinds.set(kind, [...known, state]);
  }
  const pairs = new Map<string, Pair>();
  for (const [kind, paths] of kinds) {
    paths.forEach((path, number) => {
      pairs.set(path, name({ path, kind, number, count: paths.length }));
    });
  }
  return pairs;
}
