/**
 * What `ossicle calibrate` runs to know a device: small programs whose work is all of one kind.
 *
 * Owns: the programs, and what they say of a device. Each is a chain of one op, run short and long: what
 * the rest of a call takes falls out of the difference, and what is known of an op is what `cost` counts.
 */
import { countGraph, type NodeCost } from "../compiler/cost/count.ts";
import { elaborate } from "../compiler/elaborate.ts";
import type { Graph } from "../compiler/graph.ts";
import type { HostTensor, WeightSource } from "../compiler/host-tensor.ts";
import { compileOnnx } from "../compiler/onnx/compile.ts";
import { optimize } from "../compiler/pipeline.ts";
import { DiagnosticError, DiagnosticSink } from "../lang/diagnostic.ts";
import { type Dim, productDims, sumDims } from "../lang/dims.ts";
import { loadProgram } from "../lang/program.ts";
import { SourceFile } from "../lang/source.ts";
import { createOnnxSession, type OnnxSession } from "../runtime/onnx-session.ts";

export interface Probe {
  readonly name: string;
  readonly title: string;
  readonly text: string;
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  /** Ops in the short chain and in the long one. */
  readonly lengths: readonly [short: number, long: number];
}

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
}

/** `members`: inputs and learned tensors; `before`: what is computed once; `step`: what the chain repeats. */
const chain = (members: string, step: string, first = "x", before = ""): string => `
model Probe(count: int) {
${members}
  entry run(${[...members.matchAll(/input (\w+)/g)].map(([, name]) => name).join(", ")}) -> last: f32[1] {
${before}
    let y = ${first}
    for i in 0..count {
      y = ${step}
    }
    reshape(y[${Array.from({ length: rankOf(members) }, () => ":1").join(", ")}], [1])
  }
}
`;

/** Of the input that the chain starts with. */
const rankOf = (members: string): number =>
  (/input x: f32\[([^\]]*)/.exec(members)?.[1] ?? "").split(",").length;

/** Each scan has a state, so each is a block of its own. */
const scans = `
block Scan() {
  forward(x: f32[1, 256, 24, 64], dt: f32[1, 256, 24], decay: f32[24], into: f32[1, 256, 1, 128],
    out: f32[1, 256, 1, 128], skip: f32[24]) -> f32[1, 256, 24, 64] {
    let (mixed, _) = ssd(x, dt, decay, into, out, skip, chunk: 64)
    mixed + x
  }
}
${chain(
  `  input x: f32[1, 256, 24, 64]
  input time: f32[1, 256, 24]
  input rate: f32[24]
  input into: f32[1, 256, 1, 128]
  input out: f32[1, 256, 1, 128]
  input skip: f32[24]
  scans = [Scan() for i in 0..count]`,
  "scans[i](y, dt, decay, into, out, skip)",
  "x",
  "    let dt = abs(time)\n    let decay = -abs(rate)",
)}`;

/** More of them than any cache holds, as a decoder's step reads them. */
const matrices = `
block Matrix() {
  param w: f32[3072, 3072]
  forward(x: f32[1, 3072]) -> f32[1, 3072] = x @ w
}
${chain("  input x: f32[1, 3072]\n  parts = [Matrix() for i in 0..count]", "parts[i](y)")}`;

/**
 * Sizes are those of vision transformers and of Mamba-2 130m. Values near 1 stay so: numbers close to zero
 * are slow on some processors.
 */
export const probes: readonly Probe[] = [
  {
    name: "products",
    title: "products of 512 × 1024 with learned matrices",
    text: chain("  input x: f32[512, 1024]\n  param w: f32[1024, 1024]", "y @ w"),
    inputs: { x: [512, 1024] },
    lengths: [2, 8],
  },
  {
    name: "attention",
    title: "products of twelve heads of 512 tokens with each other",
    text: chain(
      "  input x: f32[12, 512, 64]\n  input k: f32[12, 64, 512]\n  input v: f32[12, 512, 64]",
      "(y @ k) @ v + x",
    ),
    inputs: { x: [12, 512, 64], k: [12, 64, 512], v: [12, 512, 64] },
    lengths: [1, 4],
  },
  {
    name: "scan",
    title: "the scan of Mamba-2 130m over 256 tokens",
    text: scans,
    inputs: {
      x: [1, 256, 24, 64],
      time: [1, 256, 24],
      rate: [24],
      into: [1, 256, 1, 128],
      out: [1, 256, 1, 128],
      skip: [24],
    },
    lengths: [1, 3],
  },
  {
    name: "softmax",
    title: "softmax of rows of 512",
    text: chain("  input x: f32[1024, 512]", "softmax(y)"),
    inputs: { x: [1024, 512] },
    lengths: [2, 10],
  },
  {
    name: "norm",
    title: "layer norms of rows of 768",
    text: chain("  input x: f32[512, 768]\n  param w: f32[768]\n  param b: f32[768]", "layer_norm(y, w, b)"),
    inputs: { x: [512, 768] },
    lengths: [2, 18],
  },
  {
    name: "function",
    title: "GELU and SiLU",
    text: chain("  input x: f32[512, 1536]", "silu(gelu(y))"),
    inputs: { x: [512, 1536] },
    lengths: [2, 10],
  },
  {
    name: "weights",
    title: "one row with learned matrices of 36 MiB, each read once",
    text: matrices,
    inputs: { x: [1, 3072] },
    lengths: [1, 6],
  },
  ...(
    [
      [256, 256],
      [512, 1536],
      [4096, 4096],
    ] as const
  ).map(
    ([rows, columns], at): Probe => ({
      name: `traffic ${at}`,
      title: `sums of two tensors of ${rows} × ${columns}`,
      text: chain(`  input x: f32[${rows}, ${columns}]`, "y + x", "tanh(x)"),
      inputs: { x: [rows, columns] },
      lengths: at === 0 ? [8, 136] : at === 1 ? [2, 18] : [1, 6],
    }),
  ),
  {
    name: "start",
    title: "ops on eight numbers",
    text: chain("  input x: f32[8]", "tanh(y)"),
    inputs: { x: [8] },
    lengths: [16, 400],
  },
];

/** How many probes measure traffic: `traffic 0`, `traffic 1`, … from small to large. */
export const trafficProbes = probes.filter(({ name }) => name.startsWith("traffic")).length;

export interface ProbeOptions {
  readonly rounds: number;
  readonly threads: number | undefined;
  /** What passes: time, unless it is the processor's own, which other work on the machine leaves as it is. */
  readonly clock?: "time" | "processor";
}

/** The median of several rounds, in which both chains take turns; of the processor's time, the least. */
export async function runProbe(probe: Probe, options: ProbeOptions): Promise<ProbeResult> {
  const [short, long] = [
    await open(probe, probe.lengths[0], options),
    await open(probe, probe.lengths[1], options),
  ];
  try {
    const inputs = new Map(Object.entries(probe.inputs).map(([name, shape]) => [name, tensor(shape)]));
    const times: { readonly short: number; readonly long: number }[] = [];
    for (let round = 0; round <= options.rounds; round++) {
      const taken = {
        short: await timed(short.session, inputs, options.clock),
        long: await timed(long.session, inputs, options.clock),
      };
      if (round > 0) times.push(taken);
    }
    const ops = probe.lengths[1] - probe.lengths[0];
    const each = (amount: (opened: Opened) => number): number => (amount(long) - amount(short)) / ops;
    const least = (of: "short" | "long"): number => Math.min(...times.map((taken) => taken[of]));
    const difference =
      options.clock === "processor"
        ? least("long") - least("short")
        : median(times.map((taken) => taken.long - taken.short));
    return {
      seconds: difference / ops,
      macs: each((opened) => opened.macs),
      elements: each((opened) => opened.elements),
      bytes: each((opened) => opened.bytes),
      weights: each((opened) => opened.weights),
    };
  } finally {
    await short.session.release();
    await long.session.release();
  }
}

interface Opened extends Omit<ProbeResult, "seconds"> {
  readonly session: OnnxSession;
}

async function open({ name, text }: Probe, count: number, { threads }: ProbeOptions): Promise<Opened> {
  const sink = new DiagnosticSink();
  const file = new SourceFile(`${name}.oss`, text);
  const program = loadProgram(file, () => ({ ok: false, reason: "a probe imports nothing" }), sink);
  const elaboration = elaborate(program, { settings: new Map([["count", String(count)]]) }, sink);
  if (elaboration === undefined) throw new DiagnosticError(sink.sorted());
  const graph = optimize(elaboration.graph);
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
    macs: total(({ macs }) => macs),
    elements: total(({ node }) => sumDims(node.results.map(({ type }) => productDims(type.shape)))),
    bytes: total(({ read, written }) => read.add(written)),
    weights: total((node) => node.weights),
  };
}

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

async function timed(
  session: OnnxSession,
  inputs: ReadonlyMap<string, HostTensor>,
  clock: ProbeOptions["clock"],
): Promise<number> {
  const started = performance.now();
  const used = process.cpuUsage();
  await session.run(inputs);
  const { user, system } = process.cpuUsage(used);
  return clock === "processor" ? (user + system) / 1e6 : (performance.now() - started) / 1000;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}
