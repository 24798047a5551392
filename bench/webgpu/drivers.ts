/**
 * Contests in Node, one for each driver of this machine: SwiftShader, and what the environment or the system has.
 *
 * Owns: a process for each, and which drivers there are.
 */
import { fork } from "node:child_process";
import type { Answer, Request } from "./in-node.ts";
import type { StageChoice, StageResult } from "./measure-stage.ts";

/** Variables by which Vulkan is told its driver. */
const naming = ["VK_ICD_FILENAMES", "VK_DRIVER_FILES"] as const;

export interface Driver {
  readonly name: string;
  readonly driver: Request["driver"];
  readonly environment: NodeJS.ProcessEnv;
}

/** A machine without a GPU has no driver of its own: then the second contest says so. */
export function driversHere(environment: NodeJS.ProcessEnv): readonly Driver[] {
  const unnamed = Object.fromEntries(
    Object.entries(environment).filter(([name]) => !naming.some((each) => each === name)),
  );
  const named = naming.map((name) => environment[name]).find((value) => value !== undefined);
  return [
    { name: "Node, SwiftShader", driver: "packaged", environment: unnamed },
    named === undefined
      ? { name: "Node, the system's driver", driver: "system", environment: unnamed }
      : { name: `Node, ${named.split("/").at(-1) ?? named}`, driver: "system", environment },
  ];
}

/** @returns the result, or why there is none */
export async function runInNode(
  { driver, environment }: Driver,
  request: Omit<Request, "driver">,
  onContest: StageChoice["onContest"],
): Promise<StageResult | string> {
  const child = fork("scripts/run.js", ["bench/webgpu/in-node.ts"], { env: environment });
  const answered = new Promise<StageResult | string>((resolve) => {
    child.on("message", (answer: Answer) => {
      if (answer.kind === "contest") onContest(answer.contest, answer.soFar);
      else resolve(answer.kind === "result" ? answer.result : answer.message);
    });
    child.once("exit", (code, signal) => resolve(`the process ended with ${signal ?? code}`));
  });
  const whole: Request = { ...request, driver };
  child.send({ ...whole });
  return answered;
}
