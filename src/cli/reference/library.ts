/**
 * A library of models as the data of its reference.
 *
 * Owns: which modules belong together, their order and names, who uses whom, and what models cost.
 * How it looks is markdown.ts's and html.ts's.
 */
import { type ModelSummary, summarizeModel } from "../../compiler/model-summary.ts";
import type { Diagnostic } from "../../lang/diagnostic.ts";
import { DiagnosticError, DiagnosticSink } from "../../lang/diagnostic.ts";
import {
  type BlockOutline,
  type BlockReference,
  type ModuleOutline,
  outlineOf,
  type TensorOutline,
} from "../../lang/outline.ts";
import { loadProgram } from "../../lang/program.ts";
import type { SourceTree } from "../modules.ts";

export interface Library {
  readonly title: string;
  readonly modules: readonly ModulePage[];
  /** Warnings; errors are thrown. */
  readonly diagnostics: readonly Diagnostic[];
}

export interface ModulePage {
  /** Within the library: `blocks/linear.oss`. */
  readonly name: string;
  readonly source: string;
  readonly outline: ModuleOutline;
  readonly blocks: readonly BlockPage[];
}

export interface BlockPage {
  readonly outline: BlockOutline;
  /** Learned tensors of its own. */
  readonly tensors: readonly TensorOutline[];
  /** Those of its parts. */
  readonly partTensors: readonly PartTensors[];
  readonly uses: readonly BlockLink[];
  readonly usedBy: readonly BlockLink[];
  /** Of a model whose parameters all have defaults. */
  readonly summary: ModelSummary | undefined;
}

/** `attention.query.{weight,bias}`, of a `Linear`. */
export interface PartTensors {
  readonly pattern: string;
  readonly owner: BlockLink;
}

/** A block of the library, or (`module` absent) of another one. */
export interface BlockLink {
  readonly name: string;
  readonly module: string | undefined;
}

/** @throws DiagnosticError when a module has mistakes */
export function describeLibrary(
  title: string,
  sources: readonly { readonly name: string; readonly tree: SourceTree }[],
): Library {
  const sink = new DiagnosticSink();
  const programs = sources.map(({ name, tree }) => ({
    name,
    program: loadProgram(tree.root, tree.loader, sink),
  }));
  if (sink.hasErrors) throw new DiagnosticError(sink.sorted());
  const nameOf = new Map(programs.map(({ name, program }) => [program.root.file.path, name]));
  const outlines = programs.map(({ name, program }) => ({ name, program, outline: outlineOf(program.root) }));
  const users = usersOf(outlines);
  const link = ({ name, path }: BlockReference): BlockLink => ({ name, module: nameOf.get(path) });
  const modules = outlines.map(({ name, program, outline }): ModulePage => {
    const { path, text } = program.root.file;
    const blocks = outline.blocks.map((block): BlockPage => {
      const summary = block.kind === "model" ? summarizeModel(program, block.name, sink) : undefined;
      const usedBy = users.get(`${path}:${block.name}`) ?? [];
      const isOwn = ({ owner }: TensorOutline) => owner.name === block.name && owner.path === path;
      return {
        outline: block,
        tensors: block.tensors.filter(isOwn),
        partTensors: groupTensors(
          block.tensors.filter((tensor) => !isOwn(tensor)),
          link,
        ),
        uses: block.uses.map(link),
        usedBy: usedBy.map(link),
        summary,
      };
    });
    return { name, source: text, outline, blocks };
  });
  if (sink.hasErrors) throw new DiagnosticError(sink.sorted());
  return { title, modules, diagnostics: sink.sorted() };
}

/** The tensors of one part in one line. */
function groupTensors(
  tensors: readonly TensorOutline[],
  link: (reference: BlockReference) => BlockLink,
): PartTensors[] {
  const parts = new Map<string, { prefix: string; names: string[]; owner: BlockReference }>();
  for (const { prefix, name, owner } of tensors) {
    const key = JSON.stringify([prefix, owner]);
    const known = parts.get(key);
    if (known === undefined) parts.set(key, { prefix, names: [name], owner });
    else known.names.push(name);
  }
  return [...parts.values()].map(({ prefix, names, owner }) => ({
    pattern: `${prefix}${names.length === 1 ? names.join() : `{${names.join(",")}}`}`,
    owner: link(owner),
  }));
}

function usersOf(
  modules: readonly {
    readonly program: { readonly root: { readonly file: { readonly path: string } } };
    readonly outline: ModuleOutline;
  }[],
): Map<string, BlockReference[]> {
  const users = new Map<string, BlockReference[]>();
  for (const { program, outline } of modules) {
    for (const block of outline.blocks) {
      for (const { name, path } of block.uses) {
        const key = `${path}:${name}`;
        users.set(key, [...(users.get(key) ?? []), { name: block.name, path: program.root.file.path }]);
      }
    }
  }
  return users;
}

/** `encoders`, or nothing for a file beside the folders. */
export function folderOf(name: string): string {
  const at = name.lastIndexOf("/");
  return at < 0 ? "" : name.slice(0, at);
}

/** Modules by folder, in their order. */
export function byFolder(library: Library): ReadonlyMap<string, readonly ModulePage[]> {
  const folders = new Map<string, ModulePage[]>();
  for (const module of library.modules) {
    const folder = folderOf(module.name);
    folders.set(folder, [...(folders.get(folder) ?? []), module]);
  }
  return folders;
}

/** What a block declares, computes and offers, as code. Entries that have a summary are not repeated. */
export function codeLines({ outline, summary }: BlockPage): readonly string[] {
  const signatures = outline.signatures.filter(
    ({ text }) => summary === undefined || !text.startsWith("entry "),
  );
  return [
    ...[...outline.declarations, ...signatures].map(({ text }) => text),
    ...outline.sites.map((site) => `site ${site}`),
    ...outline.plans,
  ];
}
