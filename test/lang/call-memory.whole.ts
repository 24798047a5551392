/**
 * Calls that are evaluated once: with and without, `check` finds the same.
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { checkText, library } from "../support/check-text.ts";
import { errorCases } from "../support/error-fixtures.ts";
import { root } from "../support/product-files.ts";
import { stackOfLayers as stack } from "../support/stack-of-layers.ts";

/** Everything that `check` shows, as text. */
function shown(text: string, path: string, remembering: "remembering" | "forgetting"): unknown {
  const { diagnostics, entries } = checkText(text, path, {}, remembering);
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
  use = "",
  run = "stack(x)",
  also = "",
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
block Outer(layer: block) {
  only = layer
  forward(x: f32[B, N, D]) -> f32[B, N, D] = only(x)
}
adapter Around(on: [string], ranks: [int] = [1]) {
  param low: f32[ranks[0], base.width] = ones
  forward(x: f32[*b, base.width]) -> f32[*b, base.width] = base(x) + x * mean(low, axes: [0])
}
adapter Ranked(on: [string], ranks: [int]) {
  param low: f32[ranks[indices[0]], base.width] = ones
  forward(x: f32[*b, base.width]) -> f32[*b, base.width] = base(x) + x * mean(low, axes: [0])
}
/// Has the tensors of what it is put around, and does not use them.
adapter Instead(on: [string]) {
  forward(x: f32[*b, base.width]) -> f32[*b, base.width] = x
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
  stack = Stack(8, ${depth})${use}
  entry run(x) -> y: f32[B, N, 8] = ${run}
  entry again(x) -> y: f32[B, N, 8] = stack(x)
}
${also}`;
}

test.each(library)("$path", ({ path, text }) => {
  expect(shown(text, path, "remembering")).toEqual(shown(text, path, "forgetting"));
});

test("every fixture of a mistake", () => {
  for (const { path } of errorCases()) {
    const text = readFileSync(root + path, "utf8");
    expect(shown(text, path, "remembering"), path).toEqual(shown(text, path, "forgetting"));
  }
});

describe("what a call leaves behind is left at every place", () => {
  const cases: readonly [string, string, number][] = [
    ["learned tensors of what is called, at each layer's path", stack(""), 10],
    ["sites in their numbers, and guards", stack(" with Half(at: [1, 3])"), 10],
    [
      "adapters by path, where everything is laid out",
      stack(' with Twice(on: ["layers.1.inner", "layers.4.inner"])'),
      12,
    ],
    ["a site that is not there", stack(" with Half(at: [9])"), 10],
  ];
  test.each(cases)("%s", (_, text, tensors) => {
    const path = "models/test/case.oss";
    const remembered = shown(text, path, "remembering");
    expect(remembered).toEqual(shown(text, path, "forgetting"));
    const { entries } = checkText(text, path);
    expect(entries[0]?.parameterCount ?? 0).toBe(tensors);
  });

  test("how the weights at each place are stored, in every model", () => {
    const text = `
block Inner(width: int) {
  stored { as: f16 }
  param odd: f32[width, 30] = zeros
  forward(x: f32[N, width]) -> f32[N, width] = (x @ odd) @ transpose(odd)
}
block Outer(width: int) {
  layers = [Inner(width) for i in 0..3]
  stored { as: int8, group: 64 }
  param even: f32[width, 64] = zeros
  forward(x: f32[N, width]) -> f32[N, 64] = (x |> layers[0] |> layers[1] |> layers[2]) @ even
}
model A() { input x: f32[N, 64]  outer = Outer(64)  entry e(x) = outer(x) }
model B() { input x: f32[N, 64]  outer = Outer(64)  entry e(x) = outer(x) }
`;
    expect(checkText(text).diagnostics).toEqual([]);
    expect(shown(text, "models/test/case.oss", "remembering")).toEqual(
      shown(text, "models/test/case.oss", "forgetting"),
    );
  });

  test("equal calls are evaluated once", () => {
    const evaluations = (depth: number): number => {
      const text = stack("").replace("Stack(8, 5)", `Stack(8, ${depth})`);
      return checkText(text).memory.known.size;
    };
    expect(evaluations(50)).toBe(evaluations(5));
  });

  describe("layers that differ in a seed", () => {
    const path = "models/test/case.oss";
    const calls = (text: string): number => {
      expect(shown(text, path, "remembering")).toEqual(shown(text, path, "forgetting"));
      const calls = [...checkText(text, path).memory.known.keys()].filter((key) => !key.includes("!"));
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

    test("are told apart by another block that looks at the seed of a part that it is given", () => {
      const also = `block Look(part: block) {
  forward(x: f32[B, N, D]) -> f32[B, M, D] = concat(x, fill([size(x, 0), part.seed, size(x, 2)], 0), axis: 1)
}`;
      const around = "{ let more = Look(inner)(inner(x))\n  more[:, :size(x, 1)] }";
      const text = seeded({ depth: 7, around, also }).replace("= {", "{");
      expect(checkText(text).diagnostics).toEqual([]);
      expect(calls(text)).toBeGreaterThan(calls(seeded({ depth: 7 })) + 7);
    });

    test.each([
      ["one for all", ' with Around(on: ["inner"])', 0],
      ["one that matches from further up", ' with Around(on: ["layers.*.inner"])', 0],
      ["one around a single layer", ' with Around(on: ["layers.2.inner"])', 2],
      [
        "one that differs from layer to layer",
        ' with Ranked(on: ["inner"], ranks: [1, 2, 3, 4, 5, 6, 7])',
        7,
      ],
      ["two", ' with Around(on: ["inner"]) with Around(on: ["layers.3.inner"], ranks: [2])', 2],
    ])("with adapters: %s", (_, use, times) => {
      const text = seeded({ depth: 7, use });
      expect(checkText(text).diagnostics).toEqual([]);
      expect(calls(text)).toBeGreaterThanOrEqual(times);
    });

    test("with one adapter for all they are evaluated once", () => {
      const use = ' with Around(on: ["layers.*.inner"])';
      expect(calls(seeded({ depth: 40, use }))).toBe(calls(seeded({ depth: 4, use })));
    });

    test("a start that is wrong for one of them is found", () => {
      const text = seeded({ depth: 4, start: "if seed == 2 then fill([3], 0) else ones" });
      const made = "{ for i in 0..4 { x = Layer(Scale(8, seed: i))(x) }\n x }";
      const places: readonly (readonly [string, string])[] = [
        ["layers = ", "layers = "],
        ["layers = ", "let layers = "],
        // Made while it runs: no member leads there.
        ["for layer in layers {", "for i in 0..depth { let layer = Layer(Scale(width, seed: i))"],
        ["= stack(x)\n", `${made}\n`],
        ["= stack(x)\n", `${made.replace("Layer(Scale(8, seed: i))", "Outer(Layer(Scale(8, seed: i)))")}\n`],
        ["[Layer(Scale(width, seed: i))", "[Outer(Layer(Scale(width, seed: i)))"],
        ["Stack(8, 4)", 'Stack(8, 4) with Around(on: ["inner"])'],
        ["Stack(8, 4)", 'Stack(8, 4) with Instead(on: ["inner"])'],
      ];
      for (const [before, now] of places) {
        const placed = text.replace(before, now);
        expect(shown(placed, path, "remembering"), now).toEqual(shown(placed, path, "forgetting"));
        const messages = checkText(placed, path).diagnostics.map(({ message }) => message);
        expect(messages.join(), now).toContain("gain");
      }
    });
  });

  test("limits count what was not evaluated again", () => {
    const text = stack("").replace("Stack(8, 5)", "Stack(8, 20000)");
    const codes = (remembering: "remembering" | "forgetting"): string[] =>
      checkText(text, "models/test/case.oss", {}, remembering).diagnostics.map(({ code }) => code);
    expect(codes("remembering")).toEqual(["too-much-work"]);
    expect(codes("forgetting")).toEqual(["too-much-work"]);
  });
});
