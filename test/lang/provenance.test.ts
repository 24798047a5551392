/**
 * Where sizes come from, and what stays open: said by errors and by `check`.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { renderDiagnostic } from "../../src/lang/render.ts";
import { checkText } from "../support/check-text.ts";
import { runHere, temporaryFolder } from "../support/cli.ts";

test("a size that does not fit: which dimension, both sizes, and where each comes from", () => {
  const { diagnostics } = checkText(`block Narrow(width: int) {
  param weight: f32[3 * width] = ones
  forward(x: f32[B, 3 * width]) -> f32[B, 3 * width] = x * weight
}
model M(size: int = 5) {
  input sound: f32[B, 8]
  part = Narrow(size)
  entry run(sound) {
    let both = concat(sound, sound, axis: 1)
    part(both)
  }
}
`);
  expect(diagnostics).toHaveLength(1);
  const text = diagnostics.map((diagnostic) => renderDiagnostic(diagnostic, { color: false })).join("");
  expect(text).toContain("`x` of Narrow has 16 where 15 is expected (dimension 2 of 2)");
  expect(text).toContain("`concat` makes it 16 here");
  expect(text).toMatch(/model M\(size: int = 5\)[^\n]*\n[^\n]*- `width` is 5 here/);
  expect(text).toContain("15 is expected here");
});

test("of many places, those in the middle are left out, and their number is said", () => {
  const names = [..."abcdefgh"];
  const { diagnostics } = checkText(`block Sum(${names.map((name) => `${name}: int`).join(", ")}) {
  forward(x: f32[${names.join(" + ")}]) -> f32[1] = sum(x, axes: [0], keep: true)
}
model M() {
  input x: f32[9]
  part = Sum(
${names.map((name, i) => `    ${name}: ${i + 2},\n`).join("")}  )
  entry run(x) = part(x)
}
`);
  const labels = diagnostics.flatMap(({ related }) => related.map(({ text }) => text));
  expect(labels).toEqual([
    "`a` is 2 here",
    "`b` is 3 here",
    "`c` is 4 here (… 3 more places between this and the next)",
    "`g` is 8 here",
    "`h` is 9 here",
    "9 comes from here",
    "44 is expected here",
  ]);
});

test("a size that is computed leads on to what it was computed from, up the chain of blocks", () => {
  const { diagnostics } = checkText(`block Mlp(width: int) {
  forward(x: f32[B, width]) -> f32[B, width] = x
}
block Layer(heads: int, head: int) {
  let width = heads * head
  mlp = Mlp(2 * width)
  forward(x: f32[B, N]) -> f32[B, N] = mlp(x)
}
model M(heads: int = 3) {
  input x: f32[B, 8]
  layer = Layer(heads, head: 4)
  entry run(x) = layer(x)
}
`);
  const [{ primary, related } = { primary: undefined, related: [] }] = diagnostics;
  const places = related.map(({ span, text }) => `${span.file.text.slice(span.start, span.end)}: ${text}`);
  expect(primary?.text).toBe("this is f32[B, 8]");
  expect(places).toEqual([
    "2 * width: `width` is 24 here",
    "width: `width` is 12 here",
    "3: `heads` is 3 here",
    "4: `head` is 4 here",
    "8: 8 comes from here",
    "width: 24 is expected here",
  ]);
});

test("a name that was given another value since explains nothing", () => {
  const { diagnostics } = checkText(`block Wide(width: int) {
  forward(x: f32[B, width]) -> f32[B, width] = x
}
model M(first: int = 2) {
  input x: f32[B, 8]
  entry run(x) {
    let width = 3 * first
    width = 5
    Wide(width)(x)
  }
}
`);
  const [labels] = diagnostics.map(({ related }) => related.map(({ text }) => text));
  expect(labels).toEqual(["`width` is 5 here", "8 comes from here", "5 is expected here"]);
});

test("what cannot be proved is listed by `check`, with its reason; what can be is not", async () => {
  const path = join(temporaryFolder(), "guards.oss");
  writeFileSync(
    path,
    `model G() {
  input x: f32[B, N, 8]
  entry pairs(x) -> y: f32[B, floor(N / 2), 16] = reshape(x, [B, floor(N / 2), 16])
  entry cut(x) -> y: f32[B, 5, 8] = x[:, 2:7]
  entry sure(x) -> y: f32[B, 8 * N] = reshape(x, [B, 4 * N + 4 * N])
}
`,
  );
  const { status, stdout } = await runHere(["check", path]);
  expect(status).toBe(0);
  const guards = stdout.split("\n").filter((line) => line.includes("when run:"));
  expect(guards).toHaveLength(2);
  expect(guards[0]).toContain("8*B*N == 16*B*floor(N/2)");
  expect(guards[1]).toMatch(/7 <= N \(an index must lie inside its axis\)/);
});
