/** What a contest says: ratios, with what they are aimed at. */

import type { CallResult, StageResult } from "./measure-stage.ts";
import { paceRatio, printRatio, scaled } from "./pace.ts";

/** How many times as fast as the peer, by call. */
export interface Aims {
  readonly encoder: number;
  readonly decoder: number;
}

const busy = 1.5;

export function printStage(result: StageResult, aims: Aims): string {
  const { ours, peer, products, copies } = result;
  const lines = [`${result.name}, on ${result.adapter}; medians of ${result.rounds} rounds`];
  const load = Math.max(...result.load);
  if (load > busy) {
    lines.push(
      `  the machine does other work (load ${load.toFixed(1)}): the clock says less than the processors' time`,
    );
  }
  for (const [turn, one] of Object.entries(peer)) {
    const own = ours[turn];
    if (own === undefined) continue;
    const aim = turn === "dense" || turn === "pruned" ? aims.encoder : aims.decoder;
    lines.push(
      `  ${turn}: ${printRatio(paceRatio(one, own))} times as fast as onnxruntime (aim ${aim}; its profile ${one.profile}; ${seconds(own)} and ${seconds(one)} a run; outputs ${one.distance.toExponential(1)} apart)`,
    );
  }
  for (const line of result.refused) lines.push(`  left out: ${line}`);
  const { dense, pruned, prefill, step, read, readOneByOne } = ours;
  if (dense !== undefined && pruned !== undefined) {
    lines.push(
      `  pruned over dense: ${printRatio(paceRatio(pruned, dense))} of the time, ${(pruned.macs / dense.macs).toFixed(2)} of the MACs`,
    );
  }
  if (read !== undefined && readOneByOne !== undefined) {
    lines.push(
      `  ${readOneByOne.calls} ids at once over one by one: ${printRatio(paceRatio(read, readOneByOne))} of the time`,
    );
  }
  if (dense !== undefined) {
    const ratio = scaled(paceRatio(products.pace, dense), (2 * dense.macs) / products.flops);
    lines.push(
      `  encoder over the best plain products: ${printRatio(ratio)} (aim 0.7; ${rate(2 * dense.macs, dense)} of ${rate(products.flops, { ...products.pace, calls: 1 })} GFLOP/s)`,
    );
    for (const { size, form } of products.forms) {
      lines.push(`    best at ${size.rows} x ${size.depth} x ${size.columns}: ${form}`);
    }
  }
  if (prefill !== undefined) lines.push(`  prefill: ${rate(2 * prefill.macs, prefill)} GFLOP/s`);
  const copied = Math.max(...Object.values(copies.paces).map(({ clock }) => copies.bytes / clock.median));
  if (step !== undefined) {
    const own = (step.calls * step.bytes) / step.clock.median;
    lines.push(
      `  step: ${(own / 1e9).toFixed(2)} of ${(copied / 1e9).toFixed(2)} GB/s that copying reaches, ${(own / copied).toFixed(2)}`,
    );
  }
  for (const [turn, rows] of Object.entries(result.kernels)) {
    lines.push(`  where the time of ${turn} goes:`);
    for (const { kernel, dispatches, share, seconds: took, flopsPerSecond } of rows.slice(0, 6)) {
      lines.push(
        `    ${(100 * share).toFixed(1).padStart(5)} %  ${(1000 * took).toFixed(1).padStart(8)} ms  ${(flopsPerSecond / 1e9).toFixed(2).padStart(6)} GFLOP/s  ${dispatches} x ${kernel}`,
      );
    }
  }
  return lines.join("\n");
}

function seconds({ clock }: Pick<CallResult, "clock">): string {
  return clock.median < 1 ? `${(1000 * clock.median).toFixed(0)} ms` : `${clock.median.toFixed(1)} s`;
}

function rate(amount: number, { clock, calls }: Pick<CallResult, "clock" | "calls">): string {
  return ((calls * amount) / clock.median / 1e9).toFixed(2);
}
