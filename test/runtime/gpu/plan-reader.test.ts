/**
 * Plans from outside: a good one is read as it was written, a bad one is refused in words.
 */
import { describe, expect, test } from "vitest";
import { readPlan } from "../../../src/runtime/gpu/plan-reader.ts";
import { smallPlan } from "../../support/small-plan.ts";

const written = JSON.stringify(smallPlan);

function problem(text: string): string {
  try {
    readPlan("small.json", text);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return "none";
}

/** The plan as text, with the value at a path replaced. */
function changed(path: readonly (string | number)[], value: unknown): string {
  const plan: unknown = JSON.parse(written);
  let holder: unknown = plan;
  for (const key of path.slice(0, -1)) holder = Reflect.get(Object(holder), key);
  Reflect.set(Object(holder), path.at(-1) ?? "", value);
  return JSON.stringify(plan);
}

describe("a plan from outside", () => {
  test("is read as it was written", () => {
    expect(readPlan("small.json", written)).toEqual(JSON.parse(written));
  });

  const cases: readonly [string, string][] = [
    ["{", "small.json is not a kernel plan: it is not JSON."],
    ["[]", "small.json is not a kernel plan."],
    [changed(["version"], 2), "small.json is a kernel plan of version 2."],
    [changed(["model"], 3), "small.json is damaged: the plan.model is no text."],
    [changed(["kernels"], {}), "small.json is damaged: the plan.kernels is no list."],
    [
      changed(["kernels", 0, "bindings", 1], "write"),
      "small.json is damaged: the plan.kernels[0].bindings[1] is not read or read-write or sizes.",
    ],
    [changed(["weights", 1, "bytes"], -1), "small.json is damaged: the plan.weights[1].bytes is no count."],
    [changed(["weights", 1, "name"], "unused"), "small.json is damaged: a weight is named twice."],
    [
      changed(["entries", 0, "dispatches", 0, "workgroups"], [1]),
      "small.json is damaged: the plan.entries[0].dispatches[0].workgroups has not 3 items.",
    ],
    [
      changed(["entries", 0, "slots", 0, "bytes"], ["-", 1, "N"]),
      "small.json is damaged: the plan.entries[0].slots[0].bytes is no size.",
    ],
    [
      changed(["entries", 0, "slots", 0, "bytes"], "M"),
      "small.json is damaged: classify has no dimension M.",
    ],
    [
      changed(["entries", 0, "slots", 1, "above"], [1]),
      "small.json is damaged: slot 1 of classify lies above a later one.",
    ],
    [
      changed(["entries", 0, "inputs", 0, "at", "slot"], 4),
      "small.json is damaged: a value of classify has no place.",
    ],
    [
      changed(["entries", 0, "dispatches", 0, "kernel"], 3),
      "small.json is damaged: encoder.affine runs a kernel that there is not.",
    ],
    [
      changed(["entries", 0, "dispatches", 0, "places"], []),
      "small.json is damaged: encoder.affine binds 0 values of 3.",
    ],
    [
      changed(["entries", 2, "inputs", 1, "state"], undefined),
      "small.json is damaged: decoder.step uses the past state total, which step does not have.",
    ],
  ];
  test.each(cases)("%#", (text, expected) => {
    expect(problem(text)).toBe(expected);
  });

  test("cut anywhere, it is refused", () => {
    for (let length = 0; length < written.length; length += 97) {
      expect(problem(written.slice(0, length))).toContain("is not a kernel plan");
    }
  });

  test("a size that is too deep for a stack is refused", () => {
    let size: unknown = "N";
    for (let depth = 0; depth < 3000; depth++) size = ["+", size, 1];
    expect(problem(changed(["entries", 0, "slots", 0, "bytes"], size))).toContain("is no size");
  });
});
