/**
 * Running the probes of a device.
 *
 * Owns: from a program to a session, and what one op of it takes and does; that is what `cost` counts.
 */
import { countGraph, type NodeCost } from "../compiler/cost/count.ts";
import { elaborate } from "../compiler/elaborate.ts";
import type { Graph, Value } from "../compiler/graph.ts";
import { elementCount, type HostTensor, type WeightSource } from "../compiler/host-tensor.ts";
import { compileOnnx } from "../compiler/onnx/compile.ts";
import { optimize } from "../compiler/pipeline.ts";
import { DiagnosticError, DiagnosticSink } from "../lang/diagnostic.ts";
import { type Dim, productDims, sumDims } from "../lang/dims.ts";
import { loadProgram } from "../lang/program.ts";
import { SourceFile } from "../lang/source.ts";
import { createOnnxSession, type OnnxSession } from "../runtime/onnx-session.ts";
import { median } from "./median.ts";
import type { Probe } from "./probes.ts";

/** What one op of a probe takes, and what it does. */
export interface ProbeResult {
  readonly seconds: number;
  readonly macs: number;
  /** Of results. */
  readonly elements: number;
  /** Of activations. */
  readonly bytes: number;
  /** Bytes of learned tensors. */
  readonly weights: number;
  /** Bytes that the call gives out. */
  readonly results: number;
}

export interface ProbeOptions {
  readonly threads: number | undefined;
  /** What passes: time, unless it is the processor's own, which other work on the machine changes less. */
  readonly clock?: "time" | "processor";
}

/** A probe that is ready: it can take turns with others. */
export interface OpenProbe {
  /** Runs the short chain and the long one in turns: for a moment at least, as an interruption spoils a short run. */
  round(): Promise<void>;
  /** By the median of the rounds so far, from which on they are forgotten. */
  result(): ProbeResult;
  release(): Promise<void>;
}

/** Seconds. */
const moment = 0.02;

export async function openProbe(probe: Probe, options: ProbeOptions): Promise<OpenProbe> {
  const [fewer, more] = probe.lengths;
  const [short, long] = [await open(probe, fewer, options), await open(probe, more, options)];
  const run = async (opened: Opened): Promise<number> => {
    // Whatever ran before leaves the caches to nobody: neither chain is to be the one that finds them so.
    if (probe.isCold) fillCaches();
    else await timed(opened, options.clock);
    return timed(opened, options.clock);
  };
  const each = (amount: (opened: Opened) => number): number =>
    (amount(long) - amount(short)) / (more - fewer);
  let differences: number[] = [];
  return {
    async round() {
      let passed = 0;
      while (passed < moment) {
        const [a, b] = [await run(short), await run(long)];
        differences.push(b - a);
        passed += a + b;
      }
    },
    result() {
      const difference = median(differences);
      differences = [];
      return {
        seconds: difference / (more - fewer),
        macs: each(({ macs }) => macs),
        elements: each(({ elements }) => elements),
        bytes: each(({ bytes }) => bytes),
        weights: each(({ weights }) => weights),
        results: each(({ results }) => results),
      };
    },
    async release() {
      await short.session.release();
      await long.session.release();
    },
  };
}

const attempts = 8;

/** By itself, after a round that is not counted. */
export async function runProbe(
  probe: Probe,
  { rounds, ...options }: ProbeOptions & { readonly rounds: number },
): Promise<ProbeResult> {
  const opened = await openProbe(probe, options);
  try {
    await opened.round();
    opened.result();
    // Where others work, an interruption can be longer than all that is measured: more rounds show it then.
    for (let attempt = 1; ; attempt++) {
      for (let round = 0; round < attempt * rounds; round++) await opened.round();
      const result = opened.result();
      if (result.seconds > 0 || attempt === attempts) return result;
    }
  } finally {
    await opened.release();
  }
}

interface Opened extends Omit<ProbeResult, "seconds"> {
  readonly session: OnnxSession;
  readonly inputs: ReadonlyMap<string, HostTensor>;
}

async function open({ name, text }: Probe, count: number, { threads }: ProbeOptions): Promise<Opened> {
  const sink = new DiagnosticSink();
  const file = new SourceFile(`${name}.oss`, text);
  const program = loadProgram(file, () => ({ ok: false, reason: "a probe imports nothing" }), sink);
  const elaboration = elaborate(
    program,
    { entry: "run", settings: new Map([["count", String(count)]]) },
    sink,
  );
  if (elaboration === undefined) throw new DiagnosticError(sink.sorted());
  const optimized = optimize(elaboration.graph);
  // What a call gives out is measured by itself.
  const graph = { ...optimized, outputs: optimized.outputs.filter(({ state }) => state === undefined) };
  const { nodes } = countGraph(graph);
  const total = (of: (node: NodeCost) => Dim): number => sumDims(nodes.map(of)).evaluate(new Map());
  const chunks: Uint8Array[] = [];
  const [model] = compileOnnx([graph], weightsOf(graph), { storage: "inline" }).models;
  await model?.write({
    write: async (bytes) => {
      chunks.push(bytes.slice());
    },
  });
  return {
    session: await createOnnxSession(Buffer.concat(chunks), threads === undefined ? {} : { threads }),
    inputs: new Map(graph.inputs.map(({ name, value }) => [name, tensor(sizesOf(value))])),
    macs: total(({ macs }) => macs),
    elements: total(({ node }) => sumDims(node.results.map(({ type }) => productDims(type.shape)))),
    bytes: total(({ read, written }) => read.add(written)),
    weights: total((node) => node.weights),
    results: graph.outputs.reduce((bytes, { value }) => bytes + 4 * elementCount(sizesOf(value)), 0),
  };
}

const sizesOf = (value: Value): readonly number[] => value.type.shape.map((dim) => dim.constant ?? 1);

function weightsOf(graph: Graph): WeightSource {
  const shapes = new Map(
    graph.parameters.flatMap(({ source, type }) =>
      source.kind === "parameter"
        ? [[source.parameter.path, type.shape.map((dim) => dim.constant ?? 1)] as const]
        : [],
    ),
  );
  return {
    label: "drawn",
    names: () => [...shapes.keys()],
    info: (name) => ({ dtype: "f32", shape: shapes.get(name) ?? [] }),
    read: async (name) => tensor(shapes.get(name) ?? []),
  };
}

/** Of alternating sign, so that products of many of them stay small, and far from zero. */
function tensor(shape: readonly number[]): HostTensor {
  const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
  for (let i = 0; i < data.length; i++) data[i] = ((i * 2654435761) % 1000) / 16_000 - 1 / 32;
  return { dtype: "f32", shape, data };
}

let others: Float64Array | undefined;

/** With 128 MiB of something else, a line of the cache after the other. */
function fillCaches(): void {
  others ??= new Float64Array(1 << 24);
  const line = 8;
  for (let at = 0; at < others.length; at += line) others[at] = (others[at] ?? 0) + 1;
}

async function timed({ session, inputs }: Opened, clock: ProbeOptions["clock"]): Promise<number> {
  const started = performance.now();
  const used = process.cpuUsage();
  await session.run(inputs);
  const { user, system } = process.cpuUsage(used);
  return clock === "processor" ? (user + system) / 1e6 : (performance.now() - started) / 1000;
}
