/**
 * What `ossicle calibrate` runs to know a device: small programs whose work is all of one kind.
 *
 * Owns: the programs, and what they say of a device. Each is a chain of one op, run short and long: what
 * the rest of a call takes falls out of the difference, and what is known of an op is what `cost` counts.
 */
import { countGraph } from "../compiler/cost/count.ts";
import { elaborate } from "../compiler/elaborate.ts";
import type { HostTensor, WeightSource } from "../compiler/host-tensor.ts";
import { compileOnnx } from "../compiler/onnx/compile.ts";
import { optimize } from "../compiler/pipeline.ts";
import { DiagnosticError, DiagnosticSink } from "../lang/diagnostic.ts";
import { sumDims } from "../lang/dims.ts";
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
  readonly scalars: number;
  readonly bytes: number;
}

const chain = (inputs: string, first: string, step: string, last = "reshape(y[:1, :1], [1])"): string => `
model Probe(count: int) {
${inputs}
  entry run(${[...inputs.matchAll(/input (\w+)/g)].map(([, name]) => name).join(", ")}) -> y: f32[1] {
    let y = ${first}
    for i in 0..count {
      y = ${step}
    }
    ${last}
  }
}
`;

/** Values near 1 stay so: numbers close to zero are slow on some processors. */
export const probes: readonly Probe[] = [
  {
    name: "products",
    title: "matrix products of 512 × 1024 and 1024 × 1024",
    text: chain("  input x: f32[512, 1024]\n  input w: f32[1024, 1024]", "x", "y @ w"),
    inputs: { x: [512, 1024], w: [1024, 1024] },
    lengths: [2, 8],
  },
  {
    name: "traffic",
    title: "sums of two tensors of 64 MiB",
    text: chain("  input x: f32[4096, 4096]", "tanh(x)", "y + x"),
    inputs: { x: [4096, 4096] },
    lengths: [1, 6],
  },
  {
    name: "scalars",
    title: "softmax of 256 rows that stay in the cache",
    text: chain("  input x: f32[256, 256]", "x", "softmax(y)"),
    inputs: { x: [256, 256] },
    lengths: [4, 64],
  },
  {
    name: "start",
    title: "ops on eight numbers",
    text: chain("  input x: f32[8]", "x", "tanh(y)", "y[:1]"),
    inputs: { x: [8] },
    lengths: [16, 400],
  },
];

const noWeights: WeightSource = {
  label: "none",
  names: () => [],
  info: () => undefined,
  read: () => Promise.reject(new RangeError("a probe has no weights")),
};

/** The median of several rounds, in which both chains take turns. */
export async function runProbe(
  probe: Probe,
  options: { readonly rounds: number; readonly threads: number | undefined },
): Promise<ProbeResult> {
  const [short, long] = [
    await open(probe, probe.lengths[0], options),
    await open(probe, probe.lengths[1], options),
  ];
  try {
    const inputs = new Map(Object.entries(probe.inputs).map(([name, shape]) => [name, tensor(shape)]));
    const differences: number[] = [];
    for (let round = 0; round <= options.rounds; round++) {
      const [a, b] = [await timed(short.session, inputs), await timed(long.session, inputs)];
      if (round > 0) differences.push(b - a);
    }
    const ops = probe.lengths[1] - probe.lengths[0];
    const each = (amount: (opened: Opened) => number): number => (amount(long) - amount(short)) / ops;
    return {
      seconds: median(differences) / ops,
      macs: each((opened) => opened.macs),
      scalars: each((opened) => opened.scalars),
      bytes: each((opened) => opened.bytes),
    };
  } finally {
    await short.session.release();
    await long.session.release();
  }
}

interface Opened {
  readonly session: OnnxSession;
  readonly macs: number;
  readonly scalars: number;
  readonly bytes: number;
}

async function open(
  { name, text }: Probe,
  count: number,
  { threads }: { readonly threads: number | undefined },
): Promise<Opened> {
  const sink = new DiagnosticSink();
  const file = new SourceFile(`${name}.oss`, text);
  const program = loadProgram(file, () => ({ ok: false, reason: "a probe imports nothing" }), sink);
  const elaboration = elaborate(program, { settings: new Map([["count", String(count)]]) }, sink);
  if (elaboration === undefined) throw new DiagnosticError(sink.sorted());
  const graph = optimize(elaboration.graph);
  const { nodes } = countGraph(graph);
  const total = (of: (node: (typeof nodes)[number]) => (typeof nodes)[number]["macs"]): number =>
    sumDims(nodes.map(of)).evaluate(new Map());
  const chunks: Uint8Array[] = [];
  const [model] = compileOnnx([graph], noWeights, { storage: "inline" }).models;
  await model?.write({
    write: async (bytes) => {
      chunks.push(bytes.slice());
    },
  });
  return {
    session: await createOnnxSession(Buffer.concat(chunks), threads === undefined ? {} : { threads }),
    macs: total((node) => node.macs),
    scalars: total((node) => node.scalar),
    bytes: total((node) => node.read.add(node.written)),
  };
}

/** Of alternating sign, so that products of many of them stay small, and far from zero. */
function tensor(shape: readonly number[]): HostTensor {
  const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
  for (let i = 0; i < data.length; i++) data[i] = ((i * 2654435761) % 1000) / 16_000 - 1 / 32;
  return { dtype: "f32", shape, data };
}

async function timed(session: OnnxSession, inputs: ReadonlyMap<string, HostTensor>): Promise<number> {
  const started = performance.now();
  await session.run(inputs);
  return (performance.now() - started) / 1000;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}
