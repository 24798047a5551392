/**
 * A million mutated sources: no crash, no hang, and every diagnostic inside its file.
 *
 * In shards, so that one can be run alone: `npx vitest run --project full test/fuzz.full.ts -t "shard 7"`.
 * OSSICLE_FUZZ_CASES sets how many cases there are in all.
 */
import { test } from "vitest";
import { fuzz } from "./support/fuzz.ts";

const shards = 50;
const cases = Number(process.env["OSSICLE_FUZZ_CASES"] ?? 1_000_000);

test.each(Array.from({ length: shards }, (_, i) => i + 1))(
  "mutated sources are answered with diagnostics, in time: shard %i",
  { timeout: 60 * 60_000 },
  (shard) => {
    fuzz({ seed: shard, cases: Math.ceil(cases / shards) });
  },
);
