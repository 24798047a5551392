/**
 * The reference of a library as Markdown: one page for each module, and one that lists them.
 *
 * Owns: the layout of these pages and the links between them, as GitHub names headings.
 */
import type { EntrySummary } from "../../compiler/model-summary.ts";
import { printCount } from "../../compiler/totals.ts";
import type { BlockOutline } from "../../lang/outline.ts";
import { printType } from "../../lang/types.ts";
import {
  type BlockLink,
  type BlockPage,
  byFolder,
  codeLines,
  folderOf,
  type Library,
  type ModulePage,
} from "./library.ts";
import { firstSentence, readInline, readProse } from "./prose.ts";

export interface Page {
  /** Within the folder of the reference: `blocks/linear.md`. */
  readonly path: string;
  readonly text: string;
}

export interface MarkdownOptions {
  /** Leads from the folder of the reference to that of the sources; absent: no links to them. */
  readonly sources?: string;
  /** Said at the top of every page, where only who edits it sees it. */
  readonly notice?: string;
}

export function markdownPages(library: Library, options: MarkdownOptions = {}): Page[] {
  return [indexPage(library, options), ...library.modules.map((module) => modulePage(module, options))];
}

const notice = ({ notice: text }: MarkdownOptions) => (text === undefined ? [] : [`<!-- ${text} -->`]);

function indexPage(library: Library, options: MarkdownOptions): Page {
  const sections = [...byFolder(library)].flatMap(([folder, modules]) => {
    const rows = modules.flatMap((module) =>
      module.blocks.map(({ outline }) => {
        const link = `[${outline.name}](${pageOf(module.name)}#${outline.name.toLowerCase()})`;
        return [link, outline.kind, inline(firstSentence(outline.doc))];
      }),
    );
    return [...(folder === "" ? [] : [`## ${folder}`]), table(["Block", "Kind", ""], rows)];
  });
  return { path: "README.md", text: join([`# ${library.title}`, ...notice(options), ...sections]) };
}

function modulePage(module: ModulePage, options: MarkdownOptions): Page {
  const { name, outline, blocks } = module;
  const source =
    options.sources === undefined
      ? []
      : [`[Source](${up(name)}${options.sources}/${name}) · [All modules](${up(name)}README.md)`];
  const constants =
    outline.constants.length === 0
      ? []
      : [
          table(
            ["Constant", "Value", ""],
            outline.constants.map((c) => [code(c.name), code(c.value), inline(oneLine(c.doc))]),
          ),
        ];
  const parts = [
    `# ${name}`,
    ...notice(options),
    ...source,
    ...prose(outline.header),
    ...constants,
    ...blocks.flatMap((block) => blockSection(block, module)),
  ];
  return { path: pageOf(name), text: join(parts) };
}

// ---------------------------------------------------------------- blocks

function blockSection(block: BlockPage, module: ModulePage): string[] {
  const { outline, uses, usedBy, summary } = block;
  const links = (list: readonly BlockLink[]) => list.map((link) => blockLink(link, module)).join(", ");
  const computing = codeLines(block);
  return [
    `## ${outline.name}`,
    [`*${outline.kind}*`, ...(outline.derivation === undefined ? [] : [code(outline.derivation)])].join(
      " · ",
    ),
    ...prose(outline.doc.split("\n")),
    ...parameterTable(outline),
    ...(computing.length === 0 ? [] : [`\`\`\`text\n${computing.join("\n")}\n\`\`\``]),
    ...describedSignatures(outline),
    ...(summary === undefined ? [] : entrySections(summary.entries)),
    ...(summary === undefined
      ? tensorTables(block, module)
      : derived(
          outline,
          summary.tensors.map(({ pattern, text }) => [code(pattern), code(text)]),
        )),
    ...(uses.length === 0 ? [] : [`Uses ${links(uses)}.`]),
    ...(usedBy.length === 0 ? [] : [`Used by ${links(usedBy)}.`]),
  ];
}

function parameterTable({ parameters }: BlockOutline): string[] {
  if (parameters.length === 0) return [];
  const isDescribed = parameters.some(({ doc }) => doc !== "");
  const rows = parameters.map(({ name, type, initial, doc }) => [
    code(name),
    code(type),
    initial === undefined ? "" : code(initial),
    ...(isDescribed ? [inline(oneLine(doc))] : []),
  ]);
  return [table(["Parameter", "Type", "Default", ...(isDescribed ? [""] : [])], rows)];
}

/** What the signatures and declarations say about themselves; entries have a table of their own. */
function describedSignatures({ signatures, declarations }: BlockOutline): string[] {
  const described = [...declarations, ...signatures].filter(
    ({ doc, text }) => doc !== "" && !text.startsWith("entry "),
  );
  if (described.length === 0) return [];
  return [
    described
      .map(({ text, doc }) => {
        const name = /^(?:carry |input |on )?\w+/.exec(text)?.[0] ?? text;
        return `- ${code(name)}: ${inline(oneLine(doc))}`;
      })
      .join("\n"),
  ];
}

function entrySections(entries: readonly EntrySummary[]): string[] {
  if (entries.length === 0) return [];
  const rows = entries.map(({ name, doc, inputs, outputs, totals }) => [
    code(name),
    inputs
      .map((input) => `${code(input.name)} ${code(withRate(printType(input.type), input.sampleRate))}`)
      .join("<br>"),
    outputs.map((output) => `${code(output.name)} ${code(printType(output.type))}`).join("<br>"),
    code(printCount(totals.parameters)),
    code(printCount(totals.macs)),
    inline(oneLine(doc)),
  ]);
  const guards = entries.flatMap(({ name, guards: all }) => (all.length === 0 ? [] : [[name, all] as const]));
  return [
    table(["Entry", "Takes", "Gives", "Learned", "MACs", ""], rows),
    ...guards.map(([name, all]) => `${code(name)} needs ${all.map(code).join(" and ")}.`),
  ];
}

function withRate(type: string, rate: number | undefined): string {
  return rate === undefined ? type : `${type} @ ${rate}Hz`;
}

function tensorTables({ tensors, partTensors }: BlockPage, module: ModulePage): string[] {
  const own = tensors.map(({ prefix, name, type, initial, doc }) => [
    code(prefix + name),
    code(type),
    code(initial ?? "normal(0.02)"),
    ...(tensors.some((tensor) => tensor.doc !== "") ? [inline(oneLine(doc))] : []),
  ]);
  const parts = partTensors.map(({ pattern, owner }) => [code(pattern), blockLink(owner, module)]);
  const head = ["Learned tensor", "Type", "Starts as", ""];
  return [
    ...(own[0] === undefined ? [] : [table(head.slice(0, own[0].length), own)]),
    ...(parts.length === 0 ? [] : [table(["Learned tensors of parts", "of"], parts)]),
  ];
}

/** A variant has the tensors of what it varies, and a table of them would say nothing new. */
function derived({ declaration }: BlockOutline, rows: string[][]): string[] {
  if (declaration.value !== undefined || rows.length === 0) return [];
  return [table(["Learned tensor", "Type"], rows)];
}

// ---------------------------------------------------------------- links

/** `encoders/ast.oss` → `encoders/ast.md` */
function pageOf(name: string): string {
  return name.replace(/\.oss$/, ".md");
}

/** From the page of a module to the folder of the reference. */
function up(name: string): string {
  const folder = folderOf(name);
  return folder === "" ? "" : "../".repeat(folder.split("/").length);
}

function blockLink({ name, module: target }: BlockLink, from: ModulePage): string {
  if (target === undefined) return code(name);
  const page = target === from.name ? "" : up(from.name) + pageOf(target);
  return `[${name}](${page}#${name.toLowerCase()})`;
}

// ---------------------------------------------------------------- text

function prose(lines: readonly string[]): string[] {
  return readProse(lines).map((passage) =>
    passage.kind === "paragraph" ? inline(passage.text) : `\`\`\`text\n${passage.lines.join("\n")}\n\`\`\``,
  );
}

function inline(text: string): string {
  return readInline(text)
    .map((part) => {
      if (part.kind === "code") return code(part.text);
      return part.kind === "paper" ? `[${part.text}](${part.address})` : escaped(part.text);
    })
    .join("");
}

const oneLine = (doc: string) => doc.replaceAll(/\s*\n\s*/g, " ");

/** What Markdown would take for markup. */
function escaped(text: string): string {
  return text.replaceAll(/[\\*<>|]|\](?=\()|(?<!\w)_|_(?!\w)/g, (character) => `\\${character}`);
}

function code(text: string): string {
  const line = oneLine(text).replaceAll("|", "\\|");
  return line.includes("`") ? `\`\` ${line} \`\`` : `\`${line}\``;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

function join(parts: readonly string[]): string {
  return `${parts.join("\n\n")}\n`;
}
