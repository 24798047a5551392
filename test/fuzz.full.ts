/**
 * A million mutated sources: no crash, no hang, and every diagnostic inside its file.
 *
 * In shards, so that one can be run alone, or the rest after a break: OSSICLE_FUZZ_SHARDS=8-100. The same shard has
 * the same cases each time; a case that fails is printed with its seed. OSSICLE_FUZZ_CASES sets how many cases
 * there are in all, OSSICLE_FUZZ_PATIENCE how many times as long each may take, on a machine that does other things.
 */
import { test } from "vitest";
import { fuzz } from "./support/fuzz.ts";

const shards = 100;
const cases = Number(process.env["OSSICLE_FUZZ_CASES"] ?? 1_000_000);
const patience = Number(process.env["OSSICLE_FUZZ_PATIENCE"] ?? 1);
const [first = 1, last = shards] = (process.env["OSSICLE_FUZZ_SHARDS"] ?? "").split("-").flatMap((text) => {
  return text === "" ? [] : [Number(text)];
});

test.each(Array.from({ length: last - first + 1 }, (_, i) => first + i))(
  "mutated sources are answered with diagnostics, in time: shard %i",
  { timeout: 60 * 60_000 },
  (shard) => {
    const report = fuzz({ seed: shard, cases: Math.ceil(cases / shards), patience });
    console.info(JSON.stringify({ shard, ...report }));
  },
);
