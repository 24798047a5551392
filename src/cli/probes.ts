/**
 * What `ossicle calibrate` runs to know a device: small programs whose work is all of one kind.
 *
 * Owns: the programs. Each is a chain of one op, run short and long: what the rest of a call takes falls out
 * of the difference. probe-run.ts runs them, calibrate-command.ts says what they tell of a device.
 */

export interface Probe {
  readonly name: string;
  readonly title: string;
  readonly text: string;
  /** Ops in the short chain and in the long one. */
  readonly lengths: readonly [short: number, long: number];
  /** Whether the caches hold nothing of it when it starts: in a model, others were read since the last call. */
  readonly isCold?: true;
}

interface Chain {
  /** Inputs and learned tensors. */
  readonly members: string;
  /** What is computed once, before. */
  readonly before?: string;
  readonly first?: string;
  /** What is repeated; `i` counts. */
  readonly step: string;
  /** Whether it goes on from the state that such a chain left. */
  readonly goesOn?: true;
}

function chain({ members, before = "", first = "x", step, goesOn }: Chain): string {
  const inputs = [...members.matchAll(/input (\w+)/g)].map(([, name]) => name).join(", ");
  const entry = (head: string): string => `
  entry ${head} -> last: f32[1] {
${before}
    let y = ${first}
    for i in 0..count {
      y = ${step}
    }
    reshape(y[${Array.from({ length: rankOf(members) }, () => ":1").join(", ")}], [1])
  }`;
  const entries = goesOn ? [`begin(${inputs})`, `run(${inputs}) continues begin`] : [`run(${inputs})`];
  return `
model Probe(count: int) {
${members}
${entries.map(entry).join("\n")}
}
`;
}

/** Of the input that the chain starts with. */
const rankOf = (members: string): number =>
  (/input x: f32\[([^\]]*)/.exec(members)?.[1] ?? "").split(",").length;

/** Each scan has a state, so each is a block of its own. */
const scans = (length: number, goesOn?: true): string => `
block Scan() {
  forward(x: f32[1, ${length}, 24, 64], dt: f32[1, ${length}, 24], decay: f32[24], into: f32[1, ${length}, 1, 128],
    out: f32[1, ${length}, 1, 128], skip: f32[24]) -> f32[1, ${length}, 24, 64] {
    let (mixed, _) = ssd(x, dt, decay, into, out, skip, chunk: 64)
    mixed + x
  }
}
${chain({
  members: `  input x: f32[1, ${length}, 24, 64]
  input time: f32[1, ${length}, 24]
  input rate: f32[24]
  input into: f32[1, ${length}, 1, 128]
  input out: f32[1, ${length}, 1, 128]
  input skip: f32[24]
  scans = [Scan() for i in 0..count]`,
  before: "    let dt = abs(time)\n    let decay = -abs(rate)",
  step: "scans[i](y, dt, decay, into, out, skip)",
  ...(goesOn && { goesOn }),
})}`;

/** More of them than any cache holds, as a decoder's step reads them. */
const matrices = `
block Matrix() {
  param w: f32[3072, 3072]
  forward(x: f32[1, 3072]) -> f32[1, 3072] = x @ w
}
${chain({ members: "  input x: f32[1, 3072]\n  parts = [Matrix() for i in 0..count]", step: "parts[i](y)" })}`;

/** As many rows of results as are counted. */
const results = `
model Probe(count: int) {
  input x: f32[1, 65536]
  input row: f32[count, 1]
  entry run(x, row) -> rows: f32[count, 65536] = x + row
}
`;

/**
 * Sizes are those of vision transformers and of Mamba-2 130m. Values near 1 stay so: numbers close to zero
 * are slow on some processors.
 */
export const probes: readonly Probe[] = [
  {
    name: "products",
    title: "products of 512 × 1024 with learned matrices",
    text: chain({ members: "  input x: f32[512, 1024]\n  param w: f32[1024, 1024]", step: "y @ w" }),
    lengths: [2, 8],
  },
  {
    name: "attention",
    title: "products of twelve heads of 512 tokens with each other",
    text: chain({
      members: "  input x: f32[12, 512, 64]\n  input k: f32[12, 64, 512]\n  input v: f32[12, 512, 64]",
      step: "(y @ k) @ v + x",
    }),
    lengths: [1, 4],
  },
  {
    name: "scan",
    title: "the scan of Mamba-2 130m over 256 tokens",
    text: scans(256),
    lengths: [1, 3],
  },
  {
    name: "state",
    title: "steps of that scan, each with a state of its own",
    text: scans(1, true),
    lengths: [4, 20],
    isCold: true,
  },
  {
    name: "softmax",
    title: "softmax of rows of 512",
    text: chain({ members: "  input x: f32[1024, 512]", step: "softmax(y)" }),
    lengths: [2, 10],
  },
  {
    name: "norm",
    title: "layer norms of rows of 768",
    text: chain({
      members: "  input x: f32[512, 768]\n  param w: f32[768]\n  param b: f32[768]",
      step: "layer_norm(y, w, b)",
    }),
    lengths: [2, 18],
  },
  {
    name: "function",
    title: "GELU and SiLU",
    text: chain({ members: "  input x: f32[512, 1536]", step: "silu(gelu(y))" }),
    lengths: [2, 10],
  },
  {
    name: "weights",
    title: "one row with learned matrices of 36 MiB, each read once",
    text: matrices,
    lengths: [1, 6],
    isCold: true,
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
      text: chain({ members: `  input x: f32[${rows}, ${columns}]`, first: "tanh(x)", step: "y + x" }),
      lengths: at === 0 ? [8, 136] : at === 1 ? [2, 18] : [1, 6],
    }),
  ),
  {
    name: "results",
    title: "rows of 65536 that a call gives out",
    text: results,
    lengths: [1, 65],
  },
  {
    name: "start",
    title: "ops on eight numbers",
    text: chain({ members: "  input x: f32[8]", step: "tanh(y)" }),
    lengths: [16, 400],
  },
];

/** How many probes measure traffic: `traffic 0`, `traffic 1`, … from small to large. */
export const trafficProbes = probes.filter(({ name }) => name.startsWith("traffic")).length;
