/**
 * Products with what comes before and after them, for the kernels that they may have.
 */
import type { Graph, Value } from "../../src/compiler/graph.ts";
import { GraphBuilder } from "../../src/compiler/graph-builder.ts";
import { findOp } from "../../src/compiler/ops/index.ts";
import type { KernelPlan } from "../../src/compiler/plan.ts";
import { compilePlan } from "../../src/compiler/wgsl/compile.ts";
import { readWeightBytes } from "../../src/compiler/wgsl/weight-bytes.ts";
import type { Attributes } from "../../src/lang/catalog.ts";
import { Dim } from "../../src/lang/dims.ts";
import type { TensorType } from "../../src/lang/types.ts";
import { GpuModel } from "../../src/runtime/gpu/model.ts";
import { dispatchBy } from "../../src/runtime/gpu/variants.ts";
import { weightsFrom } from "../../src/runtime/gpu/weight-streams.ts";
import { farthest, runReference, sourceOf } from "./plan-runs.ts";
import { drawn } from "./three-counts.ts";

class Products {
  readonly #builder = new GraphBuilder("call");
  readonly #symbols = new Set<string>();

  input(name: string, shape: readonly (number | string)[]): Value {
    for (const size of shape) if (typeof size === "string") this.#symbols.add(size);
    return this.#builder.input(name, typed(shape));
  }

  weight(name: string, shape: readonly number[]): Value {
    return this.#builder.parameter(name, typed(shape), { kind: "zeros" }, { path: name, span: undefined });
  }

  apply(name: string, operands: readonly Value[], attributes: Attributes = {}): Value {
    const op = findOp(name);
    const [result] =
      op === undefined ? [] : this.#builder.apply(op, operands, attributes, { path: name, span: undefined });
    if (result === undefined) throw new Error(`there is no op ${name}`);
    return result;
  }

  finish(value: Value): Graph {
    const symbols = [...this.#symbols].map((name) => ({ name, minimum: 1 }));
    return this.#builder.finish([{ name: "y", value }], symbols);
  }
}

function typed(shape: readonly (number | string)[]): TensorType {
  return {
    dtype: "f32",
    shape: shape.map((size) => (typeof size === "number" ? Dim.of(size) : Dim.symbol(size))),
  };
}

export interface ProductSample {
  readonly name: string;
  readonly graph: () => Graph;
  readonly sizes: Readonly<Record<string, number>>;
  /** Whether the terms of a column lie together. */
  readonly isDeep?: boolean;
  /** Kernels that there must be, by their labels. */
  readonly labels: readonly RegExp[];
}

export const productSamples: readonly ProductSample[] = [
  {
    name: "rows and columns that fill no tile, with what comes before and after",
    sizes: { M: 70 },
    labels: [/tiled/, /^contract 8x8$/, /^contract 4x4, /],
    graph: () => {
      const p = new Products();
      const x = p.apply("neg", [p.input("x", ["M", 20])]);
      const product = p.apply("matmul", [x, p.weight("w", [20, 36])]);
      const y = p.apply("gelu", [p.apply("add", [product, p.weight("b", [36])])]);
      return p.finish(p.apply("mul", [y, p.input("gate", ["M", 36])]));
    },
  },
  {
    name: "terms of a column that lie together, in layers",
    isDeep: true,
    sizes: { M: 40 },
    labels: [/tiled/, /slices/],
    graph: () => {
      const p = new Products();
      const keys = p.apply("transpose", [p.input("k", [2, 18, 24])], { permutation: [0, 2, 1] });
      return p.finish(p.apply("matmul", [p.input("q", [2, "M", 24]), keys]));
    },
  },
  {
    name: "one row",
    sizes: {},
    labels: [/1x4 in 16 slices/, /1x8 in 16 slices/],
    graph: () => {
      const p = new Products();
      return p.finish(p.apply("matmul", [p.input("x", [1, 28]), p.weight("w", [28, 44])]));
    },
  },
  {
    name: "one row, terms of a column that lie together",
    isDeep: true,
    sizes: {},
    labels: [/1x1 in 64 slices$/, /1x1 in 64 slices by subgroups$/, /1x4 in 64 slices by subgroups$/],
    graph: () => {
      const p = new Products();
      const turned = p.apply("transpose", [p.input("w", [44, 300])], { permutation: [1, 0] });
      const product = p.apply("matmul", [p.input("x", [1, 300]), turned]);
      return p.finish(p.apply("add", [product, p.weight("b", [44])]));
    },
  },
  {
    name: "one row that is normalised as it is read",
    sizes: {},
    labels: [/slices of normalised/],
    graph: () => {
      const p = new Products();
      const x = p.apply("layer_norm", [p.input("x", [1, 32]), p.weight("g", [32]), p.weight("h", [32])], {});
      return p.finish(p.apply("matmul", [x, p.weight("w", [32, 12])]));
    },
  },
  {
    name: "attention",
    sizes: { N: 21 },
    labels: [
      /^attention 8, 2 queries, 2 keys, 64 invocations$/,
      /^attention 8, 8 keys, 64 invocations$/,
      /keys shared/,
    ],
    graph: () => {
      const p = new Products();
      const keys = p.apply("transpose", [p.input("k", [2, "N", 8])], { permutation: [0, 2, 1] });
      const scores = p.apply("matmul", [p.input("q", [2, "N", 8]), keys]);
      const weights = p.apply("softmax", [p.apply("add", [scores, p.input("mask", ["N", "N"])])], {
        axis: -1,
      });
      return p.finish(p.apply("matmul", [weights, p.input("v", [2, "N", 12])]));
    },
  },
  {
    name: "rows that are normalised before they are stored",
    sizes: { M: 21 },
    labels: [/^contract 4x8, normalised/],
    graph: () => {
      const p = new Products();
      const product = p.apply("matmul", [p.input("x", ["M", 12]), p.weight("w", [12, 32])]);
      return p.finish(p.apply("layer_norm", [product, p.weight("g", [32]), p.weight("h", [32])]));
    },
  },
];

/** The plan with one kernel in the place of each dispatch's own, as far as it has so many. */
function planBy(plan: KernelPlan, choice: number): KernelPlan {
  const entries = plan.entries.map((entry) => ({
    ...entry,
    dispatches: entry.dispatches.map((dispatch) => dispatchBy(dispatch, dispatch.variants?.[choice])),
  }));
  return { ...plan, entries };
}

const labelsOf = (plan: KernelPlan): string[] =>
  plan.entries.flatMap(({ dispatches }) => dispatches.map(({ kernel }) => plan.kernels[kernel]?.label ?? ""));

/**
 * Every kernel for which `isWanted` holds and that the device has the features for, and how far its results are from the reference's.
 */
export async function runVariants(
  { graph: make, sizes }: ProductSample,
  on: { readonly gpu: GPU; readonly device: GPUDevice },
  isWanted: (labels: readonly string[]) => boolean,
): Promise<{ readonly offered: readonly string[]; readonly off: ReadonlyMap<string, number> }> {
  const graph = make();
  const given = drawn(graph, sizes);
  const want = runReference(given);
  const artefact = compilePlan([graph], { variants: "all", typical: new Map(Object.entries(sizes)) });
  const { plan } = artefact;
  const stream = weightsFrom("drawn", (weight) => readWeightBytes(artefact, weight, sourceOf(given)));
  const counts = plan.entries.flatMap(({ dispatches }) =>
    dispatches.map(({ variants = [] }) => variants.length),
  );
  const off = new Map<string, number>();
  for (let choice = -1; choice < Math.max(...counts); choice++) {
    const by = planBy(plan, choice);
    const labels = labelsOf(by);
    const lacks = by.entries.some(({ dispatches }) =>
      dispatches.some(({ kernel }) =>
        by.kernels[kernel]?.features.some((feature) => !on.device.features.has(feature)),
      ),
    );
    if (lacks || !isWanted(labels)) continue;
    const model = await GpuModel.load(by, stream, on);
    const { outputs } = await model.session().call("call", given.inputs);
    model.dispose();
    off.set(labels.join(", "), farthest(graph, outputs, want));
  }
  return { offered: plan.kernels.map(({ label }) => label), off };
}
