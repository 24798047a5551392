/**
 * The demo: a real recording through AST and AudioMAE at full size, whole and with the least important
 * patches dropped (TopK pruning, arXiv:2504.01690), side by side.
 *
 * Everything runs from the texts in `models/`. The weights are random, drawn as the models say, until
 * trained ones are at hand: times and shapes are real, labels mean nothing, and the demo says so.
 */
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeWhole } from "../../src/cli/output-files.ts";
import { terminalProgress } from "../../src/cli/progress.ts";
import { loadAudio } from "../../src/runtime/audio/load.ts";
import { drawPicture } from "./picture.ts";
import { type Demonstration, demonstrate, describeFailure, systems } from "./systems.ts";

const recording = "examples/demo/recording.wav";
const folder = "out/demo";
const keep = 0.7;

async function main(): Promise<void> {
  const progress = terminalProgress(true);
  const audio = await loadAudio(await readFile(recording), recording, 16000);
  console.log(`${recording}: ${audio.seconds.toFixed(1)} s of speech, 16 kHz`);
  console.log(
    "The weights are random (seed 1): the times and shapes below are real, the labels are meaningless.\n",
  );
  await mkdir(folder, { recursive: true });
  for (const system of systems) {
    const result = await demonstrate(system, audio.samples, keep, progress);
    progress.stop();
    print(result);
    const path = join(folder, `${system.name}.svg`);
    await writeWhole(path, async (sink) => sink.write(new TextEncoder().encode(drawPicture(result.picture))));
    console.log(`  picture: ${path}\n`);
  }
}

function print({ title, summary, dense, pruned, sites }: Demonstration): void {
  console.log(title);
  for (const line of summary) console.log(`  ${line}`);
  console.log("");
  console.log("              GMACs     time    label that scores best");
  for (const [name, run] of [
    ["dense", dense],
    [`keep ${keep}`, pruned],
  ] as const) {
    const macs = (run.macs / 1e9).toFixed(1).padStart(7);
    console.log(
      `  ${name.padEnd(10)} ${macs} ${`${run.milliseconds.toFixed(0)} ms`.padStart(8)}    ${run.label} (meaningless)`,
    );
  }
  const share = (a: number, b: number): string => `${((100 * a) / b).toFixed(0)} %`;
  console.log(
    `  ${"".padEnd(10)} ${share(pruned.macs, dense.macs).padStart(7)} ${share(pruned.milliseconds, dense.milliseconds).padStart(8)}    of dense`,
  );
  console.log(`  patches kept: ${sites.join(" → ")}`);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${describeFailure(error)}\n`);
  process.exitCode = 1;
}
