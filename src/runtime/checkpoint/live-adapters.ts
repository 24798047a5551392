/**
 * Low-rank adapters beside a model that runs: which one acts is a choice between two calls.
 *
 * Owns: the inputs that make a graph act as adapted (live-adapters.ts of the compiler declares them): A, and B
 * with the adapter's scale, in one rank for all parts. Zeros do nothing, so parts that an adapter leaves out get
 * zeros, and no adapter at all is an adapter of them. Base weights are not touched.
 */
import type { HostTensor } from "../../compiler/host-tensor.ts";
import type { AdapterPort } from "../../compiler/live-adapters.ts";
import { failure } from "../failure.ts";
import { type Adapter, type AdapterSite, requireFit } from "./adapter.ts";

type Inputs = ReadonlyMap<string, HostTensor>;

export class LiveAdapters {
  readonly #ports: readonly AdapterPort[];
  readonly #none: Inputs;
  readonly #adapters = new Map<string, Inputs>();
  #used: string | undefined;

  /** @param ports of the graphs that run */
  constructor(ports: readonly AdapterPort[]) {
    this.#ports = ports;
    this.#none = new Map(ports.flatMap((port) => zeros(port, 1)));
  }

  /** The names that `use` takes, in the order in which they were added. */
  get names(): readonly string[] {
    return [...this.#adapters.keys()];
  }

  /** The adapter that acts; `undefined` when none does. */
  get used(): string | undefined {
    return this.#used;
  }

  /**
   * Reads an adapter, to be used later.
   * @param sites of the adapter in this model, as `adapterSites` finds them
   * @throws DiagnosticError `adapter-shape` when it does not fit the model
   */
  async add(name: string, adapter: Adapter, sites: readonly AdapterSite[]): Promise<void> {
    const byPlace = new Map(sites.map((site) => [site.place, site]));
    const present = this.#ports.flatMap(({ place }) => byPlace.get(place) ?? []);
    const rank = Math.max(1, ...present.map((site) => site.rank));
    const inputs = new Map<string, HostTensor>();
    for (const port of this.#ports) {
      for (const [key, tensor] of await portTensors(port, byPlace.get(port.place), adapter, rank)) {
        inputs.set(key, tensor);
      }
    }
    this.#adapters.set(name, inputs);
  }

  /**
   * From the next call on this adapter acts; without a name, none. A text that is being generated should be
   * ended first: its state was made with the adapter before.
   */
  use(name?: string): void {
    if (name !== undefined) this.#require(name);
    this.#used = name;
  }

  /** What the inputs of the graphs' ports are for an adapter; for the one that acts by default. */
  inputs(name: string | undefined = this.#used): Inputs {
    return name === undefined ? this.#none : this.#require(name);
  }

  /** The inputs of a call with those of the adapter that acts, as far as they are among `accepted`. */
  with(inputs: Inputs, accepted: ReadonlySet<string>): Inputs {
    return new Map([...inputs, ...[...this.inputs()].filter(([name]) => accepted.has(name))]);
  }

  #require(name: string): Inputs {
    const found = this.#adapters.get(name);
    if (found !== undefined) return found;
    throw failure("adapter-unknown", `There is no adapter '${name}'.`, {
      hint: this.#adapters.size === 0 ? "none was added" : `there are ${this.names.join(", ")}`,
    });
  }
}

async function portTensors(
  port: AdapterPort,
  site: AdapterSite | undefined,
  adapter: Adapter,
  rank: number,
): Promise<(readonly [string, HostTensor])[]> {
  if (site === undefined) return zeros(port, rank);
  requireFit([port.output, port.input], site, adapter);
  const [a, b] = [await adapter.tensors.read(site.a), await adapter.tensors.read(site.b)];
  const wideA = new Float32Array(rank * port.input);
  wideA.set(a.data);
  const wideB = new Float32Array(port.output * rank);
  for (let row = 0; row < port.output; row++) {
    for (let k = 0; k < site.rank; k++) {
      wideB[row * rank + k] = site.scale * (b.data[row * site.rank + k] ?? 0);
    }
  }
  return [
    [port.a, { dtype: "f32", shape: [rank, port.input], data: wideA }],
    [port.b, { dtype: "f32", shape: [port.output, rank], data: wideB }],
  ];
}

function zeros({ a, b, input, output }: AdapterPort, rank: number): (readonly [string, HostTensor])[] {
  return [
    [a, { dtype: "f32", shape: [rank, input], data: new Float32Array(rank * input) }],
    [b, { dtype: "f32", shape: [output, rank], data: new Float32Array(output * rank) }],
  ];
}
