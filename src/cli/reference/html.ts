/**
 * The reference of a library as one page of HTML that needs nothing else.
 *
 * Owns: its structure: an index on the left, a section for each module, an article for each block.
 * Colours and type are style.ts's. All text from sources is escaped.
 */
import type { EntrySummary, ModelSummary } from "../../compiler/model-summary.ts";
import { printCount, shortCount } from "../../compiler/totals.ts";
import type { Dim } from "../../lang/dims.ts";
import type { BlockOutline } from "../../lang/outline.ts";
import { printType } from "../../lang/types.ts";
import { escapeHtml, highlight, type LinkOf } from "./highlight.ts";
import {
  type BlockLink,
  type BlockPage,
  byFolder,
  codeLines,
  folderOf,
  type Library,
  type ModulePage,
} from "./library.ts";
import { readInline, readProse } from "./prose.ts";
import { script, style } from "./style.ts";

export function htmlPage(library: Library): string {
  const title = escapeHtml(library.title);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${style}</style>
</head>
<body>
<nav aria-label="Index">
<h1><a href="#top">${title}</a></h1>
<input type="search" placeholder="Filter" aria-label="Filter the index" hidden>
${[...byFolder(library)].map(([folder, modules]) => indexOf(folder, modules)).join("\n")}
</nav>
<main id="top">
<header><h1>${title}</h1><p>${headline(library)}</p></header>
${library.modules.map(moduleSection).join("\n")}
</main>
<script>${script}</script>
</body>
</html>
`;
}

function headline({ modules }: Library): string {
  const blocks = modules.flatMap((module) => module.blocks);
  const models = blocks.filter(({ outline }) => outline.kind === "model").length;
  const count = (number: number, noun: string) => `${number} ${noun}${number === 1 ? "" : "s"}`;
  return `${count(blocks.length - models, "block")} and ${count(models, "model")} in ${count(modules.length, "file")}.`;
}

function indexOf(folder: string, modules: readonly ModulePage[]): string {
  const files = modules.map((module) => {
    const blocks = module.blocks.map(
      ({ outline }) =>
        `<li><a href="#${blockId(module.name, outline.name)}">${escapeHtml(outline.name)}</a></li>`,
    );
    const name = escapeHtml(module.name.slice(folder === "" ? 0 : folder.length + 1));
    return `<li class="file"><a href="#${moduleId(module.name)}">${name}</a><ul>${blocks.join("")}</ul></li>`;
  });
  return `<h2>${escapeHtml(folder === "" ? "files" : folder)}</h2>\n<ul>${files.join("\n")}</ul>`;
}

function moduleSection(module: ModulePage): string {
  const { name, outline, blocks, source } = module;
  const folder = folderOf(name);
  const file = escapeHtml(name.slice(folder === "" ? 0 : folder.length + 1));
  const constants = outline.constants.map(({ name: constant, value, doc }) => [
    nameCell(constant),
    codeCell(value),
    cell(inline(doc)),
  ]);
  return [
    `<section class="module" id="${moduleId(name)}">`,
    `<h2>${folder === "" ? "" : `<span class="folder">${escapeHtml(folder)}/</span>`}${file}</h2>`,
    prose(outline.header),
    table("Constants", ["Constant", "Value", ""], constants),
    ...blocks.map((block) => article(block, module)),
    `<details><summary>Source of ${escapeHtml(name)}</summary><pre><code>${highlight(source, linksOf(module))}</code></pre></details>`,
    "</section>",
  ].join("\n");
}

// ---------------------------------------------------------------- blocks

function article(block: BlockPage, module: ModulePage): string {
  const { outline, uses, usedBy, summary } = block;
  const id = blockId(module.name, outline.name);
  const links = linksOf(module);
  const computing = codeLines(block).join("\n");
  const head =
    outline.derivation === undefined
      ? ""
      : `<pre><code>${highlight(`${outline.kind} ${outline.name} ${outline.derivation}`, links)}</code></pre>`;
  return [
    `<article id="${id}">`,
    `<h3><a href="#${id}">${escapeHtml(outline.name)}</a><span class="kind">${outline.kind}</span></h3>`,
    prose(outline.doc.split("\n")),
    head,
    parameterTable(outline),
    computing === "" ? "" : `<h4>Interface</h4>\n<pre><code>${highlight(computing, links)}</code></pre>`,
    describedSignatures(outline),
    summary === undefined ? "" : entryTable(summary.entries),
    summary === undefined ? tensorTables(block) : modelTensors(outline, summary),
    related("Uses", uses),
    related("Used by", usedBy),
    "</article>",
  ]
    .filter((part) => part !== "")
    .join("\n");
}

function parameterTable({ parameters }: BlockOutline): string {
  const rows = parameters.map(({ name, type, initial, doc }) => [
    nameCell(name),
    codeCell(type),
    initial === undefined ? cell("") : codeCell(initial),
    cell(inline(doc)),
  ]);
  return table("Parameters", ["Name", "Type", "Default", ""], rows);
}

function describedSignatures({ signatures, declarations }: BlockOutline): string {
  return [...declarations, ...signatures]
    .filter(({ doc, text }) => doc !== "" && !text.startsWith("entry "))
    .map(({ text, doc }) => {
      const name = /^(?:carry |input |on )?\w+/.exec(text)?.[0] ?? text;
      return `<p><code>${escapeHtml(name)}</code>: ${inline(doc)}</p>`;
    })
    .join("\n");
}

function entryTable(entries: readonly EntrySummary[]): string {
  const rows = entries.map(({ name, doc, inputs, outputs, guards, totals }) => {
    const takes = inputs.map((input) => {
      const rate = input.sampleRate === undefined ? "" : ` @ ${input.sampleRate}Hz`;
      return codeLine(`${input.name}: ${printType(input.type)}${rate}`);
    });
    const gives = outputs.map(
      (output) =>
        `<span class="line"><span class="soft">→</span> ${codeLine(`${output.name}: ${printType(output.type)}`)}</span>`,
    );
    const needs = guards.map((guard) => `<span class="soft">needs</span> ${codeLine(guard)}`);
    const described = doc === "" ? [] : [`<span class="soft">${inline(doc)}</span>`];
    return [
      cell(lines([codeLine(name), ...described])),
      cell(lines([...takes, ...gives, ...needs])),
      `<td class="number">${quantity(totals.parameters)}</td>`,
      `<td class="number">${quantity(totals.macs)}</td>`,
    ];
  });
  return table("Entries", ["Entry", "Takes, and gives", "Learned", "MACs"], rows);
}

/** A variant has the tensors of what it varies, and a table of them would say nothing new. */
function modelTensors({ declaration }: BlockOutline, { tensors }: ModelSummary): string {
  if (declaration.value !== undefined) return "";
  const rows = tensors.map(({ pattern, text }) => [nameCell(pattern), codeCell(text)]);
  return table("Learned tensors", ["Name in a checkpoint", "Type"], rows);
}

function tensorTables({ tensors, partTensors }: BlockPage): string {
  const own = tensors.map(({ prefix, name, type, initial, doc }) => [
    nameCell(prefix + name),
    codeCell(type),
    codeCell(initial ?? "normal(0.02)"),
    cell(inline(doc)),
  ]);
  const parts = partTensors.map(({ pattern, owner }) => [nameCell(pattern), cell(blockLink(owner))]);
  return [
    table("Learned tensors", ["Name", "Type", "Starts as", ""], own),
    table("Learned tensors of parts", ["Name", "Of"], parts),
  ]
    .filter((part) => part !== "")
    .join("\n");
}

function related(title: string, links: readonly BlockLink[]): string {
  return links.length === 0 ? "" : `<p class="related">${title} ${links.map(blockLink).join(", ")}</p>`;
}

// ---------------------------------------------------------------- links

const moduleId = (name: string) => escapeHtml(name.replace(/\.oss$/, "").replaceAll(/[^\w/-]/g, "-"));
const blockId = (module: string, block: string) => `${moduleId(module)}.${block}`;

function blockLink({ name, module }: BlockLink): string {
  const text = `<code>${escapeHtml(name)}</code>`;
  return module === undefined ? text : `<a href="#${blockId(module, name)}">${text}</a>`;
}

/** The blocks that a module names. Two of one name in different files are told apart by who uses them. */
function linksOf({ name, blocks }: ModulePage): LinkOf {
  const targets = new Map<string, string>();
  for (const { outline, uses } of blocks) {
    targets.set(outline.name, `#${blockId(name, outline.name)}`);
    for (const use of uses) {
      if (use.module !== undefined) targets.set(use.name, `#${blockId(use.module, use.name)}`);
    }
  }
  return (word) => targets.get(word);
}

// ---------------------------------------------------------------- text

function prose(texts: readonly string[]): string {
  return readProse(texts)
    .map((passage) =>
      passage.kind === "paragraph"
        ? `<p>${inline(passage.text)}</p>`
        : `<pre class="layout">${escapeHtml(passage.lines.join("\n"))}</pre>`,
    )
    .join("\n");
}

function inline(text: string): string {
  return readInline(text)
    .map((part) => {
      if (part.kind === "code") return `<code>${escapeHtml(part.text)}</code>`;
      if (part.kind === "paper") return `<a href="${part.address}">${escapeHtml(part.text)}</a>`;
      return escapeHtml(part.text);
    })
    .join("");
}

const lines = (parts: readonly string[]) => parts.map((part) => `<div>${part}</div>`).join("");
const codeLine = (text: string) => `<code class="line">${escapeHtml(text)}</code>`;
const cell = (html: string) => `<td>${html}</td>`;
const codeCell = (text: string) => cell(`<code>${escapeHtml(text)}</code>`);
const nameCell = (text: string) => `<td class="name"><code>${escapeHtml(text)}</code></td>`;

/** Nothing when there are no rows. A column that is empty in all of them is left out. */
function table(title: string, head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return "";
  const kept = head.map((_, column) => rows.some((row) => !/^<td[^>]*><\/td>$/.test(row[column] ?? "")));
  const only = <T>(cells: readonly T[]) => cells.filter((_, column) => kept[column]);
  const headings = only(head).map((text) => `<th scope="col">${text}</th>`);
  const body = rows.map((row) => `<tr>${only(row).join("")}</tr>`);
  return `<h4>${title}</h4>\n<div class="wide"><table><thead><tr>${headings.join("")}</tr></thead>\n<tbody>${body.join("\n")}</tbody></table></div>`;
}

function quantity(count: Dim): string {
  const exact = escapeHtml(printCount(count));
  const short = count.constant === undefined ? undefined : shortCount(count.constant);
  if (short !== undefined) return `<span title="${exact}">${short}</span>`;
  // An expression breaks between its terms only.
  const terms = exact.split(/ (?=[+-] [^)]*(?:\(|$))/);
  return terms.map((term) => `<span class="line">${term}</span>`).join(" ");
}
