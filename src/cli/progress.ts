/**
 * Progress of long work on a terminal; silent in a pipe and with `--json`.
 *
 * Owns: one bar at a time on standard error, through cli-progress.
 */
import { Presets, SingleBar } from "cli-progress";

export interface Progress {
  /** Starts a task of `total` steps (1 for work whose length is not known). */
  start(what: string, total: number): void;
  advance(steps?: number): void;
  stop(): void;
}

export const silent: Progress = { start() {}, advance() {}, stop() {} };

export function terminalProgress(enabled: boolean): Progress {
  if (!enabled || !process.stderr.isTTY) return silent;
  let bar: SingleBar | undefined;
  return {
    start(what, total) {
      bar?.stop();
      const format = total > 1 ? `${what} {bar} {percentage}% {eta_formatted}` : `${what} …`;
      bar = new SingleBar(
        // The cursor stays: Ctrl-C could leave it hidden.
        { format, clearOnComplete: true, stream: process.stderr, hideCursor: false },
        Presets.shades_classic,
      );
      bar.start(total, 0);
    },
    advance(steps = 1) {
      bar?.increment(steps);
    },
    stop() {
      bar?.stop();
      bar = undefined;
    },
  };
}
