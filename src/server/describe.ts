/**
 * Declarations and values in words, for hovers and lists.
 *
 * Owns: signatures as they would be written, and what a value is at a place. Markdown; code is Ossicle.
 */
import type { BlockDeclaration, Expression, ForwardMember, Member, StaticParameter } from "../lang/ast.ts";
import type { AttributeSpec, OpSignature } from "../lang/catalog.ts";
import type { Instance } from "../lang/instance.ts";
import { printFragment } from "../lang/print.ts";
import { printType } from "../lang/types.ts";
import { describeValue, isSilent, type Value } from "../lang/value.ts";
import type { BlockNames, Named } from "./names.ts";

/** Longer texts are cut: nobody reads a hover of a page. */
const longest = 400;
const longestLine = 90;

export function code(text: string): string {
  const cut = text.length > longest * 4 ? `${text.slice(0, longest * 4)} …` : text;
  return `\`\`\`ossicle\n${cut}\n\`\`\``;
}

export function short(text: string): string {
  return text.length > longest ? `${text.slice(0, longest)} …` : text;
}

export function parameterText({ name, type, initial }: StaticParameter): string {
  const value = initial === undefined ? "" : ` = ${printFragment(initial)}`;
  return `${name.name}: ${printFragment(type)}${value}`;
}

/** `encoder AstEncoder(frames: int = 1024, …)`; on several lines when it is long. */
export function blockHead(declaration: BlockDeclaration): string {
  const { blockKind, name, parameters, base, value } = declaration;
  const written = parameters.map(parameterText);
  const open = `${blockKind} ${name.name}`;
  const line = `${open}(${written.join(", ")})`;
  const head =
    line.length <= longestLine ? line : `${open}(\n${written.map((text) => `  ${text},\n`).join("")})`;
  if (base !== undefined) return `${head} extends ${short(printFragment(base))}`;
  return value === undefined ? head : `${head} = ${short(printFragment(value))}`;
}

/** What a block computes: its `forward`, or a model's entries, or a policy's handlers. */
export function blockSignatures({ members }: BlockDeclaration): readonly string[] {
  return allMembers(members).flatMap((member) =>
    member.kind === "forward" || member.kind === "entry" || member.kind === "handler"
      ? [printFragment(member)]
      : [],
  );
}

export function forwardOf({ members }: BlockDeclaration): ForwardMember | undefined {
  return allMembers(members).find((member): member is ForwardMember => member.kind === "forward");
}

/** Also those that depend on a condition. */
export function allMembers(members: readonly Member[]): Member[] {
  return members.flatMap((member) =>
    member.kind === "conditional" ? allMembers([...member.consequent, ...member.alternate]) : [member],
  );
}

/** As it is declared, on a line: `param weight: f32[output, input]`. */
export function namedText(named: Named): string {
  const { kind, name, type, value, block, path } = named;
  const written = path ?? name;
  const typed = type === undefined ? "" : `: ${printFragment(type)}`;
  const set = value === undefined ? "" : ` = ${short(printFragment(value))}`;
  if (isLoopVariable(named)) return `for ${name} in ${short(printFragment(named.value))}`;
  switch (kind) {
    case "block":
      return block === undefined ? name : blockHead(block);
    case "constant":
    case "value":
    case "variable":
      return named.position === undefined ? `let ${name}${typed}${set}` : `let (… ${name} …)${set}`;
    case "parameter":
      return `${name}${typed}${set}`;
    case "part":
      return `${written}${set}`;
    case "tensor":
      return `param ${written}${typed}${set}`;
    case "argument":
    case "result":
      return `${name}${typed}`;
    case "size":
      return name;
    case "input":
      return `input ${name}${typed}`;
    case "entry":
      return entryText(named);
    case "carry":
      return `carry ${name}${typed}${set}`;
    case "generation":
      return `generate ${name}`;
    case "alias":
      return name;
  }
}

/** One that takes the items of its value in turn, rather than the value. */
export function isLoopVariable(named: Named): named is Named & { readonly value: Expression } {
  const { kind, span, value } = named;
  if (kind !== "variable" || value === undefined) return false;
  return !/^let\b/.test(span.file.text.slice(span.start, span.end));
}

function entryText({ name, owner }: Named): string {
  const entry = allMembers(owner?.members ?? []).find(
    (member) => member.kind === "entry" && member.name.name === name,
  );
  return entry?.kind === "entry" ? printFragment(entry) : `entry ${name}`;
}

const kindWords: Readonly<Record<Named["kind"], string>> = {
  block: "block",
  constant: "constant of the file",
  value: "value",
  variable: "variable",
  parameter: "parameter",
  part: "part",
  tensor: "learned tensor",
  argument: "argument",
  size: "size",
  input: "input",
  entry: "entry",
  carry: "carried from site to site",
  result: "result",
  generation: "generation",
  alias: "imported name",
};

/** `parameter of AstLayer` */
export function namedRole({ kind, owner, block }: Named): string {
  const word = block?.blockKind ?? kindWords[kind];
  return owner === undefined ? word : `${word} of ${owner.name.name}`;
}

export function opHead({ name, signature }: OpSignature): string {
  return `${name}(${signature.replace("->", ") ->").replace(/\s+\)/, ")")}`;
}

export function attributeText(name: string, spec: AttributeSpec): string {
  const type = spec.options?.map((option) => JSON.stringify(option)).join(" | ") ?? spec.kind;
  return `${name}: ${type}${spec.default === undefined ? "" : ` = ${String(spec.default)}`}`;
}

/** A value in a few characters: `f32[B, N, 768]`, `12`, `Linear`. */
export function valueText(value: Value): string | undefined {
  if (isSilent(value)) return undefined;
  switch (value.kind) {
    case "tensor":
      return short(printType(value.type));
    case "int":
      return short(String(value.dim));
    case "real":
    case "bool":
      return String(value.value);
    case "string":
      return JSON.stringify(value.value);
    case "dtype":
      return value.dtype;
    case "range":
      return `${value.from}..${value.to}`;
    case "tuple": {
      const items = value.items.map((item) => valueText(item) ?? "?");
      return short(`(${items.join(", ")})`);
    }
    case "list":
      return listText(value.items);
    case "instance":
      return instanceText(value.instance);
    case "template":
      return value.declaration.name.name;
    case "function":
      return value.name;
    case "none":
      return "none";
    default:
      return describeValue(value).replace(/^the (?:duration|frequency|size|number) /, "");
  }
}

/** A block with what its parameters are set to. */
function instanceText({ declaration, scope }: Instance): string {
  const set = declaration.parameters.flatMap(({ name }) => {
    const value = scope.parent?.own(name.name)?.get();
    const text = value === undefined || value.kind === "instance" ? undefined : valueText(value);
    return text === undefined ? [] : [`${name.name}: ${text}`];
  });
  return short(`${declaration.name.name}(${set.join(", ")})`);
}

function listText(items: readonly Value[]): string {
  const texts = items.map((item) => valueText(item) ?? "?");
  const [first] = texts;
  if (first !== undefined && texts.length > 3 && texts.every((text) => text === first)) {
    return `[${first}, … ${texts.length} of them]`;
  }
  return texts.length > 12
    ? `[${texts.slice(0, 12).join(", ")}, … ${texts.length}]`
    : `[${texts.join(", ")}]`;
}

/** Members that a user may write after a dot: the first parts of dotted names once. */
export function* membersOf(block: BlockNames): Iterable<Named> {
  for (const [path, named] of block.members) if (!path.includes(".")) yield named;
  yield* block.parameters.values();
}
