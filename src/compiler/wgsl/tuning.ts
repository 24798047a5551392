/**
 * The sizes that kernels are written with.
 *
 * Owns: the choices that differ between devices and change no meaning. The default suits processors
 * that run shaders in software and is deterministic; a device's own are measured (runtime).
 */
export interface Tuning {
  /** Rows and columns of a product that one invocation holds. */
  readonly rows: number;
  readonly columns: number;
  /** Invocations side by side along the columns. */
  readonly productWorkgroup: number;
  /** Invocations of elementwise and row kernels. */
  readonly workgroup: number;
  /** Queries that one invocation of an attention kernel holds, where there are so many. */
  readonly queries: number;
}

export const defaultTuning: Tuning = {
  rows: 16,
  columns: 8,
  productWorkgroup: 32,
  workgroup: 64,
  queries: 4,
};
