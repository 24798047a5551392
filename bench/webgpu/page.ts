/** The stage inside a page: the browser's WebGPU for both, and onnxruntime-web as it is shipped. */
import { weightsFromAddress } from "../../src/runtime/gpu/browser.ts";
import type { Stage } from "./contest.ts";
import { weightFile } from "./contest.ts";
import { openLocalStage } from "./local-stage.ts";
import type { OnnxRuntime } from "./peer.ts";
import { stopwatchOf } from "./stopwatch.ts";

/** The types of a page are not those of Node. */
declare const navigator: { readonly gpu: GPU };

type Module = OnnxRuntime & { readonly env: { readonly wasm: { wasmPaths: string } } };

let loaded: Promise<Module> | undefined;

/** Beside its files, which it loads by itself: it is no part of this bundle. */
async function load(): Promise<Module> {
  const address: string = "/ort/ort.webgpu.min.mjs";
  const module: Module = await import(address);
  module.env.wasm.wasmPaths = "/ort/";
  return module;
}

const ort = (): Promise<Module> => {
  loaded ??= load();
  return loaded;
};

const stage = openLocalStage({
  gpu: navigator.gpu,
  stopwatch: stopwatchOf(),
  statesStay: true,
  ort,
  text: async (path) => (await fetch(path)).text(),
  weights: weightsFromAddress,
  opener: (folder) => async (entry, settings) =>
    (await ort()).InferenceSession.create(`${folder}/${entry}.onnx`, {
      ...settings,
      externalData: [{ path: weightFile, data: `${folder}/${weightFile}` }],
    }),
});

export async function adapter(): Promise<string> {
  return (await stage).adapter;
}

/** Calls a method of the stage by its name: what calls from outside is text. */
export async function call(
  method: Exclude<keyof Stage, "adapter">,
  args: readonly unknown[],
): Promise<unknown> {
  const found: unknown = (await stage)[method];
  if (typeof found !== "function") throw new Error(`a stage does not ${method}`);
  return found(...args);
}
