import { test } from "vitest";
import { keepsComments, printsAndParses } from "./print-properties.ts";

test("any program is printed so that it parses to the same tree", () => printsAndParses(5_000));
test("any program keeps its comments wherever they are", () => keepsComments(5_000));
