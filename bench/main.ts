/**
 * `npm run bench`: ratios measured side by side in one run, printed and written to out/bench.json.
 *
 * `npm run bench -- --quick` measures less, `--only encoders` (or `decoders`, `accounting`, `plans`, `memory`,
 * `language`, `webgpu`) one part; of the contests on WebGPU also one: `webgpu-browser`, `webgpu-node`, `webgpu-alone`. They take long
 * where a processor runs the shaders, so they are measured only when they are asked for. `--tiny` has them measure next
 * to nothing, to try them out; `--tuned` has `--quick` measure tuned kernels as well. Machines are noisy: medians, with the least and the most.
 */

import { mkdir } from "node:fs/promises";
import { cpus } from "node:os";
import { writeWhole } from "../src/cli/output-files.ts";
import { terminalProgress } from "../src/cli/progress.ts";
import { measureAccounting } from "./accounting.ts";
import { decoder, measureDecoder, printDecoder } from "./decoders.ts";
import { type EncoderResult, measureEncoder, printEncoder } from "./encoders.ts";
import { measureLanguage, printLanguage } from "./language.ts";
import { measureLanguageServer, printLanguageServer } from "./language-server.ts";
import { type MemoryResult, measureMemory, printMemory } from "./memory.ts";
import { encoders } from "./models.ts";
import { measurePlans, printPlans } from "./plans.ts";
import { type ContestResults, contests, runContests } from "./webgpu/contests.ts";
import { brief, hasty, thorough, tiny, whole } from "./webgpu/extents.ts";

const quick = process.argv.includes("--quick");
const rounds = quick ? 5 : 11;
const keeps = quick ? [0.7] : [0.9, 0.7, 0.5];
const progress = terminalProgress(true);

console.log(`${cpus()[0]?.model ?? "unknown processor"}, ${cpus().length} cores, Node ${process.version}`);
console.log(
  `medians of ${rounds} rounds (least to most), onnxruntime's CPU library; "at best": least processor times\n`,
);
const only = process.argv.includes("--only") ? process.argv[process.argv.indexOf("--only") + 1] : undefined;
const wanted = (part: string): boolean => only === undefined || only === part;
const results: EncoderResult[] = [];
for (const choice of wanted("encoders") ? (quick ? encoders.slice(2) : encoders) : []) {
  const result = await measureEncoder(choice, keeps, rounds, progress);
  console.log(`${printEncoder(result)}\n`);
  results.push(result);
}
const decoded = wanted("decoders") ? await measureDecoder(decoder, rounds, progress) : undefined;
if (decoded !== undefined) console.log(`${printDecoder(decoded, decoder)}\n`);
const accounting = wanted("accounting") ? await measureAccounting(quick ? 3 : 7, console.log) : undefined;
if (accounting !== undefined) console.log();
const plans = wanted("plans") ? measurePlans(quick ? 2 : 5) : undefined;
if (plans !== undefined) console.log(`${printPlans(plans)}\n`);
const memory: MemoryResult[] = [];
const measure = async (...given: Parameters<typeof measureMemory>): Promise<void> => {
  if (!wanted("memory")) return;
  const measured = await measureMemory(...given);
  console.log(measured === undefined ? "peak memory: this system does not tell" : printMemory(measured));
  if (measured !== undefined) memory.push(measured);
};
await measure(
  "ossicle classify, AST 10-10 at full size",
  [
    "classify",
    "models/classifiers/ast.oss",
    "--audio",
    "examples/demo/recording.wav",
    "--weights",
    "random:1",
  ],
  4 * 86_594_063,
);
await measure(
  "ossicle generate, Mamba-2 370m, 32 ids",
  [
    "generate",
    "models/decoders/mamba2-lm.oss",
    ...["--set", "size=370m", "--weights", "random:1"],
    ...["--prompt-ids", "12,7,401", "--max-tokens", "32"],
  ],
  4 * 368_346_624,
);
const language = wanted("language") ? await measureLanguage(quick ? 5 : 11) : undefined;
if (language !== undefined) console.log(printLanguage(language));
const languageServer = wanted("language") ? await measureLanguageServer(quick ? 1 : 4) : undefined;
if (languageServer !== undefined) console.log(printLanguageServer(languageServer));
const asked = contests.filter((each) => (only === "webgpu" ? each !== "webgpu-alone" : each === only));
const extent = process.argv.includes("--tiny") ? tiny : quick ? brief : whole;
const effort = { ...(quick ? hasty : thorough), ...(process.argv.includes("--tuned") && { isTuned: true }) };
const webgpu =
  asked.length === 0 ? undefined : await runContests(asked, { extent, effort }, progress, writeReport);
await writeReport(webgpu);
console.log("\nwritten to out/bench.json");

/** Also while the contests on WebGPU go on: what is cut off leaves what came before. */
async function writeReport(webgpu: ContestResults | undefined): Promise<void> {
  await mkdir("out", { recursive: true });
  const machine = { processor: cpus()[0]?.model ?? "", cores: cpus().length, node: process.version };
  const report = {
    version: 5,
    date: new Date().toISOString(),
    machine,
    rounds,
    encoders: results,
    decoder: decoded ?? null,
    accounting: accounting ?? null,
    plans: plans ?? null,
    memory,
    language: language ?? null,
    languageServer: languageServer ?? null,
    webgpu: webgpu ?? null,
  };
  await writeWhole("out/bench.json", async (sink) =>
    sink.write(new TextEncoder().encode(`${JSON.stringify(report, null, 2)}\n`)),
  );
}
