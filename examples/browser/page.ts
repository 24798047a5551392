/**
 * A page that labels and captions sounds: what `ossicle compile` wrote, run by the browser's own GPU.
 *
 * Owns: what may be pressed when. Loading is in loading.ts, sounds are in hearing.ts, answers in answers.ts.
 */
import { caption, classify, costOf, drawFeatures } from "./answers.ts";
import { hideProblem, part, showProblem } from "./elements.ts";
import { decode, listen } from "./hearing.ts";
import { loadModel, type Ready } from "./loading.ts";
import { drawWaveform } from "./pictures.ts";

const loading = part("loading", HTMLElement);
const sounds = part("sound", HTMLElement);
const file = part("file", HTMLInputElement);
const microphone = part("microphone", HTMLButtonElement);
const seconds = part("seconds", HTMLInputElement);
const status = part("status", HTMLSpanElement);
const again = part("again", HTMLButtonElement);
const describe = part("describe", HTMLButtonElement);
const stop = part("stop", HTMLButtonElement);

let cancelLoading = new AbortController();
let stopCaption = new AbortController();
let ready: Ready | undefined;
let sound: Float32Array | undefined;

part("cancel", HTMLButtonElement).addEventListener("click", () => cancelLoading.abort());
again.addEventListener("click", () => void load());
stop.addEventListener("click", () => stopCaption.abort());
part("ask", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  void work(async (model) => say(model));
});
file.addEventListener("change", () => {
  const [chosen] = file.files ?? [];
  // The same file may be chosen once more.
  if (chosen !== undefined) void hear(chosen).finally(() => (file.value = ""));
});
microphone.addEventListener("click", () => {
  void work(async (model) => {
    const length = Math.min(Math.max(1, Math.round(seconds.valueAsNumber || 3)), 30);
    const heard = await listen(length, model.rate, (left) => {
      status.textContent = `listening, ${left} s left …`;
    });
    await answer(model, heard);
  });
});
for (const kind of ["dragover", "dragleave", "drop"] as const) {
  sounds.addEventListener(kind, (event) => {
    event.preventDefault();
    sounds.classList.toggle("dropping", kind === "dragover");
    const [dropped] = event.dataTransfer?.files ?? [];
    if (kind === "drop" && dropped !== undefined && !file.disabled) void hear(dropped);
  });
}
// A drawing does not change its colour by itself.
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  if (sound !== undefined) drawWaveform(part("waveform", HTMLCanvasElement), sound);
});
void load();

async function load(): Promise<void> {
  hideProblem();
  ready?.model.dispose();
  ready = undefined;
  cancelLoading = new AbortController();
  loading.hidden = false;
  try {
    ready = await loadModel({
      signal: cancelLoading.signal,
      show: (share, what) => {
        part("progress", HTMLProgressElement).value = share;
        part("loaded", HTMLSpanElement).textContent = what;
      },
    });
    introduce(ready);
    enable(true);
  } catch (error) {
    again.hidden = false;
    showProblem(cancelLoading.signal.aborted ? new Error("Loading was cancelled.") : error);
  } finally {
    loading.hidden = true;
  }
}

function introduce({ model, captioner }: Ready): void {
  const { plan, adapter } = model;
  part("about", HTMLParagraphElement).textContent =
    `${plan.model}: ${plan.kernels.length} kernels on ${adapter}`;
  part("caption", HTMLElement).hidden = captioner === undefined;
  if (captioner === undefined) return;
  part("prompt", HTMLTextAreaElement).value ||= captioner.generation.prompt ?? "";
  part("limit", HTMLInputElement).value = `${captioner.generation.limit ?? 64}`;
}

async function hear(chosen: File): Promise<void> {
  await work(async (model) => {
    status.textContent = "reading …";
    await answer(model, await decode(await chosen.arrayBuffer(), chosen.name, model.rate));
  });
}

async function answer(model: Ready, heard: Float32Array): Promise<void> {
  sound = heard;
  part("empty", HTMLElement).hidden = true;
  part("pictures", HTMLElement).hidden = false;
  drawWaveform(part("waveform", HTMLCanvasElement), heard);
  const cost = part("cost", HTMLParagraphElement);
  cost.textContent = costOf(model, heard);
  cost.hidden = false;
  status.textContent = "computing …";
  const started = performance.now();
  await drawFeatures(model, heard);
  await classify(model, heard);
  await say(model);
  status.textContent = `${((performance.now() - started) / 1000).toFixed(2)} s`;
}

async function say(model: Ready): Promise<void> {
  if (sound === undefined) return;
  stopCaption = new AbortController();
  stop.disabled = model.captioner === undefined;
  try {
    await caption(model, sound, stopCaption.signal);
  } finally {
    stop.disabled = true;
  }
}

/** One thing at a time; whatever goes wrong is said in the page. */
async function work(action: (model: Ready) => Promise<void>): Promise<void> {
  if (ready === undefined) return;
  hideProblem();
  again.hidden = true;
  enable(false);
  try {
    await action(ready);
  } catch (error) {
    status.textContent = "";
    part("speed", HTMLParagraphElement).textContent = "";
    showProblem(error);
  } finally {
    enable(true);
  }
}

function enable(enabled: boolean): void {
  file.disabled = !enabled;
  microphone.disabled = !enabled;
  describe.disabled = !enabled || sound === undefined;
}
