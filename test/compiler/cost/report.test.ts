/** What a report says of a whole entry does not depend on what its rows stand for. */
import { expect, test } from "vitest";
import { countProgram } from "../../../src/cli/cost-options.ts";
import { nothingGiven } from "../../../src/compiler/cost/bindings.ts";
import { reportCost } from "../../../src/compiler/cost/report.ts";
import { groupings } from "../../../src/compiler/cost/tree.ts";
import { DiagnosticSink } from "../../../src/lang/diagnostic.ts";
import { programOf } from "../../support/program.ts";

const text = `
block Layer(width: int) {
  param weight: f32[width, width]
  forward(x: f32[B, width]) -> f32[B, width] = relu(x @ weight)
}
model Two() {
  input x: f32[B, 4]
  layers = [Layer(4) for i in 0..2]
  entry run(x) -> y: f32[B, 4] = x |> layers[0] |> layers[1]
}`;

test.each(groupings)("rows by %s", (by) => {
  const sink = new DiagnosticSink();
  const request = { model: "Two", entry: "run", open: [], settings: new Map<string, string>() };
  const model = countProgram(programOf(text, {}, sink), request, sink);
  const report = reportCost(model, { given: nothingGiven, settings: new Map(), convention: "core", by });
  const [entry] = report.entries;
  expect(String(entry?.total.parameters)).toBe("32");
  expect(String(entry?.total.weights)).toBe("128");
  expect(String(entry?.total.macs)).toBe("32*B");
  expect(String(entry?.total.scalar)).toBe("8*B");
});
