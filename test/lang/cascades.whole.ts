/**
 * One mistake, one error: programs of the library with one thing wrong in them.
 */
import { expect, test } from "vitest";
import { checkText, library } from "../support/check-text.ts";
import { reducedSources } from "../support/reduced-sources.ts";

interface Mistake {
  readonly name: string;
  /** The text with the mistake, or the same text where it can't be made. */
  readonly make: (text: string) => string;
}

const mistakes: readonly Mistake[] = [
  { name: "a block misspelt where it is used", make: (text) => text.replace(/= Linear\(/, "= Linaer(") },
  { name: "a number too few", make: (text) => text.replace(/= LayerNorm\(width/, "= LayerNorm(") },
  { name: "a string for a number", make: (text) => text.replace(/= Linear\(width,/, '= Linear("wide",') },
  { name: "a parameter misspelt", make: (text) => text.replace(/= LayerNorm\(width/, "= LayerNorm(widht") },
  { name: "a comma lost", make: (text) => text.replace(/= Linear\((\w+), /, "= Linear($1 ") },
  { name: "a file that is not there", make: (text) => text.replace("/linear.oss", "/liner.oss") },
  {
    name: "a residual of another size",
    make: (text) => text.replace(/fc2\(gelu\(fc1\((\w+)\)\)\)/, "fc1($1)"),
  },
];

const files = library.filter(({ path }) => /models\/(?:encoders|decoders|connectors)\//.test(path));
const cases = mistakes.flatMap(({ name, make }) =>
  files.flatMap(({ path, text }) => {
    const mistaken = make(text);
    return mistaken === text ? [] : [{ name, path, mistaken }];
  }),
);

test("there are many", () => expect(cases.length).toBeGreaterThanOrEqual(30));

test.each(cases)("$name, in $path", ({ path, mistaken }) => {
  const { diagnostics } = checkText(mistaken, path);
  expect(diagnostics.map(({ code, message }) => `${code}: ${message}`)).toHaveLength(1);
});

test("an argument that can't be read says nothing about what is made of it", () => {
  const text = reducedSources.find((source) => source.includes("EatEncoder(frames: 64, width: 24")) ?? "";
  const mistaken = text.replace("width: 24, depth: 2", "width: 24, depth 2");
  const { diagnostics } = checkText(mistaken, "models/test/case.oss");
  expect(diagnostics.map(({ code }) => code)).toEqual(["syntax-error"]);
});
