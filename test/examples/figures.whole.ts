/** Published figures, counted anew from the library. */
import { describe, expect, test } from "vitest";
import { allFigures, exact, list, rounded } from "../../examples/figures/figures.ts";
import { facts, keepRates, prunedModels } from "../../examples/figures/wanted.ts";

const figures = allFigures();
const groups = [...new Set(figures.map(({ group }) => group))];

describe.each(groups)("%s", (group) => {
  const ofGroup = figures.filter((figure) => figure.group === group);

  test.each(ofGroup.map((figure) => [figure.name, figure] as const))("%s", (_, figure) => {
    expect(figure).toEqual({ ...figure, agrees: true });
  });
});

describe("the table", () => {
  test("has a row for each rate and column", () => {
    for (const { core, torchprofile, title } of prunedModels) {
      expect(core, title).toHaveLength(keepRates.length);
      if (torchprofile !== undefined) expect(torchprofile, title).toHaveLength(keepRates.length);
    }
  });

  test("uses every count of fullsize-facts.json", () => {
    const wanted = new Set(figures.map((figure) => figure.wanted));
    const numbers = (value: unknown): number[] => {
      if (typeof value === "number") return [value];
      return typeof value === "object" && value !== null ? Object.values(value).flatMap(numbers) : [];
    };
    const counts = numbers([facts.macs, facts.mamba2, facts.encoders]).filter(
      (count) => Number.isInteger(count) && count > 10_000,
    );
    const missing = counts.filter((count) => !wanted.has(count.toLocaleString("en")));
    // Of the original checkpoints: heads that no forward pass uses, a position table that is not stored.
    const unused = [
      facts.encoders["AST base 10-10, 1024 frames, 527 labels"].params_original_file_with_unused_heads,
      facts.encoders["AST base 16-16, 1024 frames, 527 labels"].params_original_file_with_unused_heads,
      facts.encoders["AudioMAE ViT-B fine-tuned, 1024x128, 527 labels"].params_without_pos_embed,
    ];
    expect(new Set(missing)).toEqual(new Set(unused));
  });

  test("a count that is off by one is not exact, one that rounds otherwise is not met", () => {
    expect(exact("", "", 48_523_277_568, 48_523_277_568).agrees).toBe(true);
    expect(exact("", "", 48_523_277_568, 48_523_277_569).agrees).toBe(false);
    expect(rounded("", "", 48.523, 3, 48_523_277_568).agrees).toBe(true);
    expect(rounded("", "", 48.524, 3, 48_523_277_568).agrees).toBe(false);
    expect(rounded("", "", 48.524, 3, 48_523_500_000).agrees).toBe(true);
    expect(rounded("", "", 48.523, 3, 48_523_499_999).agrees).toBe(true);
    expect(list("", "", [359, 252], [359, 253]).agrees).toBe(false);
  });
});
