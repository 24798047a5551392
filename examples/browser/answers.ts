/**
 * What the model says of a sound: labels, and a caption that grows word by word.
 */
import {
  type EntryCost,
  entryCost,
  type GeneratedToken,
  type HostTensor,
  type TextOptions,
} from "../../src/runtime/gpu/browser.ts";
import { part } from "./elements.ts";
import type { Ready } from "./loading.ts";
import { drawSpectrogram } from "./pictures.ts";

const labelsShown = 5;

export async function drawFeatures({ features }: Ready, sound: Float32Array): Promise<void> {
  const canvas = part("spectrogram", HTMLCanvasElement);
  canvas.hidden = features === undefined;
  if (features === undefined) return;
  const { outputs } = await features.session.call(features.entry.name, given(features.input, sound));
  const [seen] = outputs.values();
  if (seen !== undefined) drawSpectrogram(canvas, seen);
}

export async function classify({ classifier }: Ready, sound: Float32Array): Promise<void> {
  if (classifier === undefined) return;
  const { session, entry, input, labels } = classifier;
  const { outputs } = await session.call(entry.name, given(input, sound));
  const [logits] = outputs.values();
  if (logits === undefined) throw new Error(`${entry.name} gives nothing.`);
  showLabels(logits, labels);
}

function given(name: string, sound: Float32Array): ReadonlyMap<string, HostTensor> {
  return new Map([[name, { dtype: "f32", shape: [sound.length], data: sound }]]);
}

function showLabels(logits: HostTensor, names: readonly string[]): void {
  const classes = logits.shape.at(-1) ?? 0;
  const ranked = Array.from(logits.data.subarray(0, classes), (logit, index) => ({ logit, index }))
    .sort((a, b) => b.logit - a.logit)
    .slice(0, labelsShown);
  part("labels", HTMLOListElement).replaceChildren(
    ...ranked.map(({ logit, index }) => {
      const score = 1 / (1 + Math.exp(-logit));
      const bar = document.createElement("span");
      bar.className = "bar";
      bar.style.width = `${(100 * score).toFixed(1)}%`;
      const track = document.createElement("span");
      track.className = "track";
      track.append(bar);
      const item = document.createElement("li");
      item.dataset["index"] = `${index}`;
      item.dataset["logit"] = `${logit}`;
      item.append(textSpan(names[index] ?? `class ${index}`), track, textSpan(score.toFixed(3)));
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

/** Writes the caption as its words come. */
export async function caption({ captioner }: Ready, sound: Float32Array, signal: AbortSignal): Promise<void> {
  if (captioner === undefined) return;
  const text = part("text", HTMLDivElement);
  const speed = part("speed", HTMLParagraphElement);
  text.textContent = "";
  delete text.dataset["ids"];
  text.classList.add("going");
  speed.textContent = "listening …";
  const asked = { prompt: part("prompt", HTMLTextAreaElement).value, audio: sound };
  const ids: number[] = [];
  const started = performance.now();
  let first = started;
  try {
    const tokens = captioner.generate(asked, { ...chosenOptions(), signal });
    for (;;) {
      const next = await tokens.next();
      if (next.done === true) {
        const seconds = (performance.now() - first) / 1000;
        const rate = ids.length > 1 ? `, ${((ids.length - 1) / seconds).toFixed(1)} a second` : "";
        const end = { stop: "", limit: ", cut off at the limit", aborted: ", stopped" }[next.value.reason];
        speed.textContent = `${ids.length} tokens${rate}${end}; ${((first - started) / 1000).toFixed(2)} s to the first`;
        text.dataset["ids"] = next.value.ids.join(" ");
        return;
      }
      if (ids.length === 0) first = performance.now();
      ids.push(next.value.id);
      append(text, next.value);
      speed.textContent = `${ids.length} tokens`;
    }
  } finally {
    text.classList.remove("going");
  }
}

function append(text: HTMLElement, token: GeneratedToken): void {
  if (token.text !== "") text.append(token.text);
}

function chosenOptions(): TextOptions {
  const number = (id: string): number => part(id, HTMLInputElement).valueAsNumber;
  const limit = { limit: number("limit") };
  if (part("choice", HTMLSelectElement).value === "greedy") return limit;
  const choice = {
    kind: "sample",
    temperature: number("temperature"),
    topK: number("top-k"),
    seed: number("seed"),
  } as const;
  return { ...limit, choice };
}

/** What this sound costs, in words. */
export function costOf({ model, classifier, captioner, rate }: Ready, sound: Float32Array): string {
  const { plan } = model;
  const words: string[] = [`${(sound.length / rate).toFixed(1)} s of sound`];
  if (classifier !== undefined) {
    const shapes = new Map([[classifier.input, [sound.length]]]);
    words.push(`labels: ${inWords(entryCost(plan, classifier.entry.name, shapes))}`);
  }
  const entries = captioner?.generation.entries;
  if (captioner !== undefined && entries?.audio !== undefined) {
    const prompt = captioner.tokenizer?.encode(part("prompt", HTMLTextAreaElement).value).length ?? 1;
    const shapes = new Map<string, readonly number[]>([[entries.audio.name, [sound.length]]]);
    if (entries.prompt !== undefined)
      shapes.set(entries.prompt.name, entries.prompt.rank === 1 ? [prompt] : [1, prompt]);
    words.push(`to the first word: ${inWords(entryCost(plan, entries.first, shapes))}`);
    const token = new Map([[entries.token.name, new Array<number>(entries.token.rank).fill(1)]]);
    words.push(`each word: ${inWords(entryCost(plan, entries.next, token))}`);
  }
  const weights = plan.weights.reduce((sum, { bytes }) => sum + bytes, 0);
  words.push(`weights: ${inBytes(weights)}`);
  return words.join(" · ");
}

function inWords({ macs, dispatches }: EntryCost): string {
  return `${scaled(macs)} multiply-adds in ${dispatches} dispatches`;
}

function scaled(count: number): string {
  const units = ["", " k", " M", " G", " T"];
  let unit = 0;
  let value = count;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${Number(value.toPrecision(3))}${units[unit]}`;
}

function inBytes(bytes: number): string {
  return bytes < 2 ** 20 ? `${(bytes / 1024).toFixed(0)} KiB` : `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
