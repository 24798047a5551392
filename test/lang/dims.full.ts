/** The properties of dims-properties.ts over very many random expressions. */
import { describe, test } from "vitest";
import { dimProperties } from "./dims-properties.ts";

describe("every dimension, at length", () => {
  test.each(dimProperties)("$name", ({ check }) => check(100_000));
});
