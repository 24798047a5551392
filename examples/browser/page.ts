/**
 * A page that labels sounds: a plan and its weights, loaded and run by the browser's own GPU.
 *
 * `?plan=model.json&weights=model.safetensors&labels=labels.json` names other files than these. The plan
 * has an entry from one waveform to logits, and perhaps `features`, what the model sees of the sound, for
 * the picture. Drawing is in pictures.ts.
 */
import { mixDown } from "../../src/runtime/audio/load.ts";
import { resample } from "../../src/runtime/audio/resample.ts";
import { decodeWav, isWav } from "../../src/runtime/audio/wav.ts";
import {
  DiagnosticError,
  GpuModel,
  type GpuSession,
  type HostTensor,
  type PlanEntry,
  readPlan,
  weightsFromAddress,
} from "../../src/runtime/gpu/browser.ts";
import { drawSpectrogram, drawWaveform } from "./pictures.ts";

const secondsHeard = 3;
const labelsShown = 5;

function part<T extends HTMLElement>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no #${id}`);
  return found;
}

const about = part("about", HTMLParagraphElement);
const progress = part("progress", HTMLProgressElement);
const file = part("file", HTMLInputElement);
const microphone = part("microphone", HTMLButtonElement);
const cancel = part("cancel", HTMLButtonElement);
const status = part("status", HTMLSpanElement);

interface Ready {
  readonly session: GpuSession;
  readonly entry: PlanEntry;
  readonly features: PlanEntry | undefined;
  readonly input: string;
  readonly rate: number;
  readonly labels: readonly string[];
}

const stop = new AbortController();
cancel.addEventListener("click", () => stop.abort());

attempt(async () => {
  const ready = await load();
  const hear = (sound: () => Promise<Float32Array>): void =>
    attempt(async () => {
      setEnabled(false);
      try {
        await classify(ready, await sound());
      } catch (error) {
        status.textContent = "";
        throw error;
      } finally {
        setEnabled(true);
      }
    });
  file.addEventListener("change", () => {
    const [chosen] = file.files ?? [];
    if (chosen !== undefined) hear(async () => decode(await chosen.arrayBuffer(), chosen.name, ready.rate));
  });
  microphone.addEventListener("click", () => hear(() => listen(ready.rate)));
  setEnabled(true);
});

async function load(): Promise<Ready> {
  const query = new URLSearchParams(location.search);
  const planAddress = query.get("plan") ?? "model.json";
  const plan = readPlan(planAddress, await textOf(planAddress));
  const hears = ({ inputs }: PlanEntry): boolean =>
    inputs.length === 1 && inputs[0]?.sampleRate !== undefined;
  const entry = plan.entries.find((each) => hears(each) && each.name !== "features");
  const [input] = entry?.inputs ?? [];
  if (entry === undefined || input?.sampleRate === undefined) {
    throw new Error(`${planAddress} has no entry from one waveform to logits.`);
  }
  const model = await GpuModel.load(
    plan,
    weightsFromAddress(query.get("weights") ?? weightsBeside(planAddress)),
    {
      gpu: navigator.gpu,
      signal: stop.signal,
      recovery: { every: 1 },
      onProgress: ({ loadedBytes, totalBytes }) => {
        progress.value = totalBytes === 0 ? 1 : loadedBytes / totalBytes;
      },
    },
  );
  progress.hidden = true;
  cancel.hidden = true;
  about.textContent = `${plan.model}, ${plan.kernels.length} kernels, on ${model.adapter}`;
  const labels: unknown = JSON.parse(await textOf(query.get("labels") ?? "labels.json").catch(() => "[]"));
  return {
    session: model.session(),
    entry,
    features: plan.entries.find((each) => hears(each) && each.name === "features"),
    input: input.name,
    rate: input.sampleRate,
    labels: Array.isArray(labels) ? labels.map(String) : [],
  };
}

function weightsBeside(planAddress: string): string {
  return planAddress.replace(/\.json$/, ".safetensors");
}

async function textOf(address: string): Promise<string> {
  const response = await fetch(address, { signal: stop.signal });
  if (!response.ok)
    throw new Error(`${address} could not be fetched: ${response.status} ${response.statusText}`);
  return await response.text();
}

async function classify(
  { session, entry, features, input, labels }: Ready,
  sound: Float32Array,
): Promise<void> {
  part("pictures", HTMLElement).hidden = false;
  drawWaveform(part("waveform", HTMLCanvasElement), sound);
  const given = new Map<string, HostTensor>([[input, { dtype: "f32", shape: [sound.length], data: sound }]]);
  status.textContent = "computing …";
  const started = performance.now();
  const { outputs } = await session.call(entry.name, given);
  const seconds = (performance.now() - started) / 1000;
  if (features !== undefined) {
    const [seen] = (await session.call(features.name, given)).outputs.values();
    if (seen !== undefined) drawSpectrogram(part("spectrogram", HTMLCanvasElement), seen);
  }
  const [logits] = outputs.values();
  if (logits === undefined) throw new Error(`${entry.name} gives nothing.`);
  showLabels(logits, labels);
  status.textContent = `${seconds.toFixed(2)} s`;
}

function showLabels(logits: HostTensor, names: readonly string[]): void {
  const classes = logits.shape.at(-1) ?? 0;
  const ranked = Array.from(logits.data.subarray(0, classes), (logit, index) => ({ logit, index }))
    .sort((a, b) => b.logit - a.logit)
    .slice(0, labelsShown);
  const list = part("labels", HTMLOListElement);
  list.replaceChildren(
    ...ranked.map(({ logit, index }) => {
      const score = 1 / (1 + Math.exp(-logit));
      const bar = document.createElement("span");
      bar.className = "bar";
      bar.style.width = `${(100 * score).toFixed(1)}%`;
      const item = document.createElement("li");
      item.dataset["index"] = `${index}`;
      item.dataset["logit"] = `${logit}`;
      item.append(textSpan(names[index] ?? `class ${index}`), bar, textSpan(score.toFixed(3)));
      return item;
    }),
  );
  part("answers", HTMLElement).hidden = false;
}

function textSpan(text: string): HTMLSpanElement {
  const span = document.createElement("span");
  span.textContent = text;
  return span;
}

/** WAV as the command line reads it; other formats as the browser does. */
async function decode(bytes: ArrayBuffer, label: string, rate: number): Promise<Float32Array> {
  const array = new Uint8Array(bytes);
  if (isWav(array)) {
    const recording = decodeWav(array, label);
    return resample(mixDown(recording.channels), recording.sampleRate, rate);
  }
  const context = new AudioContext();
  try {
    const buffer = await context.decodeAudioData(bytes);
    const channels = Array.from({ length: buffer.numberOfChannels }, (_, i) => buffer.getChannelData(i));
    return resample(mixDown(channels), buffer.sampleRate, rate);
  } finally {
    await context.close();
  }
}

async function listen(rate: number): Promise<Float32Array> {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  const recorder = new MediaRecorder(stream);
  const pieces: Blob[] = [];
  recorder.addEventListener("dataavailable", ({ data }) => pieces.push(data));
  const ended = new Promise((done) => recorder.addEventListener("stop", done));
  status.textContent = "listening …";
  recorder.start();
  setTimeout(() => recorder.stop(), secondsHeard * 1000);
  await ended;
  for (const track of stream.getTracks()) track.stop();
  status.textContent = "";
  return await decode(await new Blob(pieces).arrayBuffer(), "the microphone", rate);
}

function setEnabled(enabled: boolean): void {
  file.disabled = !enabled;
  microphone.disabled = !enabled;
}

/** Whatever goes wrong is said in the page. */
function attempt(action: () => Promise<void>): void {
  part("failure", HTMLElement).hidden = true;
  action().catch((error: unknown) => {
    const problem = part("problem", HTMLDivElement);
    problem.textContent =
      error instanceof DiagnosticError
        ? error.diagnostics
            .map(({ message, notes, hint }) => [message, ...notes, hint].join("\n"))
            .join("\n\n")
        : String(error);
    part("failure", HTMLElement).hidden = false;
    cancel.hidden = true;
    progress.hidden = true;
  });
}
