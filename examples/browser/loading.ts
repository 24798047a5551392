/**
 * The model of the page: what `ossicle compile` wrote, on the browser's GPU.
 *
 * `?plan=model.json&weights=model.safetensors&labels=labels.json` names other files than these.
 */
import {
  byteTokenizer,
  GpuModel,
  type GpuSession,
  type PlanEntry,
  readPlan,
  readTokenizer,
  TextGenerator,
  weightsFromAddress,
} from "../../src/runtime/gpu/browser.ts";

/** Tells labels: from one waveform to logits. */
export interface Classifier {
  readonly session: GpuSession;
  readonly entry: PlanEntry;
  readonly input: string;
  readonly labels: readonly string[];
}

export interface Ready {
  readonly model: GpuModel;
  /** Samples a second. */
  readonly rate: number;
  readonly classifier: Classifier | undefined;
  /** What the model sees of a sound, for the picture. */
  readonly features:
    | { readonly session: GpuSession; readonly entry: PlanEntry; readonly input: string }
    | undefined;
  readonly captioner: TextGenerator | undefined;
}

export interface Loading {
  readonly signal: AbortSignal;
  /** @param share of the whole, from 0 to 1 */
  readonly show: (share: number, what: string) => void;
}

/** Weights come from the network, kernels from the device's compiler: about as much of the bar for each. */
const shareOfWeights = 0.6;
const mebi = 2 ** 20;

export async function loadModel({ signal, show }: Loading): Promise<Ready> {
  const query = new URLSearchParams(location.search);
  const address = query.get("plan") ?? "model.json";
  show(0, "fetching the plan");
  const plan = readPlan(address, await textOf(address, signal));
  const hears = ({ inputs }: PlanEntry): boolean =>
    inputs.length === 1 && inputs[0]?.sampleRate !== undefined;
  const heard = plan.entries.filter(hears);
  const entry = heard.find(({ name }) => name === "classify") ?? heard.find(({ name }) => name === "forward");
  const seen = heard.find(({ name }) => name === "features");
  const audio = plan.generation?.entries.audio;
  const rate = audio?.sampleRate ?? entry?.inputs[0]?.sampleRate;
  if (rate === undefined) {
    throw new Error(`${address} neither classifies nor captions a waveform: no entry of it hears one.`);
  }
  const model = await GpuModel.load(
    plan,
    weightsFromAddress(query.get("weights") ?? address.replace(/\.json$/, ".safetensors")),
    {
      gpu: navigator.gpu,
      signal,
      recovery: { every: 16 },
      onProgress: ({ loadedBytes, totalBytes }) =>
        show(
          shareOfWeights * (totalBytes === 0 ? 1 : loadedBytes / totalBytes),
          `${(loadedBytes / mebi).toFixed(1)} of ${(totalBytes / mebi).toFixed(1)} MiB of weights`,
        ),
    },
  );
  try {
    await model.prepare({
      signal,
      onProgress: ({ compiledKernels, totalKernels }) =>
        show(
          shareOfWeights + (1 - shareOfWeights) * (totalKernels === 0 ? 1 : compiledKernels / totalKernels),
          `${compiledKernels} of ${totalKernels} kernels`,
        ),
    });
    const input = (of: PlanEntry): string => of.inputs[0]?.name ?? "";
    return {
      model,
      rate,
      classifier: entry && {
        session: model.session(),
        entry,
        input: input(entry),
        labels: await labelsAt(query.get("labels") ?? "labels.json", signal),
      },
      features: seen && { session: model.session(), entry: seen, input: input(seen) },
      captioner:
        audio && new TextGenerator(model, await tokenizerOf(address, plan.generation?.tokenizer, signal)),
    };
  } catch (error) {
    model.dispose();
    throw error;
  }
}

/** The one beside the plan; without one, an id is a byte. */
async function tokenizerOf(plan: string, file: string | undefined, signal: AbortSignal) {
  if (file === undefined) return byteTokenizer;
  return await readTokenizer(await textOf(plan.replace(/[^/]*$/, file), signal), file);
}

async function labelsAt(address: string, signal: AbortSignal): Promise<readonly string[]> {
  const response = await fetch(address, { signal });
  if (!response.ok) return [];
  const labels: unknown = await response.json();
  return Array.isArray(labels) ? labels.map(String) : [];
}

async function textOf(address: string, signal: AbortSignal): Promise<string> {
  const response = await fetch(address, { signal });
  if (!response.ok)
    throw new Error(`${address} could not be fetched: ${response.status} ${response.statusText}`.trim());
  return await response.text();
}
