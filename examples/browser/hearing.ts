/**
 * Sound for the model: from a file or the microphone to one channel at the model's rate.
 */
import { decodeWav, isWav, mixDown, resample } from "../../src/runtime/gpu/browser.ts";

/** WAV as the command line reads it; other formats as the browser does. */
export async function decode(bytes: ArrayBuffer, label: string, rate: number): Promise<Float32Array> {
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

/** @param onSecond is told how many seconds are left */
export async function listen(
  seconds: number,
  rate: number,
  onSecond: (left: number) => void,
): Promise<Float32Array> {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  try {
    const recorder = new MediaRecorder(stream);
    const pieces: Blob[] = [];
    recorder.addEventListener("dataavailable", ({ data }) => pieces.push(data));
    const ended = new Promise((done) => recorder.addEventListener("stop", done));
    recorder.start();
    for (let left = seconds; left > 0; left--) {
      onSecond(left);
      await new Promise((done) => setTimeout(done, 1000));
    }
    recorder.stop();
    await ended;
    return await decode(await new Blob(pieces).arrayBuffer(), "the microphone", rate);
  } finally {
    for (const track of stream.getTracks()) track.stop();
  }
}
