/**
 * The extension for VS Code as a user installs it: the file that `npm run vscode` writes.
 */
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join } from "node:path";
import { strFromU8, unzipSync } from "fflate";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import { parse } from "../../src/lang/parse.ts";
import { SourceFile } from "../../src/lang/source.ts";
import { temporaryFolder } from "../support/cli.ts";
import { LanguageClient } from "../support/language-client.ts";
import { filesUnder, readText, root } from "../support/product-files.ts";

interface Manifest {
  readonly version: string;
  readonly main: string;
  readonly contributes: {
    readonly languages: readonly { readonly configuration: string; readonly extensions: readonly string[] }[];
    readonly grammars: readonly { readonly path: string; readonly scopeName: string }[];
    readonly snippets: readonly { readonly path: string }[];
    readonly configuration: { readonly properties: Readonly<Record<string, unknown>> };
  };
}

let files: Readonly<Record<string, Uint8Array>> = {};
const text = (path: string): string => strFromU8(files[path] ?? new Uint8Array());

beforeAll(() => {
  const printed = execFileSync(process.execPath, ["scripts/vscode.js"], { cwd: root, encoding: "utf8" });
  files = unzipSync(new Uint8Array(readFileSync(root + printed.trim())));
});

describe("the .vsix", () => {
  test("holds the manifests, and says of every file what it is", () => {
    const types = text("[Content_Types].xml");
    const described = [...types.matchAll(/Extension="\.(\w+)"/g)].map((match) => match[1]);
    const named = [...types.matchAll(/PartName="\/([^"]+)"/g)].map((match) => match[1]);
    const unknown = Object.keys(files).filter((path) => {
      const extension = /\.(\w+)$/.exec(path)?.[1];
      return path !== "[Content_Types].xml" && !named.includes(path) && !described.includes(extension);
    });
    expect(unknown).toEqual([]);
    const manifest = text("extension.vsixmanifest");
    expect(manifest).toContain(`Id="ossicle" Version="${packageJson.version}" Publisher="ossicle"`);
    for (const [, path = ""] of manifest.matchAll(/<Asset [^>]*Path="([^"]+)"/g)) {
      expect(Object.keys(files)).toContain(path);
    }
  });

  test("brings everything that its package.json names, the library, and nothing else", () => {
    const manifest = JSON.parse(text("extension/package.json")) as Manifest;
    expect(manifest.version).toBe(packageJson.version);
    const { languages, grammars, snippets, configuration } = manifest.contributes;
    const named = [
      manifest.main,
      ...languages.map((language) => language.configuration),
      ...grammars.map(({ path }) => path),
      ...snippets.map(({ path }) => path),
    ].map((path) => path.replace(/^\./, "extension"));
    for (const path of named) {
      expect(Object.keys(files)).toContain(path);
      if (path.endsWith(".json")) expect(() => JSON.parse(text(path))).not.toThrow();
    }
    expect(Object.keys(configuration.properties).sort()).toEqual(["ossicle.server.path", "ossicle.set"]);
    for (const { path, text: source } of filesUnder("models", /\.oss$/)) {
      expect(text(`extension/${path}`)).toBe(source);
    }
    const known =
      /^(?:\[Content_Types\]\.xml|extension\.vsixmanifest|extension\/(?:package\.json|README\.md|LICENSE|language-configuration\.json|(?:snippets|syntaxes)\/[\w.-]+\.json|models\/[\w/.-]+\.oss|docs\/errors\/[\w-]+\.md|dist\/(?:client\.cjs|server\/main\.mjs)))$/;
    expect(Object.keys(files).filter((path) => !known.test(path))).toEqual([]);
  });

  test("its client needs nothing but the editor", () => {
    const client = text("extension/dist/client.cjs");
    const needed = new Set([...client.matchAll(/\brequire\("([^"]+)"\)/g)].map((match) => match[1] ?? ""));
    const bare = [...needed].map((name) => name.replace(/^node:/, ""));
    expect(bare.filter((name) => name !== "vscode" && !builtinModules.includes(name))).toEqual([]);
    expect(needed).toContain("vscode");
  });

  test("its server works from where it was unpacked, with the library beside it", async () => {
    const folder = temporaryFolder();
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), content);
    }
    const server = join(folder, "extension/dist/server/main.mjs");
    const child = spawn(process.execPath, [server, "--stdio", "--clientProcessId=1"], { cwd: folder });
    onTestFinished(() => {
      child.kill();
    });
    const client = new LanguageClient(child);
    const { result } = await client.ask("initialize", { processId: null, rootUri: null, capabilities: {} });
    expect(result).toMatchObject({ serverInfo: { name: "ossicle", version: packageJson.version } });
    client.notify("initialized", {});
    const told = client.next(({ method }) => method === "textDocument/publishDiagnostics");
    const source =
      'import { Linear } from "ossicle/blocks/linear.oss"\n\nlet one = Linear(1, 2)\nlet two = nothing\n';
    client.notify("textDocument/didOpen", {
      textDocument: { uri: "untitled:1", languageId: "ossicle", version: 1, text: source },
    });
    const { params } = await told;
    expect(params).toMatchObject({ diagnostics: [{ code: "unknown-name", codeDescription: {} }] });
    expect(JSON.stringify(params)).toContain("/extension/docs/errors/unknown-name.md");
    expect(client.faults).toEqual([]);
  });
});

test("the snippets are programs of the language", () => {
  const snippets: unknown = JSON.parse(readText("editors/vscode/snippets/ossicle.json"));
  const bodies = Object.values(snippets as Record<string, { body: string | string[] }>).map(({ body }) =>
    [body].flat().join("\n"),
  );
  expect(bodies.length).toBeGreaterThan(3);
  for (const body of bodies) {
    const values = new Map([...body.matchAll(/\$\{(\d+):([^}]*)\}/g)].map(([, n, value]) => [n, value]));
    const filled = body
      .replace(/\$\{\d+:([^}]*)\}/g, "$1")
      .replace(/\$([1-9])/g, (_, n: string) => values.get(n) ?? "")
      .replace("$0", "x");
    expect(parse(new SourceFile("snippet.oss", filled)).diagnostics, filled).toEqual([]);
  }
});
