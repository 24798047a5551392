/**
 * How many learned parameters a block has.
 *
 * Owns: laying a block out with its defaults, once for each text. Parameters without a default stay
 * symbols, so the count may be a formula.
 */
import type { BlockDeclaration } from "../lang/ast.ts";
import { Notes } from "../lang/check.ts";
import { DiagnosticSink } from "../lang/diagnostic.ts";
import type { Observer } from "../lang/evaluation.ts";
import { Evaluator } from "../lang/evaluator.ts";
import { bareTemplate, instantiate } from "../lang/instance.ts";
import { loadProgram } from "../lang/program.ts";
import type { SourceFile } from "../lang/source.ts";
import { parsedFile } from "./readings.ts";
import type { Workspace } from "./workspace.ts";

interface Count {
  readonly text: string | undefined;
  /** The texts that it was found with. */
  readonly files: readonly SourceFile[];
}
/** Longer ones tell a reader nothing. */
const longestFormula = 160;

const counted = new WeakMap<BlockDeclaration, Count>();

/** `590592 parameters in 2 tensors`; `undefined` for none, and when it depends on more than sizes. */
export function countParameters(declaration: BlockDeclaration, workspace: Workspace): string | undefined {
  const known = counted.get(declaration);
  if (known?.files.every((file) => workspace.source(file.path) === file) === true) return known.text;
  const found = count(declaration, workspace);
  counted.set(declaration, found);
  return found.text;
}

function count(declaration: BlockDeclaration, workspace: Workspace): Count {
  const { file } = declaration.name.span;
  const sink = new DiagnosticSink();
  const program = loadProgram(file, workspace.loader, sink, parsedFile);
  const files = [...program.modules.values()].map((module) => module.file);
  const nothing: Count = { text: undefined, files };
  const notes = new Notes();
  // A list of unknown length or an undecided branch: what is laid out is not all, or too much.
  let isOpen = sink.hasErrors;
  const observe: Observer = (_, value) => {
    if (value.kind === "unknown") isOpen = true;
  };
  const evaluator = new Evaluator({ program, catalog: workspace.catalog, emitter: notes, sink, observe });
  const instance = instantiate(bareTemplate(declaration, program.root), "", evaluator, { open: true });
  instance?.force();
  const { parameterCount: size } = notes;
  if (instance === undefined || isOpen || sink.hasErrors || size === 0) return nothing;
  const elements = String(notes.elements);
  if (elements.length > longestFormula) return nothing;
  return { text: `${elements} parameters in ${size} ${size === 1 ? "tensor" : "tensors"}`, files };
}
