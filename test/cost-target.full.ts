/**
 * What `cost` says of a target is what its plan holds, for every model of the library.
 */
import { expect, test } from "vitest";
import { reducedModels } from "./support/reduced-models.ts";
import { expectPlanned } from "./support/target-cost.ts";

test.each(reducedModels.map((reduced) => [reduced.model, reduced.note, reduced] as const))(
  "%s: %s",
  (_, __, reduced) => {
    expectPlanned(reduced);
    expect.hasAssertions();
  },
);
