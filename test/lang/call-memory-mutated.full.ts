/**
 * Calls that are evaluated once, in programs with mistakes: with and without, `check` finds the same.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { checkText } from "../support/check-text.ts";
import { fuzzSources } from "../support/fuzz.ts";
import { mutatedSource } from "../support/mutated-sources.ts";
import { stackOfLayers } from "../support/stack-of-layers.ts";

const cases = Number(process.env["OSSICLE_MEMORY_CASES"] ?? 150);

/** Everything that is said, where, and in which words; nothing where a limit is met, which depends on what is done. */
function said(text: string, remembering: "remembering" | "forgetting"): readonly string[] | undefined {
  const { diagnostics } = checkText(text, "models/blocks/case.oss", {}, remembering);
  if (diagnostics.some(({ code }) => code === "too-much-work")) return undefined;
  const others = diagnostics.filter(({ code }) => code !== "nesting-too-deep");
  return others.map(({ code, message, primary, related, notes, hint }) =>
    JSON.stringify({
      code,
      message,
      notes,
      hint,
      labels: [primary, ...related].map(
        (label) => label && `${label.span.file.path} ${label.span.start} ${label.text}`,
      ),
    }),
  );
}

test.each([
  ["the library and the fixtures", [...fuzzSources.tiny, ...fuzzSources.small, ...fuzzSources.reduced]],
  ["layers upon layers", [stackOfLayers(""), stackOfLayers(' with Twice(on: ["layers.*.inner", "unused"])')]],
])("%s, mutated", { timeout: 120_000 + cases * 200 }, (_, sources) => {
  fc.assert(
    fc.property(mutatedSource(sources), (text) => {
      const [remembered, forgotten] = [said(text, "remembering"), said(text, "forgetting")];
      if (remembered !== undefined && forgotten !== undefined) expect(remembered).toEqual(forgotten);
    }),
    { seed: 7, numRuns: cases },
  );
});
