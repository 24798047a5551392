/**
 * `ossicle doc`: a reference of a library of models, from what its sources say.
 *
 * Owns: which sources are meant and where the pages go. Their content is reference/'s.
 */
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { type Command, Option } from "commander";
import { libraryRoot, openSourceTree } from "./modules.ts";
import { type CommonOptions, useColor, withCommonOptions } from "./options.ts";
import { Output } from "./output.ts";
import { inFolder, writeTogether } from "./output-files.ts";
import { htmlPage } from "./reference/html.ts";
import { describeLibrary, type Library } from "./reference/library.ts";
import { markdownPages, type Page } from "./reference/markdown.ts";
import type { Run } from "./run-state.ts";
import { isFolder, sourceFiles } from "./source-files.ts";

interface DocOptions extends CommonOptions {
  readonly out: string;
  readonly format: string;
  readonly title?: string;
}

export function addDoc(program: Command, run: Run): void {
  withCommonOptions(program.command("doc"))
    .summary("write the reference of a library of models")
    .description(
      "Writes what the sources say about themselves: doc comments, parameters, types, sites, learned tensors, and what models take, give and cost.",
    )
    .argument("[path]", "an .oss file or a folder of them; Ossicle's own library by default")
    .requiredOption("-o, --out <folder>", "where the pages go")
    .addOption(
      new Option(
        "--format <format>",
        "one page of HTML that needs nothing else, or a page of Markdown for each file",
      )
        .choices(["html", "markdown"])
        .default("html"),
    )
    .option("--title <text>", "what the reference is called")
    .action(async (path: string | undefined, options: DocOptions) => {
      run.status = await writeReference(path, options);
    });
}

async function writeReference(path: string | undefined, options: DocOptions): Promise<number> {
  const output = new Output("doc", { json: options.json === true, color: useColor(options) });
  const place = resolve(path ?? libraryRoot());
  const folder = isFolder(place) ? place : dirname(place);
  const library = openLibrary(path, options);
  output.diagnostics(library.diagnostics);
  const sources = relative(resolve(options.out), folder).split(sep).join("/");
  const pages: Page[] =
    options.format === "html"
      ? [{ path: "index.html", text: htmlPage(library) }]
      : markdownPages(library, { sources: sources === "" ? "." : sources });
  await writePages(pages, options.out);
  const written = pages.map((page) => join(options.out, page.path));
  output.set("files", written);
  const blocks = library.modules.reduce((count, module) => count + module.blocks.length, 0);
  output.line(`${written.join("\n")}\n${blocks} blocks of ${library.modules.length} files`);
  return output.finish();
}

/** Reads a file or all those of a folder. @throws DiagnosticError when one has mistakes */
export function openLibrary(
  path: string | undefined,
  options: { readonly root?: string; readonly title?: string } = {},
): Library {
  const place = path ?? libraryRoot();
  const folder = isFolder(place) ? place : dirname(place);
  const title =
    options.title ?? (path === undefined ? "The library of Ossicle" : basename(resolve(place), ".oss"));
  return describeLibrary(
    title,
    [...sourceFiles([place])].map((file) => ({
      name: relative(folder, file).split(sep).join("/"),
      tree: openSourceTree(file, options.root ?? (isFolder(place) ? place : undefined)),
    })),
  );
}

/** All of them, or none. */
async function writePages(pages: readonly Page[], out: string): Promise<void> {
  const folders = [...new Set(pages.map((page) => join(out, dirname(page.path))))];
  const write = (): Promise<void> =>
    writeTogether(
      pages.map((page) => join(out, page.path)),
      async (sinks) => {
        for (const [index, sink] of sinks.entries()) {
          await sink.write(new TextEncoder().encode(pages[index]?.text ?? ""));
        }
      },
    );
  await folders.reduceRight<() => Promise<void>>((inner, folder) => () => inFolder(folder, inner), write)();
}
