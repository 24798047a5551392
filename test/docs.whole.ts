/**
 * The commands that the documentation shows, run as shown: they end well and print what is printed.
 *
 * Each document has a folder of its own, with the programs that it tells the reader to save and the
 * recording of the demo. Blocks marked `run=no` need what a test can't have.
 */
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { root, runBinary, temporaryFolder } from "./support/cli.ts";
import { filesUnder } from "./support/product-files.ts";
import { outputPattern, type Snippet, snippetsOf, splitCommand, stepsOf } from "./support/snippets.ts";

const documents = ["README.md", "docs"].flatMap((path) => filesUnder(path, /\.md$/));

/** What a block tells the reader to do, in the order of the document. */
type Step =
  | { readonly kind: "save"; readonly file: string; readonly text: string }
  | { readonly kind: "run"; readonly place: string; readonly command: string; readonly output: string };

function stepsIn(snippet: Snippet): Step[] {
  const file = snippet.options.get("file");
  if (snippet.language === "ossicle") {
    return file === undefined ? [] : [{ kind: "save", file, text: snippet.text }];
  }
  const isShell = snippet.language === "console" || snippet.language === "sh";
  if (!isShell || snippet.options.get("run") === "no") return [];
  const place = `${snippet.document}:${snippet.line}`;
  return stepsOf(snippet.text)
    .filter(({ command }) => /^(?:npx )?ossicle /.test(command))
    .map(({ command, output }) => ({ kind: "run", place, command, output }));
}

const shown = documents
  .map((document) => ({ path: document.path, steps: snippetsOf(document).flatMap(stepsIn) }))
  .filter(({ steps }) => steps.some((step) => step.kind === "run"));

test("the README shows the commands", () => {
  const readme = shown.find(({ path }) => path === "README.md");
  const commands = readme?.steps.flatMap((step) =>
    step.kind === "run" ? splitCommand(step.command)[2] : [],
  );
  expect(new Set(commands)).toEqual(new Set(["check", "inspect", "compile", "run", "classify"]));
});

describe("commands", () => {
  test.each(shown.map(({ path, steps }) => [path, steps] as const))("%s", async (_, steps) => {
    const folder = temporaryFolder();
    const recording = "examples/demo/recording.wav";
    mkdirSync(dirname(join(folder, recording)), { recursive: true });
    cpSync(join(root, recording), join(folder, recording));
    for (const step of steps) {
      if (step.kind === "save") {
        writeFileSync(join(folder, step.file), step.text);
        continue;
      }
      const words = splitCommand(step.command.replace(/^npx /, "")).slice(1);
      const { status, stdout, stderr } = await runBinary(words, { cwd: folder });
      expect(`${status} ${stderr}`, `${step.place}: ${step.command}`).toMatch(/^0 /);
      // Both streams go to a terminal, results first in what the documents show.
      expect(stdout + stderr, `${step.place}: ${step.command}`).toMatch(outputPattern(step.output));
    }
  });
});
