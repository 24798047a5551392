/**
 * A stage in the process, or the page, that it is opened in.
 *
 * Owns: who is open. Where files come from and which onnxruntime there is differ between the two, and are given.
 */
import type { WeightStream } from "../../src/runtime/gpu/browser.ts";
import { adapterName } from "../../src/runtime/gpu/device.ts";
import { type Ceilings, openCeilings } from "./ceilings.ts";
import type { CallForm, Entrant, Output, Stage } from "./contest.ts";
import { type Contestant, openOurs } from "./ours.ts";
import { type OnnxRuntime, type OpenModel, openPeer, type PeerSurroundings } from "./peer.ts";

export interface Surroundings extends PeerSurroundings {
  readonly gpu: GPU;
  readonly ort: () => Promise<OnnxRuntime>;
  readonly text: (path: string) => Promise<string>;
  readonly weights: (path: string) => WeightStream;
  /** @param folder of the models that a profile wrote */
  readonly opener: (folder: string) => OpenModel;
}

/** Why there is no stage on a machine that has no such device. */
export const noAdapter = "there is no WebGPU adapter";

export async function openLocalStage(around: Surroundings): Promise<Stage> {
  const adapter = await around.gpu.requestAdapter();
  if (adapter === null) throw new Error(noAdapter);
  const open = new Map<string, Contestant>();
  const found = (key: string): Contestant => {
    const contestant = open.get(key);
    if (contestant === undefined) throw new Error(`${key} is not open`);
    return contestant;
  };
  let ceilings: Promise<Ceilings> | undefined;
  const best = (): Promise<Ceilings> => {
    ceilings ??= openCeilings(around.gpu, around.stopwatch);
    return ceilings;
  };
  return {
    adapter: adapterName(adapter.info),
    open: async (entrant: Entrant) => {
      switch (entrant.by) {
        case "ours": {
          const plan = await around.text(`${entrant.model}/plan.json`);
          const weights = around.weights(`${entrant.model}/plan.safetensors`);
          open.set(entrant.key, await openOurs(entrant, plan, weights, around.gpu, around.stopwatch));
          return;
        }
        case "peer": {
          const opener = around.opener(`${entrant.model}/${entrant.profile}`);
          open.set(entrant.key, await openPeer(await around.ort(), entrant.entries, opener, around));
        }
      }
    },
    run: (key: string, call: CallForm) => found(key).run(call),
    outputs: async (key: string): Promise<readonly Output[]> => found(key).outputs,
    trace: (key: string, call: CallForm) => found(key).trace(call),
    close: async (key: string) => {
      await found(key).close();
      open.delete(key);
    },
    forms: async () => (await best()).forms,
    product: async (form, size) => (await best()).product(form, size),
    copy: async (way, bytes) => (await best()).copy(way, bytes),
  };
}
