/**
 * Kernels written by hand, to see what a device can do: matrix products in a few plain forms, and a copy.
 *
 * Owns: their text. None knows anything of a model. What suits a processor that runs shaders in software
 * (many rows a thread, no memory of the workgroup) does not suit a GPU, so there are some of each.
 */

export interface ProductForm {
  readonly name: string;
  /** Rows, and fours of columns, that one invocation holds. */
  readonly rows: number;
  readonly quads: number;
  /** Invocations along the columns, and along the rows. */
  readonly across: number;
  readonly down: number;
  /** Terms of the sum that a workgroup has in its memory at a time; 0: it reads where the operands are. */
  readonly shared: number;
  /** Whether four terms of the left operand are read at once. */
  readonly fours: boolean;
}

export const productForms: readonly ProductForm[] = [
  {
    name: "16 x 8 a thread, 16 x 1 threads",
    rows: 16,
    quads: 2,
    across: 16,
    down: 1,
    shared: 0,
    fours: false,
  },
  {
    name: "16 x 8 a thread, 32 x 1 threads",
    rows: 16,
    quads: 2,
    across: 32,
    down: 1,
    shared: 0,
    fours: false,
  },
  {
    name: "16 x 8 a thread, 32 x 1 threads, by fours",
    rows: 16,
    quads: 2,
    across: 32,
    down: 1,
    shared: 0,
    fours: true,
  },
  { name: "8 x 8 a thread, 32 x 1 threads", rows: 8, quads: 2, across: 32, down: 1, shared: 0, fours: false },
  {
    name: "8 x 8 a thread, 32 x 1 threads, by fours",
    rows: 8,
    quads: 2,
    across: 32,
    down: 1,
    shared: 0,
    fours: true,
  },
  {
    name: "8 x 16 a thread, 16 x 1 threads",
    rows: 8,
    quads: 4,
    across: 16,
    down: 1,
    shared: 0,
    fours: false,
  },
  {
    name: "16 x 4 a thread, 32 x 1 threads",
    rows: 16,
    quads: 1,
    across: 32,
    down: 1,
    shared: 0,
    fours: false,
  },
  { name: "8 x 8 a thread, 8 x 8 threads", rows: 8, quads: 2, across: 8, down: 8, shared: 0, fours: false },
  {
    name: "4 x 4 a thread, 16 x 16 threads, tiles of 16",
    rows: 4,
    quads: 1,
    across: 16,
    down: 16,
    shared: 16,
    fours: true,
  },
  {
    name: "8 x 8 a thread, 8 x 8 threads, tiles of 16",
    rows: 8,
    quads: 2,
    across: 8,
    down: 8,
    shared: 16,
    fours: true,
  },
  {
    name: "8 x 8 a thread, 16 x 16 threads, tiles of 8",
    rows: 8,
    quads: 2,
    across: 16,
    down: 16,
    shared: 8,
    fours: true,
  },
];

/** [rows, depth] times [depth, columns]; columns and depth are multiples of 4. */
export interface ProductSize {
  readonly rows: number;
  readonly depth: number;
  readonly columns: number;
}

export interface PlainKernel {
  readonly code: string;
  readonly workgroups: readonly [number, number];
}

export function productKernel(form: ProductForm, size: ProductSize): PlainKernel {
  const workgroups = [
    Math.ceil(size.columns / (4 * form.quads * form.across)),
    Math.ceil(size.rows / (form.rows * form.down)),
  ] as const;
  return { code: form.shared === 0 ? unshared(form, size) : tiled(form, size), workgroups };
}

const bindings = (fours: boolean): string => `
@group(0) @binding(0) var<storage, read> left: array<${fours ? "vec4f" : "f32"}>;
@group(0) @binding(1) var<storage, read> right: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> product: array<vec4f>;
`;

function each(count: number, line: (i: number) => string): string {
  return Array.from({ length: count }, (_, i) => line(i)).join("\n");
}

function unshared({ rows, quads, across, down, fours }: ProductForm, size: ProductSize): string {
  const [depth, columns] = [fours ? size.depth / 4 : size.depth, size.columns / 4];
  const sums = (line: (row: number, quad: number) => string): string =>
    each(rows, (row) => each(quads, (quad) => line(row, quad)));
  return `${bindings(fours)}
@compute @workgroup_size(${across}, ${down})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let column = (group.x * ${across}u + local.x) * ${quads}u;
  let row = ${down === 1 ? "group.y" : `(group.y * ${down}u + local.y)`} * ${rows}u;
  if (column >= ${columns}u) { return; }
  ${each(rows, (i) => `let at${i} = min(row + ${i}u, ${size.rows - 1}u) * ${depth}u;`)}
  ${sums((i, j) => `var sum${i}_${j} = vec4f();`)}
  for (var k = 0u; k < ${depth}u; k++) {
    ${each(rows, (i) => `let a${i} = left[at${i} + k];`)}
    ${each(fours ? 4 : 1, (lane) => {
      const read = each(
        quads,
        (j) => `let b${j} = right[${fours ? `(4u * k + ${lane}u)` : "k"} * ${columns}u + column + ${j}u];`,
      );
      const term = (i: number): string => (fours ? `a${i}[${lane}]` : `a${i}`);
      return `{ ${read}\n${sums((i, j) => `sum${i}_${j} = fma(vec4f(${term(i)}), b${j}, sum${i}_${j});`)} }`;
    })}
  }
  ${sums((i, j) => `if (row + ${i}u < ${size.rows}u && column + ${j}u < ${columns}u) { product[(row + ${i}u) * ${columns}u + column + ${j}u] = sum${i}_${j}; }`)}
}`;
}

function tiled({ rows, quads, across, down, shared }: ProductForm, size: ProductSize): string {
  const [depth, columns] = [size.depth / 4, size.columns / 4];
  const threads = across * down;
  const [tileRows, tileColumns, tileDepth] = [rows * down, quads * across, shared / 4];
  const sums = (line: (row: number, quad: number) => string): string =>
    each(rows, (row) => each(quads, (quad) => line(row, quad)));
  return `${bindings(true)}
var<workgroup> lefts: array<vec4f, ${tileRows * tileDepth}>;
var<workgroup> rights: array<vec4f, ${shared * tileColumns}>;
@compute @workgroup_size(${across}, ${down})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let me = local.y * ${across}u + local.x;
  let firstColumn = group.x * ${tileColumns}u;
  let firstRow = group.y * ${tileRows}u;
  ${sums((i, j) => `var sum${i}_${j} = vec4f();`)}
  for (var tile = 0u; tile < ${Math.ceil(size.depth / shared)}u; tile++) {
    for (var i = me; i < ${tileRows * tileDepth}u; i += ${threads}u) {
      let k = tile * ${tileDepth}u + i % ${tileDepth}u;
      let row = min(firstRow + i / ${tileDepth}u, ${size.rows - 1}u);
      lefts[i] = select(vec4f(), left[row * ${depth}u + min(k, ${depth - 1}u)], k < ${depth}u);
    }
    for (var i = me; i < ${shared * tileColumns}u; i += ${threads}u) {
      let k = min(tile * ${shared}u + i / ${tileColumns}u, ${size.depth - 1}u);
      let column = min(firstColumn + i % ${tileColumns}u, ${columns - 1}u);
      rights[i] = right[k * ${columns}u + column];
    }
    workgroupBarrier();
    for (var k = 0u; k < ${tileDepth}u; k++) {
      ${each(rows, (i) => `let a${i} = lefts[(local.y * ${rows}u + ${i}u) * ${tileDepth}u + k];`)}
      ${each(4, (lane) => {
        const read = each(
          quads,
          (j) => `let b${j} = rights[(4u * k + ${lane}u) * ${tileColumns}u + ${j * across}u + local.x];`,
        );
        return `{ ${read}\n${sums((i, j) => `sum${i}_${j} = fma(vec4f(a${i}[${lane}]), b${j}, sum${i}_${j});`)} }`;
      })}
    }
    workgroupBarrier();
  }
  ${sums(
    (i, j) => `{
    let row = firstRow + local.y * ${rows}u + ${i}u;
    let column = firstColumn + ${j * across}u + local.x;
    if (row < ${size.rows}u && column < ${columns}u) { product[row * ${columns}u + column] = sum${i}_${j}; }
  }`,
  )}
}`;
}

/** By a kernel, or by a command of the queue. */
export type CopyWay = "kernel" | "command";

/** Four vec4 an invocation, neighbours side by side. */
export function copyKernel(bytes: number): PlainKernel {
  const vectors = bytes / 16;
  const width = 256;
  const groups = Math.ceil(vectors / width);
  const x = Math.min(groups, 32_768);
  return {
    code: `
@group(0) @binding(0) var<storage, read> source: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> copied: array<vec4f>;
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let first = (group.y * ${x}u + group.x) * ${width}u + local.x;
  ${each(4, (i) => `if (first + ${64 * i}u < ${vectors}u) { copied[first + ${64 * i}u] = source[first + ${64 * i}u]; }`)}
}`,
    workgroups: [x, Math.ceil(groups / x)],
  };
}
