/**
 * Calls that are evaluated once: with and without, `check` finds the same.
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CallMemory } from "../../src/lang/call-memory.ts";
import { checkText, library } from "../support/check-text.ts";
import { errorCases } from "../support/error-fixtures.ts";
import { root } from "../support/product-files.ts";
import { stackOfLayers as stack } from "../support/stack-of-layers.ts";

/** Everything that `check` shows, as text. */
function shown(text: string, path: string, memory: CallMemory | "none"): unknown {
  const { diagnostics, entries } = checkText(text, path, {}, memory);
  return {
    diagnostics: diagnostics.map(({ code, message, primary, related, notes, hint }) => ({
      code,
      message,
      notes,
      hint,
      labels: [primary, ...related].map((label) => label && `${label.span.start} ${label.text}`),
    })),
    entries: entries.map((entry) => ({
      name: `${entry.model}.${entry.entry}`,
      outputs: entry.outputs.map(({ name, value }) => `${name} ${value.type.shape}`),
      states: entry.states.map(({ name, value }) => `${name} ${value.type.shape}`),
      parameters: `${entry.parameterCount} ${entry.elementCount}`,
      guards: entry.guards.map(({ requirement, origin }) => {
        const { kind, left, right, reason } = requirement;
        return `${origin.path} ${kind} ${left} ${right} ${reason}`;
      }),
    })),
  };
}

/** Layers whose learned tensors start in different ways. */
function seeded({
  depth = 4,
  start = "hash_uniform(iota(width), seed: 2 * seed)",
  result = "x * gain",
  size = "width",
  around = "inner(x)",
}): string {
  return `
block Scale(width: int, seed: int) {
  param gain: f32[${size}] = ${start}
  forward(x: f32[B, N, width]) -> f32[B, N, width] = ${result}
}
block Layer(scaling: block) {
  inner = scaling
  forward(x: f32[B, N, D]) -> f32[B, N, D] = ${around}
}
encoder Stack(width: int, depth: int) {
  layers = [Layer(Scale(width, seed: i)) for i in 0..depth]
  forward(x: f32[B, N, width]) -> f32[B, N, width] {
    for layer in layers { x = layer(x) }
    x
  }
}
model Main() {
  input x: f32[B, N, 8]
  stack = Stack(8, ${depth})
  entry run(x) -> y: f32[B, N, 8] = stack(x)
}
`;
}

test.each(library)("$path", ({ path, text }) => {
  expect(shown(text, path, new CallMemory())).toEqual(shown(text, path, "none"));
});

test("every fixture of a mistake", () => {
  for (const { path } of errorCases()) {
    const text = readFileSync(root + path, "utf8");
    expect(shown(text, path, new CallMemory()), path).toEqual(shown(text, path, "none"));
  }
});

describe("what a call leaves behind is left at every place", () => {
  const cases: readonly [string, string, number][] = [
    ["learned tensors of what is called, at each layer's path", stack(""), 10],
    ["sites in their numbers, and guards", stack(" with Half(at: [1, 3])"), 10],
    [
      "adapters by path, where everything is laid out",
      stack(' with Twice(on: ["layers.1.inner", "layers.4.inner"])'),
      17,
    ],
    ["a site that is not there", stack(" with Half(at: [9])"), 10],
  ];
  test.each(cases)("%s", (_, text, tensors) => {
    const path = "models/test/case.oss";
    const remembered = shown(text, path, new CallMemory());
    expect(remembered).toEqual(shown(text, path, "none"));
    const { entries } = checkText(text, path);
    expect(entries[0]?.parameterCount ?? 0).toBe(tensors);
  });

  test("equal calls are evaluated once", () => {
    const evaluations = (depth: number): number => {
      const memory = new CallMemory();
      checkText(stack("").replace("Stack(8, 5)", `Stack(8, ${depth})`), "models/test/case.oss", {}, memory);
      return memory.known.size;
    };
    expect(evaluations(50)).toBe(evaluations(5));
  });

  describe("layers that differ in a seed", () => {
    const path = "models/test/case.oss";
    const calls = (text: string): number => {
      const memory = new CallMemory();
      expect(shown(text, path, memory)).toEqual(shown(text, path, "none"));
      const calls = [...memory.known.keys()].filter((key) => !key.includes("!"));
      return calls.length;
    };

    test("are evaluated once", () => {
      expect(calls(seeded({ depth: 40 }))).toBe(calls(seeded({ depth: 4 })));
    });

    test("are told apart where a body, a size or another block looks at the seed", () => {
      const plain = calls(seeded({ depth: 7 }));
      expect(calls(seeded({ depth: 7, result: "x * gain + seed" }))).toBeGreaterThan(plain);
      expect(calls(seeded({ depth: 7, size: "width + 0 * seed" }))).toBeGreaterThan(plain);
      expect(calls(seeded({ depth: 7, around: "inner(x) + inner.seed" }))).toBeGreaterThan(plain);
    });

    test("a start that is wrong for one of them is found", () => {
      const text = seeded({ depth: 4, start: "if seed == 2 then fill([3], 0) else ones" });
      const places: readonly (readonly [string, string])[] = [
        ["layers = ", "layers = "],
        ["layers = ", "let layers = "],
        // Made while it runs: no member leads there.
        ["for layer in layers {", "for i in 0..depth { let layer = Layer(Scale(width, seed: i))"],
      ];
      for (const [before, now] of places) {
        const placed = text.replace(before, now);
        expect(shown(placed, path, new CallMemory()), now).toEqual(shown(placed, path, "none"));
        const messages = checkText(placed, path).diagnostics.map(({ message }) => message);
        expect(messages.join(), now).toContain("gain");
      }
    });
  });

  test("limits count what was not evaluated again", () => {
    const text = stack("").replace("Stack(8, 5)", "Stack(8, 20000)");
    const codes = (memory: CallMemory | "none"): string[] =>
      checkText(text, "models/test/case.oss", {}, memory).diagnostics.map(({ code }) => code);
    expect(codes(new CallMemory())).toEqual(["too-much-work"]);
    expect(codes("none")).toEqual(["too-much-work"]);
  });
});
