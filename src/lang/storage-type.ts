/**
 * The types in which learned matrices may be stored.
 *
 * Owns: their names.
 */
export const storageTypes = ["f32", "f16", "int8"] as const;
export type StorageType = (typeof storageTypes)[number];

export interface Storage {
  readonly as: StorageType;
  /** Elements in a row that share a scale, of `int8`; where it is left out, as many as suit. */
  readonly group?: number | undefined;
}
