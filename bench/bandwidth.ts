/**
 * What copying memory takes here: the bound of decoding, which reads every weight once a token.
 *
 * Owns: as many threads as there are cores, each copying its part, started once. A copy of n bytes
 * reads n and writes n, and both count.
 */
import { cpus } from "node:os";
import { Worker } from "node:worker_threads";

/** Copies its part of the memory whenever it is told to. */
const program = `
  const { parentPort, workerData } = require("node:worker_threads");
  const from = new Float64Array(workerData.from);
  const to = new Float64Array(workerData.to);
  parentPort.on("message", () => { to.set(from); parentPort.postMessage("done"); });
`;

export interface Copier {
  /** Reads and writes as many bytes as were asked for, together. */
  run(): Promise<void>;
  release(): Promise<void>;
}

export function openCopier(bytes: number): Copier {
  const count = cpus().length;
  const each = 8 * Math.ceil(bytes / 2 / count / 8);
  const workers = Array.from({ length: count }, () => {
    const [from, to] = [new SharedArrayBuffer(each), new SharedArrayBuffer(each)];
    // Pages that were never written share one page of zeros, which lies in the cache.
    new Float64Array(from).fill(1);
    return new Worker(program, { eval: true, workerData: { from, to } });
  });
  const ask = (worker: Worker): Promise<void> =>
    new Promise((resolve, reject) => {
      worker.once("message", () => resolve());
      worker.once("error", reject);
      worker.postMessage("copy");
    });
  return {
    run: async () => {
      await Promise.all(workers.map(ask));
    },
    release: async () => {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}
