import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { highlight } from "../../src/cli/reference/highlight.ts";
import { firstSentence, readInline, readProse } from "../../src/cli/reference/prose.ts";
import { runHere, temporaryFolder } from "../support/cli.ts";

const parts = `// Parts <of> a model (arXiv:1706.03762, section 3).
//
//   B  batch     N  tokens

/// How wide everything is.
let width = 2 * 4

/// y = x W. Keeps *b as it is.
block Map(
  /// Columns of the result.
  output: int,
  scale: "one" | "two" = "one",
) {
  /// Stored [width, output].
  param weight: f32[width, output] = normal(0.5)
  param bias: f32[output]
  forward(x: f32[*b, width]) -> f32[*b, output] = x @ weight + bias
}
`;
const model = `import { Map, width } from "./parts/map.oss"

/// Two maps. With <script>alert(1)</script> in its text.
block Twice() {
  layers = [Map(width) for i in 0..2]
  forward(x: f32[B, width]) -> f32[B, width] {
    let y = site between(layers[0](x), depth: 1)
    layers[1](y)
  }
}

/// Runs them.
model Run(head: int = 3) {
  /// What comes in.
  input x: f32[B, width]
  twice = Twice()
  last = Map(head)
  /// One score each.
  entry run(x) -> y: f32[B, head] = x |> twice |> last
  sweep { head: [3, 5] }
}

/// Wider.
model Wide = Run(head: 16)

model Open(head: int) {
  input x: f32[B, width]
  last = Map(head)
  entry run(x) -> y: f32[B, head] = last(x)
}
`;

describe("ossicle doc", () => {
  let folder = "";
  let out = "";
  const page = (name: string) => readFileSync(join(out, name), "utf8");
  beforeEach(() => {
    folder = temporaryFolder();
    out = join(folder, "out/deep");
    mkdirSync(join(folder, "lib/parts"), { recursive: true });
    writeFileSync(join(folder, "lib/parts/map.oss"), parts);
    writeFileSync(join(folder, "lib/model.oss"), model);
  });
  const write = (...more: readonly string[]) => runHere(["doc", join(folder, "lib"), "--out", out, ...more]);

  test("as Markdown: a page for each file, and one that lists them", async () => {
    const { status, stdout, stderr } = await write("--format", "markdown", "--json");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(JSON.parse(stdout)).toMatchObject({
      ok: true,
      files: ["README.md", "model.md", "parts/map.md"].map((name) => join(out, name)),
    });
    expect(page("README.md")).toContain("| [Map](parts/map.md#map) | block | y = x W. |\n");
    expect(page("parts/map.md")).toBe(`# parts/map.oss

[Source](../../../lib/parts/map.oss) · [All modules](../README.md)

Parts \\<of\\> a model ([arXiv:1706.03762](https://arxiv.org/abs/1706.03762), section 3).

\`\`\`text
B  batch     N  tokens
\`\`\`

| Constant | Value |  |
| --- | --- | --- |
| \`width\` | \`2 * 4\` | How wide everything is. |

## Map

*block*

y = x W. Keeps \\*b as it is.

| Parameter | Type | Default |  |
| --- | --- | --- | --- |
| \`output\` | \`int\` |  | Columns of the result. |
| \`scale\` | \`"one" \\| "two"\` | \`"one"\` |  |

\`\`\`text
forward(x: f32[*b, width]) -> f32[*b, output]
\`\`\`

| Learned tensor | Type | Starts as |  |
| --- | --- | --- | --- |
| \`weight\` | \`f32[width, output]\` | \`normal(0.5)\` | Stored [width, output]. |
| \`bias\` | \`f32[output]\` | \`normal(0.02)\` |  |

Used by [Twice](../model.md#twice), [Run](../model.md#run), [Open](../model.md#open).
`);
    const models = page("model.md");
    expect(models).toContain("site between(layers[0](x), depth)");
    expect(models).toContain("| `layers.*.{weight,bias}` | [Map](parts/map.md#map) |");
    expect(models).toContain(
      "| `run` | `x` `f32[B, 8]` | `y` `f32[B, 3]` | `171` | `152*B` | One score each. |",
    );
    expect(models).toContain("| `twice.layers.{0,1}.weight` | `f32[8, 8]` |");
    expect(models).toContain("*model* · `= Run(head: 16)`");
    expect(models).toContain("sweep { head: [3, 5] }");
    // Without a value for `head` there is nothing to evaluate; what is written stands there.
    expect(models.split("## Open")[1]).toContain("entry run(x) -> y: f32[B, head]");
  });

  test("as HTML: one page that needs nothing else, with every link leading somewhere", async () => {
    expect((await write("--title", "A & B")).status).toBe(0);
    expect(readdirSync(out)).toEqual(["index.html"]);
    const html = page("index.html");
    expect(html).toContain("<title>A &amp; B</title>");
    expect(html).not.toContain("<script>alert");
    expect(html).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
    const ids = [...html.matchAll(/ id="([^"]+)"/g)].map((match) => match[1] ?? "");
    expect(new Set(ids).size).toBe(ids.length);
    const targets = [...html.matchAll(/ href="#([^"]+)"/g)].map((match) => match[1] ?? "");
    expect(targets.length).toBeGreaterThan(10);
    expect(targets.filter((target) => !ids.includes(target))).toEqual([]);
    const outside = [...html.matchAll(/(?:src|href)="(?!#)([^"]+)"/g)].map((match) => match[1]);
    expect(outside).toEqual(["https://arxiv.org/abs/1706.03762"]);
    expect(unbalanced(html)).toEqual([]);
  });

  test("a file alone", async () => {
    const { status } = await runHere([
      "doc",
      join(folder, "lib/model.oss"),
      "-o",
      out,
      "--format",
      "markdown",
    ]);
    expect(status).toBe(0);
    expect(readdirSync(out).sort()).toEqual(["README.md", "model.md"]);
    expect(page("model.md")).toContain("Uses `Map`.");
  });

  test("writes nothing when a file has mistakes", async () => {
    writeFileSync(join(folder, "lib/broken.oss"), "model A( {");
    const { status, stderr } = await write();
    expect(status).toBe(1);
    expect(stderr).toContain("broken.oss:1");
    expect(existsSync(join(folder, "out"))).toBe(false);
  });

  test("wrong usage", async () => {
    expect((await runHere(["doc"])).status).toBe(2);
    expect((await write("--format", "pdf")).status).toBe(2);
  });
});

/** Tags that are closed by another, or never. */
function unbalanced(html: string): string[] {
  const single = new Set(["meta", "input", "!doctype"]);
  const open: string[] = [];
  const wrong: string[] = [];
  const text = html.replace(/<(style|script)>[\s\S]*?<\/\1>/g, "");
  for (const [, slash, name = ""] of text.matchAll(/<(\/?)([!a-z][a-z0-9]*)[^>]*>/g)) {
    if (single.has(name)) continue;
    if (slash === "") open.push(name);
    else if (open.at(-1) === name) open.pop();
    else wrong.push(name);
  }
  return [...wrong, ...open];
}

describe("prose", () => {
  test("paragraphs, and lines that keep their layout", () => {
    expect(readProse(["One", "paragraph.", "", "    a  b", "   c", "Another."])).toEqual([
      { kind: "paragraph", text: "One paragraph." },
      { kind: "layout", lines: [" a  b", "c"] },
      { kind: "paragraph", text: "Another." },
    ]);
  });

  test("code and papers inside a line", () => {
    expect(readInline("see `a*b` in arXiv:2504.01690.")).toEqual([
      { kind: "text", text: "see " },
      { kind: "code", text: "a*b" },
      { kind: "text", text: " in " },
      { kind: "paper", text: "arXiv:2504.01690", address: "https://arxiv.org/abs/2504.01690" },
      { kind: "text", text: "." },
    ]);
  });

  test.each([
    ["One. Two.", "One."],
    ["Of 0.5 or more (eq. 3, sec. A). Two.", "Of 0.5 or more (eq. 3, sec. A)."],
    ["No end", "No end"],
    ["As in eq. A holds. Two", "As in eq. A holds."],
    ["", ""],
  ])("the first sentence of %j", (text, sentence) => {
    expect(firstSentence(text)).toBe(sentence);
  });
});

describe("highlighting", () => {
  const marked = (text: string) =>
    [
      ...highlight(text, (name) => (name === "Map" ? "#m" : undefined)).matchAll(
        /<(?:span class="(\w+)"|a [^>]*)>([^<]*)</g,
      ),
    ].map(([, name = "link", image]) => `${name} ${image}`);

  test("keeps the text", () => {
    const html = highlight(model, () => undefined);
    const text = html
      .replaceAll(/<[^>]*>/g, "")
      .replaceAll("&lt;", "<")
      .replaceAll("&gt;", ">")
      .replaceAll("&quot;", '"');
    expect(text).toBe(model);
  });

  test("marks words that are keywords only where they are", () => {
    expect(marked("input input: f32[N]")).toEqual(["keyword input"]);
    expect(marked("block Map(from: int, block: block = Map) extends on {")).toEqual([
      "keyword block",
      "link Map",
      "link Map",
      "keyword extends",
    ]);
    expect(marked('x = site tokens(site, "s", 16kHz) // c')).toEqual([
      "keyword site",
      "string &quot;s&quot;",
      "number 16kHz",
      "comment // c",
    ]);
    expect(marked("weights.entry = on.Map")).toEqual([]);
  });
});
