/**
 * onnxruntime's WebGPU provider in the contest, with what makes it fastest: all of its optimisations, and states that
 * stay on the device from call to call where it can do that.
 */
import type { InferenceSession, Tensor } from "onnxruntime-node";
import type { HostTensor } from "../../src/compiler/host-tensor.ts";
import { type CallForm, inputsOf, type Output, oneByOne, type PeerEntry } from "./contest.ts";
import type { Contestant } from "./ours.ts";
import type { Stopwatch } from "./stopwatch.ts";

/** The same interface in Node and in a page. */
export type OnnxRuntime = Pick<typeof import("onnxruntime-node"), "InferenceSession" | "Tensor">;

/** Opens the model of an entry with these settings. */
export type OpenModel = (
  entry: string,
  settings: InferenceSession.SessionOptions,
) => Promise<InferenceSession>;

export interface PeerSurroundings {
  readonly stopwatch: Stopwatch;
  /**
   * Whether states can stay on the device. The package for Node says that its setting for it is of the web alone:
   * there they pass through the host.
   */
  readonly statesStay: boolean;
}

export async function openPeer(
  ort: OnnxRuntime,
  entries: readonly PeerEntry[],
  open: OpenModel,
  { stopwatch, statesStay }: PeerSurroundings,
): Promise<Contestant> {
  const sessions = new Map<string, InferenceSession>();
  for (const { name, leaves } of entries) {
    const onDevice = Object.fromEntries(leaves.map(({ output }) => [output, "gpu-buffer" as const]));
    const settings: InferenceSession.SessionOptions = {
      executionProviders: ["webgpu"],
      graphOptimizationLevel: "all",
      logSeverityLevel: 4,
      ...(statesStay && leaves.length > 0 && { preferredOutputLocation: onDevice }),
    };
    sessions.set(name, await open(name, settings));
  }
  /** By the state's name. */
  const states = new Map<string, Tensor>();
  const forget = (): void => {
    for (const tensor of states.values()) tensor.dispose();
    states.clear();
  };
  let outputs: readonly Output[] = [];

  const call = async (
    entry: PeerEntry,
    inputs: ReadonlyMap<string, HostTensor>,
  ): Promise<InferenceSession.ReturnType> => {
    const session = sessions.get(entry.name);
    if (session === undefined) throw new Error(`the peer has no entry ${entry.name}`);
    const feeds: Record<string, Tensor> = {};
    for (const [name, tensor] of inputs) feeds[name] = tensorOf(ort, tensor);
    for (const { input, state } of entry.takes) {
      const tensor = states.get(state);
      if (tensor === undefined) throw new Error(`the peer has no state ${state}`);
      feeds[input] = tensor;
    }
    const results = await session.run(feeds);
    if (entry.leaves.length > 0) forget();
    for (const { output, state } of entry.leaves) {
      const tensor = results[output];
      if (tensor !== undefined) states.set(state, tensor);
    }
    return results;
  };

  return {
    get outputs() {
      return outputs;
    },
    run: async (form: CallForm) => {
      const entry = entries.find(({ name }) => name === form.entry);
      if (entry === undefined) throw new Error(`the peer has no entry ${form.entry}`);
      const inputs = inputsOf(form);
      const rounds = form.idById === undefined ? [inputs] : oneByOne(inputs);
      let results: InferenceSession.ReturnType = {};
      const stop = stopwatch();
      for (const each of rounds) results = await call(entry, each);
      const spent = stop();
      const left = new Set(entry.leaves.map(({ output }) => output));
      outputs = Object.entries(results).flatMap(([name, tensor]) => {
        // What stays on the device can't be looked at.
        if (left.has(name)) return [];
        return [{ name, shape: tensor.dims, values: Array.from(tensor.data, Number) }];
      });
      return spent;
    },
    trace: async () => [],
    close: async () => {
      forget();
      for (const session of sessions.values()) await session.release();
    },
  };
}

function tensorOf({ Tensor }: OnnxRuntime, { dtype, data, shape }: HostTensor): Tensor {
  if (dtype === "i64") return new Tensor("int64", BigInt64Array.from(data, BigInt), shape);
  return new Tensor("float32", Float32Array.from(data), shape);
}
