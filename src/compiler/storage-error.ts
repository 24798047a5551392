/**
 * What storing weights in fewer bits changes of them.
 *
 * Owns: the distance of each stored matrix from what it was, one at a time.
 */
import type { StorageType } from "../lang/storage-type.ts";
import type { Graph } from "./graph.ts";
import { elementCount, type WeightSource } from "./host-tensor.ts";
import { StoredWeights, storedValues } from "./onnx/weights.ts";
import { type ChooseStorage, learnedIn, withStorage } from "./storage.ts";

export interface StorageError {
  /** The learned tensors that it is made of, the largest first. */
  readonly paths: readonly string[];
  readonly shape: readonly number[];
  readonly as: StorageType;
  /** As it is stored, scales included; and as f32. */
  readonly bytes: number;
  readonly wideBytes: number;
  /** √(Σ (x - x')² / Σ x²) */
  readonly relative: number;
  /** The largest |x - x'|. */
  readonly largest: number;
}

/** How many matrices of the graphs are stored in fewer bits, and each of them once. */
export function storageErrors(
  graphs: readonly Graph[],
  choose: ChooseStorage,
  source: WeightSource,
): { readonly count: number; measure(): AsyncGenerator<StorageError> } {
  const stored = new StoredWeights();
  const found = new Map<string, readonly string[]>();
  for (const graph of graphs.map((each) => withStorage(each, choose))) {
    for (const value of storedValues(graph)) {
      const key = stored.key(value);
      if (stored.form(key) !== undefined)
        found.set(
          key,
          learnedIn(value).map(({ path }) => path),
        );
    }
  }
  async function* measure(): AsyncGenerator<StorageError> {
    for (const [key, paths] of found) yield { paths, ...(await errorOf(key, stored, source)) };
  }
  return { count: found.size, measure };
}

async function errorOf(
  key: string,
  stored: StoredWeights,
  source: WeightSource,
): Promise<Omit<StorageError, "paths">> {
  const form = stored.form(key);
  const before = await stored.exact(key, source);
  const { data, shape } = await stored.tensor(key, source);
  let [squares, off, largest] = [0, 0, 0];
  for (let i = 0; i < data.length; i++) {
    const x = before.data[i] ?? 0;
    const difference = x - (data[i] ?? 0);
    squares += x * x;
    off += difference * difference;
    largest = Math.max(largest, Math.abs(difference));
  }
  const count = elementCount(shape);
  const bytes = form?.kind === "int8" ? count + (4 * count) / form.rows.depth : 2 * count;
  return {
    shape,
    as: form?.kind ?? "f32",
    bytes,
    wideBytes: 4 * count,
    relative: squares === 0 ? 0 : Math.sqrt(off / squares),
    largest,
  };
}
