/**
 * `npm run bench`: ratios measured side by side in one run, printed and written to out/bench.json.
 *
 * `npm run bench -- --quick` measures less. Machines are noisy: medians, with the least and the most.
 */

import { mkdir } from "node:fs/promises";
import { cpus } from "node:os";
import { writeWhole } from "../src/cli/output-files.ts";
import { terminalProgress } from "../src/cli/progress.ts";
import { type EncoderResult, measureEncoder, printEncoder } from "./encoders.ts";
import { measureLanguage, printLanguage } from "./language.ts";
import { measureLanguageServer, printLanguageServer } from "./language-server.ts";
import { measureMemory, printMemory } from "./memory.ts";
import { encoders } from "./models.ts";

const quick = process.argv.includes("--quick");
const rounds = quick ? 5 : 11;
const keeps = quick ? [0.7] : [0.9, 0.7, 0.5];
const progress = terminalProgress(true);

console.log(`${cpus()[0]?.model ?? "unknown processor"}, ${cpus().length} cores, Node ${process.version}`);
console.log(
  `medians of ${rounds} rounds (least to most), onnxruntime's CPU library; "at best": least processor times\n`,
);
const results: EncoderResult[] = [];
for (const choice of quick ? encoders.slice(2) : encoders) {
  const result = await measureEncoder(choice, keeps, rounds, progress);
  console.log(`${printEncoder(result)}\n`);
  results.push(result);
}
const memory = await measureMemory(
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
console.log(memory === undefined ? "peak memory: this system does not tell" : printMemory(memory));
const language = await measureLanguage(quick ? 5 : 11);
console.log(printLanguage(language));
const languageServer = await measureLanguageServer(quick ? 1 : 4);
console.log(printLanguageServer(languageServer));

await mkdir("out", { recursive: true });
const machine = { processor: cpus()[0]?.model ?? "", cores: cpus().length, node: process.version };
const report = {
  version: 2,
  date: new Date().toISOString(),
  machine,
  rounds,
  encoders: results,
  memory: memory ?? null,
  language,
  languageServer,
};
await writeWhole("out/bench.json", async (sink) =>
  sink.write(new TextEncoder().encode(`${JSON.stringify(report, null, 2)}\n`)),
);
console.log("\nwritten to out/bench.json");
