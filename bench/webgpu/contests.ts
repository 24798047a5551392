/**
 * `npm run bench -- --only webgpu`: every contest on this machine.
 *
 * Owns: compiling the models once for all, and which contests are asked for: `webgpu-browser`, `webgpu-node`, or
 * `webgpu-alone`, without onnxruntime, for those who change kernels.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Progress } from "../../src/cli/progress.ts";
import { openBrowserStage } from "./browser-stage.ts";
import { driversHere, runInNode } from "./drivers.ts";
import type { Effort } from "./extents.ts";
import { noAdapter } from "./local-stage.ts";
import { measureStage, type StageChoice, type StageResult } from "./measure-stage.ts";
import { printContest, printStage } from "./report.ts";
import { type Compiled, compileWorkload, type Extent, workloadsOf } from "./workloads.ts";

export const contests = ["webgpu-browser", "webgpu-node", "webgpu-alone"] as const;
export type Contest = (typeof contests)[number];

export interface ContestResults {
  readonly extent: Extent;
  readonly stages: readonly StageResult[];
  /** Contests that did not take place, and why. */
  readonly absent: readonly string[];
}

/** What is measured, and how often. */
export interface Amount {
  readonly extent: Extent;
  readonly effort: Effort;
}

/** The aims of the project: times as fast as onnxruntime, in a browser and in Node. */
const inBrowser = { encoder: 6, decoder: 4 };
const inNode = { encoder: 2, decoder: 2 };

export async function runContests(
  wanted: readonly Contest[],
  { extent, effort }: Amount,
  progress: Progress,
  onContest: (soFar: ContestResults) => Promise<void>,
): Promise<ContestResults> {
  const folder = await mkdtemp(join(tmpdir(), "ossicle-"));
  const stages: StageResult[] = [];
  const absent: string[] = [];
  /** Of a contest that goes on. */
  let begun: StageResult | undefined;
  let written = Promise.resolve();
  /** Prints a contest as soon as it is over, and has what is known written. */
  const telling =
    (aims: typeof inNode): StageChoice["onContest"] =>
    (contest, soFar) => {
      console.log([`${soFar.name}:`, ...printContest(contest, soFar, aims)].join("\n"));
      begun = soFar;
      const known = { extent, stages: [...stages, soFar], absent: [...absent] };
      written = written.then(() => onContest(known));
    };
  const done = (result: StageResult | string, name: string, aims: typeof inNode): void => {
    const unfinished = begun;
    begun = undefined;
    if (typeof result === "string") {
      if (unfinished !== undefined) stages.push(unfinished);
      absent.push(`${name}: ${result}`);
      console.log(`${name}: ${result}\n`);
      // A driver that is not here is no mistake; outputs that differ are.
      if (result !== noAdapter) process.exitCode = 1;
      return;
    }
    stages.push(result);
    console.log(`${printStage(result, aims)}\n`);
  };
  try {
    const compiled: Compiled[] = [];
    for (const workload of workloadsOf(extent)) {
      compiled.push(await compileWorkload(workload, extent, folder, progress));
    }
    console.log(compiled.map(({ workload }) => `${workload.name}: ${workload.title}`).join("\n"));
    for (const [contest, contested] of [
      ["webgpu-node", true],
      ["webgpu-alone", false],
    ] as const) {
      for (const driver of wanted.includes(contest) ? driversHere(process.env) : []) {
        const choice = { name: driver.name, effort, contested };
        const request = { folder, compiled, extent, choice };
        done(await runInNode(driver, request, telling(inNode)), driver.name, inNode);
      }
    }
    if (wanted.includes("webgpu-browser")) {
      const amount = { extent, effort };
      done(await inPage(folder, compiled, amount, telling(inBrowser)), "the browser", inBrowser);
    }
  } finally {
    await written;
    await rm(folder, { recursive: true, force: true });
  }
  return { extent, stages, absent };
}

async function inPage(
  folder: string,
  compiled: readonly Compiled[],
  { extent, effort }: Amount,
  onContest: StageChoice["onContest"],
): Promise<StageResult | string> {
  const stage = await openBrowserStage(folder).catch((error: unknown) => String(error));
  if (typeof stage === "string") return stage;
  try {
    const choice = {
      name: stage.browser,
      effort,
      contested: true,
      say: (line: string) => console.error(line),
      onContest,
    };
    return await measureStage(stage, compiled, extent, choice);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    await stage.end();
  }
}
