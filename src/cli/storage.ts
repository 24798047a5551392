/**
 * How learned matrices are stored: as the program says, or as `--weights-dtype` says in its place.
 */
import type { Elaboration } from "../compiler/elaborate.ts";
import type { Graph } from "../compiler/graph.ts";
import { type ChooseStorage, withStorage } from "../compiler/storage.ts";
import { storageRuleAt } from "../lang/storage.ts";
import type { StorageType } from "../lang/storage-type.ts";

export interface StorageOptions {
  readonly weightsDtype?: StorageType;
}

export function storageChoice(
  { weightsDtype }: StorageOptions,
  model: Partial<Pick<Elaboration, "outline">>,
): ChooseStorage {
  if (weightsDtype !== undefined) return () => ({ as: weightsDtype });
  const rules = model.outline?.evaluator.stored ?? [];
  return (path) => storageRuleAt(path, rules);
}

/** The graphs as they run, adapters and all: what is stored in fewer bits is rounded in them. */
export function storedGraphs(graphs: readonly Graph[], choose: ChooseStorage): readonly Graph[] {
  return graphs.map((graph) => withStorage(graph, choose));
}
