/**
 * Adapters as a user names them: one folder to merge into the weights, or several under names to choose from.
 *
 * Owns: `--adapter` and `--use`, and opening folders as PEFT saves them. What they do to weights and graphs is
 * checkpoint/adapter.ts and live-adapters.ts.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Graph } from "../compiler/graph.ts";
import { withLiveAdapters } from "../compiler/live-adapters.ts";
import { type Adapter, type AdapterSite, readAdapterConfig } from "../runtime/checkpoint/adapter.ts";
import { LiveAdapters } from "../runtime/checkpoint/live-adapters.ts";
import { failure } from "../runtime/failure.ts";
import { openCheckpoint } from "./checkpoint.ts";
import { readFileText } from "./files.ts";

export interface AdapterOptions {
  readonly adapter?: readonly string[];
  readonly use?: readonly string[];
}

export interface AdapterChoice {
  /** The folder of the adapter that becomes part of the weights. */
  readonly merged?: string;
  readonly named: readonly { readonly name: string; readonly folder: string }[];
  /** Those to use, one after the other; `undefined` stands for none. */
  readonly use: readonly (string | undefined)[];
}

export const noAdapters: AdapterChoice = { named: [], use: [] };

/** What `--use` calls the model as it is. */
const none = "none";

/**
 * `--adapter FOLDER` merges, `--adapter NAME=FOLDER` keeps apart.
 * @throws DiagnosticError `bad-adapter-option`
 */
export function adapterChoice({ adapter: given = [], use = [] }: AdapterOptions): AdapterChoice {
  const named = new Map<string, string>();
  const folders: string[] = [];
  for (const text of given) {
    const [, name, folder] = existsSync(text) ? [] : (/^([A-Za-z][\w.-]*)=(.+)$/s.exec(text) ?? []);
    if (name === undefined || folder === undefined) {
      folders.push(text);
      continue;
    }
    if (name === none || named.has(name)) {
      throw failure("bad-adapter-option", `No second adapter can be called '${name}'.`, {
        ...(name === none && { notes: ["it stands for the model without an adapter"] }),
      });
    }
    named.set(name, folder);
  }
  const [merged, second] = folders;
  if (second !== undefined) {
    throw failure("bad-adapter-option", `Only one adapter can be merged, and ${second} is the second.`, {
      hint: "give them names to choose from: --adapter a=FOLDER --adapter b=FOLDER --use b",
    });
  }
  const unknown = use.find((name) => name !== none && !named.has(name));
  if (unknown !== undefined) {
    throw failure("adapter-unknown", `There is no adapter '${unknown}' to use.`, {
      hint:
        named.size === 0
          ? "name one: --adapter NAME=FOLDER"
          : `there are ${[...named.keys()].join(", ")}, and ${none}`,
    });
  }
  return {
    ...(merged !== undefined && { merged }),
    named: [...named].map(([name, folder]) => ({ name, folder })),
    use:
      use.length > 0 ? use.map((name) => (name === none ? undefined : name)) : [...named.keys()].slice(0, 1),
  };
}

/** One adapter at a time: for commands that give one result. @throws DiagnosticError `bad-adapter-option` */
export function singleUse(choice: AdapterChoice): AdapterChoice {
  if (choice.use.length <= 1) return choice;
  throw failure("bad-adapter-option", "This command uses one adapter, and several are given.", {
    hint: "generate and caption give a text for each --use",
  });
}

/** A folder as PEFT saves it. */
export async function openAdapter(folder: string): Promise<Adapter & { close(): Promise<void> }> {
  const configuration = join(folder, "adapter_config.json");
  const config = readAdapterConfig(await readFileText(configuration), configuration);
  const safetensors = join(folder, "adapter_model.safetensors");
  const pickled = join(folder, "adapter_model.bin");
  const file = existsSync(safetensors) || !existsSync(pickled) ? safetensors : pickled;
  const { source, close } = await openCheckpoint(file);
  return { label: folder, config, tensors: source, close };
}

/** An adapter that is kept apart, with its places in the model. */
export interface NamedAdapter {
  readonly name: string;
  readonly adapter: Adapter;
  readonly sites: readonly AdapterSite[];
}

/** The graphs with inputs for the adapters, and the adapters, all read. */
export async function prepareAdapters(
  graphs: readonly Graph[],
  named: readonly NamedAdapter[],
): Promise<{ readonly graphs: readonly Graph[]; readonly adapters: LiveAdapters }> {
  const places = new Set(named.flatMap(({ sites }) => sites.map(({ place }) => place)));
  const adapted = withLiveAdapters(graphs, places);
  const adapters = new LiveAdapters(adapted.ports);
  for (const { name, adapter, sites } of named) await adapters.add(name, adapter, sites);
  return { graphs: adapted.graphs, adapters };
}
