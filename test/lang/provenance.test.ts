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
    expect.stringMatching(/^`c` is 4 here \(… 4 more places between this and the next\)$/),
    "`h` is 9 here",
    expect.stringContaining("9 "),
    "44 is expected here",
  ]);
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
