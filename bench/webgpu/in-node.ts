/**
 * A contest in Node, in a process of its own: a driver is chosen by the environment, once for each process.
 *
 * Owns: reading what the process that started it has sent, and sending back the result.
 */
import { chooseDriver } from "../../test/support/software-driver.ts";
import { type ContestName, measureStage, type StageChoice, type StageResult } from "./measure-stage.ts";
import { openNodeStage } from "./node-stage.ts";
import type { Compiled, Extent } from "./workloads.ts";

/** What the process is asked for. */
export interface Request {
  readonly folder: string;
  readonly compiled: readonly Compiled[];
  readonly extent: Extent;
  readonly choice: Omit<StageChoice, "say" | "onContest">;
  /** SwiftShader from npm, unless the environment names a driver; or what the system has. */
  readonly driver: "packaged" | "system";
}

/** What it answers with: after each contest, and at last. */
export type Answer =
  | { readonly kind: "contest"; readonly contest: ContestName; readonly soFar: StageResult }
  | { readonly kind: "result"; readonly result: StageResult }
  | { readonly kind: "failure"; readonly message: string };

process.once("message", (request: Request) => {
  const answer = (message: Answer): void => {
    process.send?.(message, () => process.exit(0));
  };
  run(request).then(
    (result) => answer({ kind: "result", result }),
    (error: unknown) =>
      answer({ kind: "failure", message: error instanceof Error ? error.message : String(error) }),
  );
});

async function run({ folder, compiled, extent, choice, driver }: Request): Promise<StageResult> {
  if (driver === "packaged") await chooseDriver();
  const stage = await openNodeStage(folder);
  return measureStage(stage, compiled, extent, {
    ...choice,
    say: (line) => console.error(line),
    onContest: (contest, soFar) => {
      const answer: Answer = { kind: "contest", contest, soFar };
      process.send?.(answer);
    },
  });
}
