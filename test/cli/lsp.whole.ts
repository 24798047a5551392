/**
 * The language server as an editor meets it: the real program, over its standard input and output.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { startBinary, temporaryFolder } from "../support/cli.ts";
import { Editor, editor, ended, type Located, nowhere } from "../support/language-editor.ts";

const linear = "ossicle/blocks/linear.oss";
const feed = `import { Linear, LayerNorm } from "${linear}"

/// Two layers around a nonlinearity.
block Feed(
  width: int,
  /// Between the two.
  hidden: int = 4 * width,
) {
  norm = LayerNorm(width)
  inner.up = Linear(width, hidden)
  inner.down = Linear(hidden, width)

  forward(x: f32[*b, width]) -> f32[*b, width] {
    let wide = x |> norm |> inner.up |> gelu
    x + inner.down(wide)
  }
}

model Stack(width: int = 64, keep: ratio = 50%) {
  input frames: f32[B, 100, width]
  feed = Feed(width)

  entry run(frames) -> y: f32[B, N, width] {
    let kept = frames[:, :ceil(keep * 100)]
    feed(kept)
  }
}
`;

/** A folder with a file in it, open. */
async function opened(text = feed, set?: unknown): Promise<{ at: Editor; uri: string; folder: string }> {
  const folder = temporaryFolder();
  const path = join(folder, "main.oss");
  writeFileSync(path, text);
  const at = await editor([folder], set);
  const uri = pathToFileURL(path).href;
  expect(await at.write(uri, text)).toEqual([]);
  return { at, uri, folder };
}

describe("diagnostics", () => {
  test("come while typing, with places, tags, related places and a page", async () => {
    const { at, uri } = await opened();
    const wrong = await at.write(uri, feed.replace("inner.down(wide)", "inner.down(x)"));
    expect(wrong).toHaveLength(1);
    expect(wrong[0]).toMatchObject({ severity: 1, code: "shape-mismatch", source: "ossicle" });
    expect(wrong[0]?.codeDescription?.href).toMatch(/docs\/errors\/shape-mismatch\.md$/);
    expect(at.textAt(uri, wrong[0]?.range ?? nowhere)).toBe("x");
    expect(wrong[0]?.relatedInformation?.length).toBeGreaterThan(0);
    // Half-typed: one mistake, and nothing that follows from it.
    const half = await at.write(uri, feed.replace("x + inner.down(wide)", "x + inner.down("));
    expect(half.map(({ code }) => code)).toEqual(["unclosed-delimiter"]);
    const whole = at.diagnostics(uri);
    void at.write(uri, feed.replace("  x + inner.down(wide)", "  let spare = x\n    x + inner.down(wide)"));
    let found = await whole;
    while (found.length === 0) found = await at.diagnostics(uri);
    expect(found.map(({ code, tags, severity }) => ({ code, tags, severity }))).toEqual([
      { code: "unused-let", tags: [1], severity: 2 },
    ]);
    expect(at.client.faults).toEqual([]);
  });

  test("also of open files that import the edited one, and of closed ones that are imported", async () => {
    const folder = temporaryFolder();
    const [first, second] = ["parts.oss", "main.oss"].map((name) => pathToFileURL(join(folder, name)).href);
    if (first === undefined || second === undefined) throw new Error("two files are needed");
    const parts = "block Part(width: int) {\n  forward(x: f32[N, width]) -> f32[N, width] = 2 * x\n}\n";
    const main = `import { Part } from "./parts.oss"\n\nmodel Main() {\n  input x: f32[N, 4]\n  entry run(x) -> y: f32[N, 4] = Part(4)(x)\n}\n`;
    writeFileSync(join(folder, "parts.oss"), parts.replace("2 * x", "2 * z"));
    const at = await editor([folder]);
    // The imported file is not open: its mistake is told under its own name.
    const closed = at.diagnostics(first);
    await at.write(second, main);
    expect((await closed).map(({ code }) => code)).toEqual(["unknown-name"]);
    expect(await at.write(first, parts)).toEqual([]);
    const importer = at.diagnostics(second);
    void at.write(first, parts.replace("Part(width: int)", "Part(width: int, depth: int)"));
    let found = await importer;
    while (found.length === 0) found = await at.diagnostics(second);
    expect(found.map(({ code }) => code)).toEqual(["missing-argument"]);
  });

  test("of a file with Windows line ends and letters outside the BMP stand where the editor has them", async () => {
    const { at, uri } = await opened();
    const text = feed
      .replace("/// Two", "/// 😀 Two")
      .replace("    x + inner", '    require len(["😀"]) == 1, "😀" // 😀\n    x + inner')
      .replaceAll("\n", "\r\n");
    expect(await at.write(uri, text)).toEqual([]);
    expect(await at.hover(uri, "wide)", 2)).toContain("f32[B, 50, 256]");
    const misspelt = await at.write(uri, text.replace('"😀"]', '"😀", wode]'));
    const named = misspelt.filter(({ code }) => code === "unknown-name");
    expect(named.map(({ range }) => at.textAt(uri, range))).toEqual(["wode"]);
    const letter = await at.write(uri, text.replace("let wide", "let 𝒘ide"));
    expect(letter[0]?.code).toBe("unknown-character");
  });
});

describe("hover", () => {
  test("tells shapes of names and expressions, where sizes are from, comments and counts", async () => {
    const { at, uri } = await opened();
    expect(await at.hover(uri, "wide = x", 1)).toMatch(/f32\[B, 50, 256\][\s\S]*256.*is from/);
    expect(await at.hover(uri, "|> norm")).toContain("f32[B, 50, 64]");
    expect(await at.hover(uri, "x + inner", 2)).toContain("f32[B, 50, 64]");
    const block = await at.hover(uri, "Feed(\n", 1);
    expect(block).toContain("block Feed(width: int, hidden: int = 4 * width)");
    expect(block).toContain("Two layers around a nonlinearity.");
    expect(block).toMatch(/parameters in 6 tensors/);
    expect(await at.hover(uri, "hidden)", 1)).toContain("Between the two.");
    expect(await at.hover(uri, "Linear(width", 1)).toMatch(
      /block Linear[\s\S]*input\*output \+ output parameters in 2 tensors/,
    );
    expect(await at.hover(uri, "gelu", 1)).toContain("gelu(x: *s) -> *s");
  });

  test("follows the settings of the editor", async () => {
    const { at, uri } = await opened(feed, { keep: "0.7", width: "32" });
    expect(await at.hover(uri, "kept =", 1)).toContain("f32[B, 70, 32]");
  });
});

describe("definitions and references", () => {
  test("lead into the library, to members with dots, along import paths, and between sites and policies", async () => {
    const text = `${feed}
policy Drop() {
  on tokens(x: f32[B, N, D], extra: int, ...) -> f32[B, N, D] = x + extra
}
`;
    const { at, uri } = await opened(text);
    const find = (written: string, offset: number): Promise<readonly Located[]> =>
      at.ask("textDocument/definition", at.at(uri, written, offset));
    const [linearPlace] = await find("Linear(width", 2);
    expect(linearPlace?.uri).toMatch(/models\/blocks\/linear\.oss$/);
    const [member] = await find("inner.up |>", 7);
    expect(at.textAt(uri, member?.range ?? nowhere)).toBe("up");
    expect((await find(linear, 3))[0]?.uri).toMatch(/linear\.oss$/);
    const sites = await find("on tokens", 4);
    expect(sites.map((place) => place.uri).some((one) => one.endsWith("encoders/ast.oss"))).toBe(true);
    const uses = await at.ask<readonly Located[]>("textDocument/references", {
      ...at.at(uri, "hidden: int", 1),
      context: { includeDeclaration: true },
    });
    expect(uses.map(({ range }) => at.textAt(uri, range))).toEqual(["hidden", "hidden", "hidden"]);
  });
});

describe("rename", () => {
  test("changes two files at once, and leaves aliases alone", async () => {
    const folder = temporaryFolder();
    const write = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text);
      return pathToFileURL(join(folder, name)).href;
    };
    const parts = "block Part(width: int) {\n  forward(x: f32[N, width]) -> f32[N, width] = 2 * x\n}\n";
    const first = write("parts.oss", parts);
    const second = write(
      "main.oss",
      `import { Part } from "./parts.oss"\n\nlet one = Part(width: 4)\nlet two = Part(3)\n`,
    );
    const third = write("other.oss", `import { Part as Piece } from "./parts.oss"\n\nlet one = Piece(1)\n`);
    const at = await editor([folder]);
    await at.write(first, parts);
    const { changes } = await at.ask<{ changes: Record<string, readonly { newText: string }[]> }>(
      "textDocument/rename",
      { ...at.at(first, "Part", 1), newName: "Section" },
    );
    const counts = Object.fromEntries(Object.entries(changes).map(([uri, edits]) => [uri, edits.length]));
    expect(counts).toEqual({ [first]: 1, [second]: 3, [third]: 1 });
    const width = await at.ask<{ changes: Record<string, readonly unknown[]> }>("textDocument/rename", {
      ...at.at(first, "width", 1),
      newName: "size",
    });
    expect(Object.keys(width.changes).sort()).toEqual([second, first].sort());
  });

  test("is refused in words", async () => {
    const { at, uri } = await opened();
    const refusal = (written: string, offset: number, newName: string): Promise<string> =>
      at.refusal("textDocument/rename", { ...at.at(uri, written, offset), newName });
    expect(await at.refusal("textDocument/prepareRename", at.at(uri, "gelu", 1))).toContain(
      "an op of the language",
    );
    expect(await at.refusal("textDocument/prepareRename", at.at(uri, "Linear(", 1))).toContain(
      "can't be changed",
    );
    expect(await at.refusal("textDocument/prepareRename", at.at(uri, "forward", 1))).toContain(
      "no name here",
    );
    expect(await refusal("hidden: int", 1, "for")).toContain("a keyword");
    expect(await refusal("hidden: int", 1, "9lives")).toContain("no name");
    expect(await refusal("hidden: int", 1, "width")).toMatch(/`width` is taken: .*main\.oss, line 5/);
    expect(await refusal("wide = x", 1, "x")).toContain("is taken");
    expect(await refusal("x + inner", 0, "gelu")).toContain("means something else");
    const ready = await at.ask<{ placeholder: string }>(
      "textDocument/prepareRename",
      at.at(uri, "hidden: int", 1),
    );
    expect(ready.placeholder).toBe("hidden");
  });
});

describe("completion", () => {
  test("knows what fits the place", async () => {
    const { at, uri } = await opened();
    expect(await at.labels(uri, "inner.up |>", 6)).toEqual(["up", "down"]);
    expect(await at.labels(uri, "Linear(hidden", 7)).toEqual(
      expect.arrayContaining(["input:", "output:", "width", "hidden", "norm", "gelu"]),
    );
    expect(await at.labels(uri, "  norm =", 0)).toEqual(expect.arrayContaining(["param", "forward", "let"]));
    expect(await at.labels(uri, "{ Linear", 2)).toContain("PatchProjection");
    expect(await at.labels(uri, linear, "ossicle/blocks/".length)).toContain("ossicle/blocks/attention.oss");
    expect(await at.labels(uri, "int = 64", 0)).toEqual(expect.arrayContaining(["int", "ratio", "encoder"]));
    const typing = feed.replace("let wide = x", "let wide = x\n    inner.\n    let other = x");
    await at.write(uri, typing);
    expect(await at.labels(uri, "inner.\n", 6)).toEqual(["up", "down"]);
    await at.write(uri, `${feed}\npolicy P() {\n  on \n}\n`);
    expect(await at.labels(uri, "  on \n", 5)).toEqual(expect.arrayContaining(["tokens", "patches"]));
  });

  test("shows the parameters of a call", async () => {
    const { at, uri } = await opened();
    interface Help {
      readonly signatures: readonly { readonly label: string }[];
      readonly activeParameter: number;
    }
    const help = await at.ask<Help>("textDocument/signatureHelp", at.at(uri, "Linear(hidden, width)", 15));
    expect(help.signatures[0]?.label).toContain("Linear(input: int, output: int, biased: bool = true");
    expect(help.activeParameter).toBe(1);
    await at.write(uri, feed.replace("|> gelu", "|> softmax("));
    const op = await at.ask<Help>("textDocument/signatureHelp", at.at(uri, "softmax(", 8));
    expect(op.signatures[0]?.label).toContain("softmax(x");
  });
});

describe("the rest", () => {
  test("hints, layout, fixes, outline and folding", async () => {
    const { at, uri } = await opened();
    const everything = { start: { line: 0, character: 0 }, end: { line: 99, character: 0 } };
    const hints = await at.ask<readonly { label: string }[]>("textDocument/inlayHint", {
      textDocument: { uri },
      range: everything,
    });
    expect(hints.map(({ label }) => label)).toEqual([": f32[B, 50, 256]", ": f32[B, 50, 64]"]);
    const symbols = await at.ask<readonly { name: string; children: readonly { name: string }[] }[]>(
      "textDocument/documentSymbol",
      { textDocument: { uri } },
    );
    expect(symbols.map(({ name }) => name)).toEqual(["Feed", "Stack"]);
    expect(symbols[0]?.children.map(({ name }) => name)).toContain("inner.up");
    const folds = await at.ask<readonly { startLine: number }[]>("textDocument/foldingRange", {
      textDocument: { uri },
    });
    expect(folds.length).toBeGreaterThanOrEqual(3);

    const messy = feed.replace("norm = LayerNorm(width)", "norm   =   LayerNorm( width )");
    await at.write(uri, messy);
    const [edit] = await at.ask<readonly { newText: string }[]>("textDocument/formatting", {
      textDocument: { uri },
      options: { tabSize: 2, insertSpaces: true },
    });
    expect(edit?.newText).toBe(feed);

    const misspelt = await at.write(uri, feed.replace("|> gelu", "|> gelo"));
    const fixes = await at.ask<
      readonly { title: string; edit: { changes: Record<string, readonly { newText: string }[]> } }[]
    >("textDocument/codeAction", {
      textDocument: { uri },
      range: misspelt[0]?.range,
      context: { diagnostics: [] },
    });
    expect(fixes[0]?.title).toBe("Change `gelo` to `gelu`");
    expect(fixes[0]?.edit.changes[uri]?.[0]?.newText).toBe("gelu");
    const missing = await at.write(uri, feed.replace("Linear, LayerNorm", "LayerNorm"));
    const imports = await at.ask<readonly { title: string }[]>("textDocument/codeAction", {
      textDocument: { uri },
      range: missing[0]?.range,
      context: { diagnostics: [] },
    });
    expect(imports.map(({ title }) => title)).toContain(`Import \`Linear\` from "${linear}"`);
  });

  test("text that makes no sense gets answers all the same", async () => {
    const { at, uri } = await opened();
    for (const text of [
      "",
      "block",
      "block X( {",
      "model M() { entry",
      "}}}}",
      "\u0000\ud800",
      "let x = x.",
      feed.slice(0, 333),
    ]) {
      await at.write(uri, text);
      const place = { textDocument: { uri }, position: { line: 99, character: 99 } };
      for (const method of [
        "hover",
        "definition",
        "completion",
        "signatureHelp",
        "documentSymbol",
        "foldingRange",
      ]) {
        expect(
          (await at.client.ask(`textDocument/${method}`, place)).error,
          `${method} of ${text}`,
        ).toBeUndefined();
      }
    }
    const logged = at.client.notifications.filter(({ method }) => method === "window/logMessage");
    expect(logged).toEqual([]);
    expect(at.client.faults).toEqual([]);
  });

  test("a file outside any folder, and one that was never saved", async () => {
    const at = await editor([]);
    const folder = temporaryFolder();
    writeFileSync(join(folder, "parts.oss"), "let size = 4\n");
    const outside = pathToFileURL(join(folder, "new.oss")).href;
    expect(await at.write(outside, 'import { size } from "./parts.oss"\n\nlet twice = 2 * size\n')).toEqual(
      [],
    );
    expect(await at.hover(outside, "twice", 1)).toContain("8");
    const untitled = "untitled:Untitled-1";
    expect(await at.write(untitled, feed)).toEqual([]);
    expect(await at.hover(untitled, "wide = x", 1)).toContain("f32[B, 50, 256]");
    const relative = await at.write(untitled, 'import { size } from "./parts.oss"\n');
    expect(relative.map(({ code }) => code)).toContain("import-failed");
  });
});

describe("the process", () => {
  test("ends with 0 after shutdown and exit, with 1 when it is left alone", async () => {
    const polite = await editor();
    const first = ended(polite.child);
    expect((await polite.client.ask("shutdown", undefined)).result).toBeNull();
    polite.client.notify("exit", undefined);
    expect(await first).toBe(0);
    const rude = await editor();
    const second = ended(rude.child);
    rude.client.notify("exit", undefined);
    expect(await second).toBe(1);
    const gone = await editor();
    const third = ended(gone.child);
    gone.child.stdin?.end();
    expect(await third).toBe(1);
  });

  test("says what it can do", async () => {
    const child = startBinary(["lsp"], { input: true });
    onTestFinished(() => {
      child.kill();
    });
    const { result } = await new Editor(child).start([]);
    expect(result).toMatchObject({ serverInfo: { name: "ossicle" }, capabilities: { hoverProvider: true } });
  });
});
