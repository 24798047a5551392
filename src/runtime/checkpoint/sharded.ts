/**
 * Checkpoints in several files, with an index of which tensor lies in which.
 *
 * Owns: `*.index.json` as Hugging Face write it. Files are named beside the index and nowhere else; each
 * must hold what the index says of it, and what it holds besides is named too, so that it is not lost
 * in silence.
 */
import type { WeightSource } from "../../compiler/host-tensor.ts";
import { describeError, failure } from "../failure.ts";

/** Opens a file that lies beside the index. */
export type OpenShard = (name: string) => Promise<WeightSource>;

/** @throws DiagnosticError `checkpoint-index`, and what opening a file throws */
export async function openSharded(json: string, label: string, open: OpenShard): Promise<WeightSource> {
  const places = readIndex(json, label);
  const shards = new Map<string, WeightSource>();
  for (const file of new Set(places.values())) shards.set(file, await open(file));
  const home = new Map<string, WeightSource>();
  for (const [name, file] of places) {
    const shard = shards.get(file);
    if (shard?.info(name) === undefined) {
      throw failure("checkpoint-index", `${label} says that '${name}' lies in ${file}, and it does not.`, {
        hint: "index and files are of different checkpoints, or one of them is incomplete",
      });
    }
    home.set(name, shard);
  }
  for (const [file, shard] of shards) {
    for (const name of shard.names()) {
      const known = home.get(name);
      if (known === undefined) home.set(name, shard);
      else if (known !== shard) {
        throw failure("checkpoint-index", `'${name}' lies in ${file} too, and ${label} names another file.`);
      }
    }
  }
  const find = (name: string): WeightSource => {
    const shard = home.get(name);
    if (shard === undefined) throw failure("checkpoint-index", `${label} names no tensor '${name}'.`);
    return shard;
  };
  return {
    label,
    names: () => [...home.keys()],
    info: (name) => home.get(name)?.info(name),
    read: (name) => find(name).read(name),
  };
}

function readIndex(json: string, label: string): Map<string, string> {
  const bad = (why: string): Error =>
    failure("checkpoint-index", `${label} is no index of a checkpoint: ${why}.`);
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw bad(describeError(error));
  }
  const map =
    typeof value === "object" && value !== null && "weight_map" in value ? value.weight_map : undefined;
  if (typeof map !== "object" || map === null || Array.isArray(map)) throw bad("it has no weight_map");
  const places = new Map<string, string>();
  for (const [name, file] of Object.entries(map)) {
    if (typeof file !== "string" || !/^[^/\\\0]+$/.test(file) || file === "." || file === "..") {
      throw bad(`'${name}' lies in ${JSON.stringify(file)}, which is no file beside it`);
    }
    places.set(name, file);
  }
  if (places.size === 0) throw bad("it names no tensors");
  return places;
}
