/**
 * Source files that are unlike what editors usually write, through the built program: what is sound is
 * accepted, and the rest answered with a diagnostic in its file.
 */
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { runBinary, temporaryFolder } from "../support/cli.ts";

const model = `model Scale() {
  input x: f32[B, 3]
  entry run(x) -> y: f32[B, 3] = 2 * x
}
`;
const importing = (path: string): string =>
  `import { Scale } from "${path}"\n${model.replace("Scale", "Other")}`;
const nested = (depth: number): string => `let a = ${"(".repeat(depth)}1${")".repeat(depth)}\n${model}`;

/** Writes `files` and checks the first; a name that ends in `@` is a link to the text. */
async function checked(
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<{ readonly status: number | null; readonly stderr: string; readonly seconds: number }> {
  const folder = temporaryFolder();
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name.replace("@", ""));
    mkdirSync(dirname(path), { recursive: true });
    if (name.endsWith("@")) symlinkSync(String(content), path);
    else writeFileSync(path, content);
  }
  const [first = ""] = Object.keys(files);
  const begun = performance.now();
  const { status, stderr } = await runBinary(["check", first.replace("@", "")], { cwd: folder });
  expect(stderr).not.toMatch(/^\s+at .*:\d+/m);
  expect(stderr).not.toContain("internal-error");
  return { status, stderr, seconds: (performance.now() - begun) / 1000 };
}

describe("accepted", () => {
  const cases: readonly [string, Readonly<Record<string, string | Uint8Array>>][] = [
    ["lines that end in CR LF", { "a.oss": model.replaceAll("\n", "\r\n") }],
    ["no line end after the last line", { "a.oss": model.trimEnd() }],
    ["a byte order mark", { "a.oss": `\ufeff${model}` }],
    ["any characters in comments and strings", { "a.oss": `// 名 é 🎵\nlet a = "名 🎵"\n${model}` }],
    ["an empty file", { "a.oss": "" }],
    ["comments of ten megabytes", { "a.oss": `${`// ${"x".repeat(96)}\n`.repeat(100_000)}${model}` }],
    ["a link to a file in the folder", { "a.oss@": "b.oss", "b.oss": model }],
    ["the largest integer", { "a.oss": `let a = 9007199254740991\n${model}` }],
  ];
  test.each(cases)("%s", async (_, files) => {
    const { status, stderr, seconds } = await checked(files);
    expect(stderr).not.toContain("error[");
    expect(status).toBe(0);
    expect(seconds).toBeLessThan(60);
  });
});

describe("refused", () => {
  const cases: readonly [string, Readonly<Record<string, string | Uint8Array>>, RegExp][] = [
    ["a NUL in the text", { "a.oss": model.replace("2 * x", "2 \0 x") }, /error\[unknown-character\]/],
    ["a character outside the basic plane as a name", { "a.oss": model.replace("2 * x", "🎵") }, /🎵/],
    ["half a surrogate pair, as bytes", { "a.oss": bytes("let a = ", [0xed, 0xa0, 0x80]) }, /error\[/],
    ["bytes that are no UTF-8", { "a.oss": bytes(model, [0xff, 0xfe]) }, /error\[/],
    ["ten megabytes of brackets", { "a.oss": "( ] [ ) { } ".repeat(800_000) }, /error\[/],
    ["brackets ten thousand deep", { "a.oss": nested(10_000) }, /error\[nesting-too-deep\]/],
    ["an integer of thirty digits", { "a.oss": `let a = ${"9".repeat(30)}\n` }, /error\[number-too-large\]/],
    [
      "files that import one another",
      { "a.oss": importing("./b.oss"), "b.oss": importing("./a.oss") },
      /error\[/,
    ],
    ["a file that imports itself", { "a.oss": importing("./a.oss") }, /error\[/],
    [
      "an import of what is above every folder",
      { "a.oss": importing(`${"../".repeat(40)}b.oss`) },
      /error\[/,
    ],
    ["an import of a system file", { "a.oss": importing("../../../../etc/passwd") }, /error\[/],
    ["the library's folder left", { "a.oss": importing("ossicle/../package.json") }, /error\[/],
    ["a link to itself", { "a.oss@": "a.oss" }, /error\[/],
    [
      "links in a circle, imported",
      { "a.oss": importing("./b.oss"), "b.oss@": "c.oss", "c.oss@": "b.oss" },
      /error\[/,
    ],
  ];
  test.each(cases)("%s", async (_, files, words) => {
    const { status, stderr, seconds } = await checked(files);
    expect(stderr).toMatch(words);
    expect(status).toBe(1);
    expect(seconds).toBeLessThan(60);
  });
});

function bytes(text: string, more: readonly number[]): Uint8Array {
  return new Uint8Array([...new TextEncoder().encode(text), ...more, 0x0a]);
}
