/**
 * What a module offers, as it is written: the data of a reference page.
 *
 * Owns: which facts of a declaration a reader wants, found in the syntax tree alone: nothing is
 * evaluated, so a file with open parameters has an outline too. How a page looks is not decided here.
 */
import type {
  BlockDeclaration,
  Declaration,
  EntryMember,
  Expression,
  ForwardMember,
  HandlerMember,
  Member,
  SiteExpression,
} from "./ast.ts";
import { printFragment } from "./print.ts";
import type { ModuleScope } from "./program.ts";
import { tokenize } from "./tokenize.ts";

export interface ModuleOutline {
  /** The lines of the comment that the file begins with, without their slashes. */
  readonly header: readonly string[];
  readonly constants: readonly { readonly name: string; readonly value: string; readonly doc: string }[];
  readonly blocks: readonly BlockOutline[];
}

/** A declared block, told apart from others of its name by the file that declares it. */
export interface BlockReference {
  readonly name: string;
  readonly path: string;
}

export interface BlockOutline {
  readonly declaration: BlockDeclaration;
  readonly name: string;
  readonly kind: string;
  readonly doc: string;
  /** `extends Y(depth: 6)` or, of a variant, `= Captioner(keep: 50%)`. */
  readonly derivation: string | undefined;
  readonly parameters: readonly ParameterOutline[];
  /** `forward`, handlers and entries, without their bodies. */
  readonly signatures: readonly { readonly text: string; readonly doc: string }[];
  /** `carry origin` and `input audio: waveform[T] @ 16kHz`. */
  readonly declarations: readonly { readonly text: string; readonly doc: string }[];
  /** `tokens(x, extra, attention)`: where a policy can act, and what it is offered. */
  readonly sites: readonly string[];
  /** `sweep { … }`, `budget { … }` and their like. */
  readonly plans: readonly string[];
  readonly tensors: readonly TensorOutline[];
  readonly uses: readonly BlockReference[];
}

export interface ParameterOutline {
  readonly name: string;
  readonly type: string;
  readonly initial: string | undefined;
  readonly doc: string;
}

/** A learned tensor: its name in a checkpoint, with `*` for positions in lists. */
export interface TensorOutline {
  /** Where its owner lies: empty, or ending in a dot. */
  readonly prefix: string;
  readonly name: string;
  /** In the terms of the block that declares it. */
  readonly type: string;
  readonly initial: string | undefined;
  readonly doc: string;
  readonly owner: BlockReference;
}

export function outlineOf(module: ModuleScope): ModuleOutline {
  const { unit } = module;
  const constants = unit.declarations.flatMap((declaration) =>
    declaration.kind === "let"
      ? [{ name: declaration.name.name, value: printFragment(declaration.value), doc: declaration.doc }]
      : [],
  );
  const blocks = unit.declarations.flatMap((declaration) =>
    declaration.kind === "block" ? [outlineBlock(declaration, module)] : [],
  );
  return { header: headerOf(module), constants, blocks };
}

/** Plain comments before anything else, up to the first doc comment. */
function headerOf({ file }: ModuleScope): string[] {
  const { comments, tokens } = tokenize(file, () => true);
  const first = tokens[0]?.startOffset ?? file.text.length;
  const lines: string[] = [];
  for (const { text, span } of comments) {
    if (span.start > first || /^\/\/\/(?!\/)/.test(text)) break;
    lines.push(text.replace(/^\/\/+ ?/, "").trimEnd());
  }
  return lines;
}

function outlineBlock(declaration: BlockDeclaration, module: ModuleScope): BlockOutline {
  const { name, blockKind, doc, base, value, parameters } = declaration;
  const members = allMembers(declaration.members);
  const computing = members.filter(
    (member): member is ForwardMember | HandlerMember | EntryMember =>
      member.kind === "forward" || member.kind === "handler" || member.kind === "entry",
  );
  const tensors: TensorOutline[] = [];
  collectTensors(declaration, module, "", tensors, 0);
  return {
    declaration,
    name: name.name,
    kind: blockKind,
    doc,
    derivation:
      base !== undefined
        ? `extends ${printFragment(base)}`
        : value !== undefined
          ? `= ${printFragment(value)}`
          : undefined,
    parameters: parameters.map((parameter) => ({
      name: parameter.name.name,
      type: printFragment(parameter.type),
      initial: parameter.initial === undefined ? undefined : printFragment(parameter.initial),
      doc: parameter.doc,
    })),
    signatures: computing.map((member) => ({ text: printFragment(member), doc: member.doc })),
    declarations: members.flatMap(declarationOf),
    sites: sitesOf(declaration),
    plans: members.flatMap(planOf),
    tensors,
    uses: usesOf(declaration, module),
  };
}

/** Also those that depend on a condition. */
function allMembers(members: readonly Member[]): Member[] {
  return members.flatMap((member) =>
    member.kind === "conditional" ? allMembers([...member.consequent, ...member.alternate]) : [member],
  );
}

function declarationOf(member: Member): { text: string; doc: string }[] {
  switch (member.kind) {
    case "input":
      return [{ text: `input ${member.name.name}: ${printFragment(member.type)}`, doc: member.doc }];
    case "carry": {
      const type = member.type === undefined ? "" : `: ${printFragment(member.type)}`;
      const initial = printFragment(member.initial);
      return [{ text: `carry ${member.name.name}${type} = ${initial}`, doc: member.doc }];
    }
    default:
      return [];
  }
}

function planOf(member: Member): string[] {
  switch (member.kind) {
    case "weights":
    case "frozen":
    case "stored":
    case "sweep":
    case "budget":
    case "generate":
      return [printFragment(member)];
    default:
      return [];
  }
}

// ---------------------------------------------------------------- what bodies mention

function sitesOf(declaration: BlockDeclaration): string[] {
  const found = new Set<string>();
  visit(declaration, (node) => {
    if (isSite(node)) found.add(siteText(node));
  });
  return [...found];
}

function siteText({ name, subject, fields }: SiteExpression): string {
  const offered = fields.map((field) => field.name?.name ?? printFragment(field.value));
  return `${name.name}(${[printFragment(subject), ...offered].join(", ")})`;
}

/** The blocks that a declaration names, in the order in which it first does. */
function usesOf(declaration: BlockDeclaration, module: ModuleScope): BlockReference[] {
  const found = new Map<string, BlockReference>();
  visit(declaration, (node) => {
    if (!isNamed(node)) return;
    const declared = module.names.get(node.name);
    if (declared?.declaration.kind !== "block" || declared.declaration === declaration) return;
    const reference = { name: declared.declaration.name.name, path: declared.module.file.path };
    found.set(`${reference.path}:${reference.name}`, reference);
  });
  return [...found.values()];
}

const places: ReadonlySet<string> = new Set(["span", "operatorSpan"]);

/** Every node of a tree, in the order of the text. */
function visit(node: unknown, see: (node: object) => void): void {
  if (typeof node !== "object" || node === null) return;
  if ("kind" in node) see(node);
  for (const [key, part] of Object.entries(node)) if (!places.has(key)) visit(part, see);
}

function isSite(node: object): node is SiteExpression {
  return "kind" in node && node.kind === "site";
}

function isNamed(node: object): node is Expression & { readonly kind: "name" } {
  return "kind" in node && node.kind === "name";
}

// ---------------------------------------------------------------- learned tensors

/** Deeper than any model is nested; ends what contains itself. */
const deepestParts = 20;

function collectTensors(
  block: BlockDeclaration,
  module: ModuleScope,
  prefix: string,
  into: TensorOutline[],
  depth: number,
): void {
  if (depth > deepestParts) return;
  const collect = (value: Expression, path: string) => collectParts(value, module, path, into, depth + 1);
  if (block.base !== undefined) collect(block.base, prefix);
  if (block.value !== undefined) collect(block.value, prefix);
  for (const member of allMembers(block.members)) {
    if (member.kind === "parameter") {
      into.push({
        prefix,
        name: dotted(member.name),
        type: printFragment(member.type),
        initial: member.initial === undefined ? undefined : printFragment(member.initial),
        doc: member.doc,
        owner: { name: block.name.name, path: module.file.path },
      });
    }
    if (member.kind === "binding") collect(member.value, `${prefix}${dotted(member.name)}.`);
    if (member.kind === "let") collect(member.value, prefix);
  }
}

/** The tensors of the parts that a value is made of, as far as its text tells. */
function collectParts(
  value: Expression,
  module: ModuleScope,
  prefix: string,
  into: TensorOutline[],
  depth: number,
): void {
  switch (value.kind) {
    case "call": {
      if (value.callee.kind !== "name") return;
      const declared = module.names.get(value.callee.name);
      if (isBlock(declared?.declaration)) {
        collectTensors(declared.declaration, declared.module, prefix, into, depth);
      }
      return;
    }
    case "with":
      collectParts(value.subject, module, prefix, into, depth);
      return;
    case "comprehension":
      collectParts(value.element, module, `${prefix}*.`, into, depth);
      return;
    case "conditional-expression":
      collectParts(value.consequent, module, prefix, into, depth);
      collectParts(value.alternate, module, prefix, into, depth);
      return;
    case "list":
      for (const [index, item] of value.items.entries()) {
        collectParts(item, module, `${prefix}${index}.`, into, depth);
      }
      return;
    default:
  }
}

function isBlock(declaration: Declaration | undefined): declaration is BlockDeclaration {
  return declaration?.kind === "block";
}

function dotted(name: { readonly parts: readonly { readonly name: string }[] }): string {
  return name.parts.map((part) => part.name).join(".");
}
