/**
 * The page's side of chromium-target.ts: loads plans, runs entries, and gives back plain values.
 */
import type { HostTensor } from "../../src/compiler/host-tensor.ts";
import type { Diagnostic } from "../../src/lang/diagnostic.ts";
import { DiagnosticError, GpuModel, readPlan, weightsFromAddress } from "../../src/runtime/gpu/browser.ts";

/** The types of a page are not those of Node. */
declare const navigator: { readonly gpu: GPU };

/** A tensor as it crosses: its values as doubles, in base64. */
export interface Carried {
  readonly name: string;
  readonly dtype: HostTensor["dtype"];
  readonly shape: readonly number[];
  readonly base64: string;
}

export interface Answered {
  readonly outputs?: readonly Carried[];
  readonly problem?: Pick<Diagnostic, "code" | "message" | "notes" | "hint">;
}

const models = new Map<string, GpuModel>();

export async function load(name: string): Promise<Answered> {
  return await answered(async () => {
    const plan = readPlan(name, await (await fetch(`${name}.json`)).text());
    const weights = weightsFromAddress(`${name}.safetensors`);
    models.set(name, await GpuModel.load(plan, weights, { gpu: navigator.gpu }));
    return {};
  });
}

export async function run(name: string, entry: string, given: readonly Carried[]): Promise<Answered> {
  return await answered(async () => {
    const model = models.get(name);
    if (model === undefined) throw new Error(`${name} was not loaded`);
    const session = model.session();
    const inputs = new Map(given.map((each) => [each.name, uncarried(each)]));
    const read = model.entry(entry).outputs.map((output) => output.name);
    const { outputs } = await session.call(entry, inputs, { read });
    session.dispose();
    return { outputs: [...outputs].map(([output, tensor]) => carry(output, tensor)) };
  });
}

export async function unload(name: string): Promise<Answered> {
  models.get(name)?.dispose();
  models.delete(name);
  return {};
}

async function answered(action: () => Promise<Answered>): Promise<Answered> {
  try {
    return await action();
  } catch (error) {
    const [problem] = error instanceof DiagnosticError ? error.diagnostics : [];
    if (problem === undefined) throw error;
    const { code, message, notes, hint } = problem;
    return { problem: { code, message, notes, ...(hint !== undefined && { hint }) } };
  }
}

function carry(name: string, { dtype, shape, data }: HostTensor): Carried {
  const bytes = new Uint8Array(Float64Array.from(data).buffer);
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return { name, dtype, shape, base64: btoa(text) };
}

function uncarried({ dtype, shape, base64 }: Carried): HostTensor {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const data = new Float64Array(bytes.buffer);
  return { dtype, shape, data: dtype === "f32" ? Float32Array.from(data) : data };
}
