/** What a contest says: ratios, with what they are aimed at. */

import {
  type CallResult,
  type ContestedCall,
  type ContestName,
  contestedCalls,
  type StageResult,
} from "./measure-stage.ts";
import { type Pace, type PaceRatio, paceRatio, printRatio, scaled } from "./pace.ts";

/** How many times as fast as the peer, by call. */
export interface Aims {
  readonly encoder: number;
  readonly decoder: number;
}

const busy = 1.5;

/** Everything that is known. */
export function printStage(result: StageResult, aims: Aims): string {
  const lines = [
    `${result.name}, on ${result.adapter}; medians of ${result.rounds} rounds, fewer of onnxruntime`,
  ];
  if (result.load > busy) {
    lines.push(
      `  the machine does other work (load ${result.load.toFixed(1)}): the clock says less than the processors' time`,
    );
  }
  for (const line of result.refused) lines.push(`  left out: ${line}`);
  for (const contest of [...contestedCalls, "encoders", "reading", "moving"] as const)
    lines.push(...printContest(contest, result, aims));
  for (const call of contestedCalls) lines.push(...printKernels(call, result.calls[call]));
  return lines.join("\n");
}

/** What one contest came to; nothing where it has not taken place. */
export function printContest(contest: ContestName, result: StageResult, aims: Aims): readonly string[] {
  switch (contest) {
    case "dense":
    case "pruned":
      return printCall(contest, result.calls[contest], aims.encoder);
    case "prefill":
    case "step":
      return printCall(contest, result.calls[contest], aims.decoder);
    case "encoders":
      return printEncoders(result);
    case "reading": {
      const { ids, paces: { atOnce, oneByOne } = {} } = result.reading ?? {};
      if (atOnce === undefined || oneByOne === undefined) return [];
      return [`  ${ids} ids at once over one by one: ${printRatio(paceRatio(atOnce, oneByOne))} of the time`];
    }
    case "moving":
      return printMoving(result);
  }
}

function printCall(call: ContestedCall, result: CallResult | undefined, aim: number): string[] {
  const { ours, tuned, peer } = result?.paces ?? {};
  if (result === undefined || ours === undefined) return [];
  const rate = `${gigas(2 * result.macs * result.calls, ours)} GFLOP/s`;
  const of = (pace: Pace): PaceRatio => paceRatio(peer ?? ours, pace);
  const lines =
    peer === undefined || result.peer === undefined
      ? [`  ${call}: ${seconds(ours)} a run; ${rate}`]
      : [
          `  ${call}: ${printRatio(of(ours))} times as fast as onnxruntime (aim ${aim}; its profile ${result.peer.profile}; ${seconds(ours)} and ${seconds(peer)} a run; ${rate}; outputs ${result.peer.distance.toExponential(1)} apart)`,
        ];
  if (tuned !== undefined) {
    const than = peer === undefined ? "the plan's own kernels" : "onnxruntime";
    lines.push(
      `    tuned: ${printRatio(of(tuned))} times as fast as ${than} (${seconds(tuned)} a run; outputs ${(result.tunedDistance ?? 0).toExponential(1)} from the plan's own kernels')`,
    );
  }
  return lines;
}

function printEncoders({ encoders, calls }: StageResult): string[] {
  const { dense, tuned, pruned, products } = encoders?.paces ?? {};
  if (encoders === undefined || dense === undefined || products === undefined) return [];
  const macs = calls.dense?.macs ?? 0;
  const lines: string[] = [];
  if (pruned !== undefined) {
    lines.push(
      `  pruned over dense: ${printRatio(paceRatio(pruned, dense))} of the time, ${((calls.pruned?.macs ?? 0) / macs).toFixed(2)} of the MACs`,
    );
  }
  const over = (pace: Pace): string =>
    printRatio(scaled(paceRatio(products, pace), (2 * macs) / encoders.flops));
  lines.push(
    `  encoder over the best plain products: ${over(dense)} (aim 0.7; ${gigas(2 * macs, dense)} of ${gigas(encoders.flops, products)} GFLOP/s)`,
  );
  if (tuned !== undefined) lines.push(`    tuned: ${over(tuned)}`);
  for (const { size, form } of encoders.forms) {
    lines.push(`    best at ${size.rows} x ${size.depth} x ${size.columns}: ${form}`);
  }
  return lines;
}

function printMoving({ moving, calls }: StageResult): string[] {
  const { step, "copy kernel": kernel, "copy command": command } = moving?.paces ?? {};
  const cost = calls.step;
  if (moving === undefined || step === undefined || cost === undefined) return [];
  const copied = Math.max(
    ...[kernel, command].flatMap((pace) => (pace === undefined ? [] : [moving.bytes / pace.clock.median])),
  );
  const own = (cost.calls * cost.bytes) / step.clock.median;
  return [
    `  step: ${(own / 1e9).toFixed(2)} of ${(copied / 1e9).toFixed(2)} GB/s that copying reaches, ${(own / copied).toFixed(2)}`,
  ];
}

function printKernels(call: ContestedCall, result: CallResult | undefined): string[] {
  if (result === undefined) return [];
  const rows = result.kernels
    .slice(0, 6)
    .map(({ kernel, dispatches, share, seconds: took, flopsPerSecond }) => {
      const parts = [
        `${(100 * share).toFixed(1).padStart(5)} %`,
        `${(1000 * took).toFixed(1).padStart(8)} ms`,
        `${(flopsPerSecond / 1e9).toFixed(2).padStart(6)} GFLOP/s`,
        `${dispatches} x ${kernel}`,
      ];
      return `    ${parts.join("  ")}`;
    });
  return [`  where the time of ${call} goes:`, ...rows];
}

function seconds({ clock }: Pace): string {
  return clock.median < 1 ? `${(1000 * clock.median).toFixed(0)} ms` : `${clock.median.toFixed(1)} s`;
}

const gigas = (amount: number, { clock }: Pace): string => (amount / clock.median / 1e9).toFixed(2);
