/**
 * The colours of source files in editors: the grammar as VS Code runs it, on files of the library.
 *
 * The tokens are kept in snapshots/; `vitest --update` rewrites them. Read them then.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { beforeAll, describe, expect, test } from "vitest";
import { createOnigScanner, createOnigString, loadWASM } from "vscode-oniguruma";
import { type IGrammar, INITIAL, parseRawGrammar, Registry } from "vscode-textmate";
import { keywordsOfTheLanguage } from "../support/keywords.ts";
import { filesUnder, readText, root } from "../support/product-files.ts";

const path = "editors/vscode/syntaxes/ossicle.tmLanguage.json";
let grammar: IGrammar;

beforeAll(async () => {
  const wasm = createRequire(import.meta.url).resolve("vscode-oniguruma/release/onig.wasm");
  await loadWASM(new Uint8Array(readFileSync(wasm)).buffer);
  const registry = new Registry({
    onigLib: Promise.resolve({ createOnigScanner, createOnigString }),
    loadGrammar: async (scope) => (scope === "source.ossicle" ? parseRawGrammar(readText(path), path) : null),
  });
  const loaded = await registry.loadGrammar("source.ossicle");
  if (loaded === null) throw new Error("the grammar was not loaded");
  grammar = loaded;
});

interface Token {
  readonly text: string;
  readonly scope: string;
}

/** By line; spaces left out, and the parts of scopes that say nothing. */
function tokensOf(text: string): readonly (readonly Token[])[] {
  let state = INITIAL;
  return text.split("\n").map((line) => {
    const result = grammar.tokenizeLine(line, state);
    state = result.ruleStack;
    return result.tokens.flatMap(({ startIndex, endIndex, scopes }): Token[] => {
      const written = line.slice(startIndex, endIndex).trim();
      const scope = (scopes.at(-1) ?? "").replace(/\.ossicle$/, "");
      return written === "" ? [] : [{ text: written, scope }];
    });
  });
}

function printed(text: string): string {
  const lines = tokensOf(text);
  return `${text
    .split("\n")
    .flatMap((line, i) => [
      `> ${line}`.trimEnd(),
      ...(lines[i] ?? [])
        .filter(({ scope }) => scope !== "source")
        .map((token) => `    ${token.text}  ${token.scope}`),
    ])
    .join("\n")}\n`;
}

describe("the grammar", () => {
  const files = ["policies/topk", "adapters/lora", "blocks/linear", "decoders/mamba2-lm"];
  test.each(files)("of models/%s.oss", async (name) => {
    const snapshot = `${root}test/editors/snapshots/${name.replace("/", "-")}.txt`;
    await expect(printed(readText(`models/${name}.oss`))).toMatchFileSnapshot(snapshot);
  });

  test("leaves no word of the library without a colour, and ends every line as it began", () => {
    for (const { path: file, text } of filesUnder("models", /\.oss$/)) {
      for (const [i, tokens] of tokensOf(text).entries()) {
        const bare = tokens.filter(({ text: written, scope }) => scope === "source" && /\w/.test(written));
        expect(bare, `${file}:${i + 1}`).toEqual([]);
      }
    }
  });

  test.each(keywordsOfTheLanguage)("knows the keyword %s", (word, sample) => {
    const found = tokensOf(sample)
      .flat()
      .find(({ text }) => text === word);
    expect(found?.scope).toMatch(/^(?:keyword|storage|constant\.language)/);
  });

  test("ends a string that was never closed with its line", () => {
    const [first = [], second = []] = tokensOf('let a = "open\nlet b = 1');
    expect(first.at(-1)?.scope).toBe("string.quoted.double");
    expect(second[0]).toEqual({ text: "let", scope: "storage.type" });
  });

  test("does not take keywords for names after a dot or before a colon", () => {
    const [tokens = []] = tokensOf("  let y = base.input + f(on: 1, at: x[1:2])");
    expect(tokens).toContainEqual({ text: "input", scope: "variable.other.property" });
    expect(tokens).toContainEqual({ text: "on", scope: "variable.parameter" });
  });
});
