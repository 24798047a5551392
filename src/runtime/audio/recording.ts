/**
 * A decoded recording.
 *
 * Owns: the type between the decoders and the front end, the faults that all of them share, and the
 * checks that hold whatever the format was.
 */
import type { DiagnosticError } from "../../lang/diagnostic.ts";
import { failure } from "../failure.ts";

export interface Recording {
  /** In hertz. */
  readonly sampleRate: number;
  /** One array for each channel, all of one length; full scale is -1 to 1. */
  readonly channels: readonly Float32Array[];
}

const slowestRate = 1000;
const fastestRate = 1_000_000;

/** The recording itself, once it is known to hold sound. */
export function checkRecording(recording: Recording, label: string): Recording {
  const { sampleRate, channels } = recording;
  if ((channels[0]?.length ?? 0) === 0) throw emptyAudio(label);
  if (!Number.isInteger(sampleRate) || sampleRate < slowestRate || sampleRate > fastestRate) {
    throw failure("audio-sample-rate", `${label} has a sample rate of ${sampleRate} Hz.`, {
      notes: [`rates from ${slowestRate} to ${fastestRate} Hz can be read`],
    });
  }
  for (const [index, samples] of channels.entries()) {
    const wrong = samples.findIndex((sample) => !Number.isFinite(sample));
    if (wrong < 0) continue;
    throw failure("audio-not-finite", `${label} holds a sample that is not a number.`, {
      notes: [`${samples[wrong]} at ${(wrong / sampleRate).toFixed(3)} s of channel ${index + 1}`],
      hint: "Repair the recording, or write it again as 16-bit integers.",
    });
  }
  return recording;
}

export function emptyAudio(label: string): DiagnosticError {
  return failure("audio-empty", `${label} holds no sound.`, {
    hint: "Check that the recording has any length.",
  });
}

export function undecodable(label: string, format: string, reason: string): DiagnosticError {
  return failure("audio-undecodable", `${label} cannot be decoded as ${format}.`, {
    notes: [reason],
    hint: "The file is damaged; copy or record it again.",
  });
}

export function truncatedAudio(label: string, notes: readonly string[]): DiagnosticError {
  return failure("audio-truncated", `${label} ends before its sound does.`, {
    notes,
    hint: "The file is incomplete; copy or download it again.",
  });
}
