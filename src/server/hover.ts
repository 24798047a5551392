/**
 * What a name or an expression is.
 *
 * Owns: the text of a hover: the declaration, what it is here, where each size comes from, and the
 * comment that describes it.
 */
import type { Span } from "../lang/source.ts";
import { isSilent, type TensorValue, type Value } from "../lang/value.ts";
import { countParameters } from "./counts.ts";
import {
  attributeText,
  blockSignatures,
  code,
  isLoopVariable,
  namedRole,
  namedText,
  opHead,
  short,
  valueText,
} from "./describe.ts";
import type { Meanings, Target } from "./meanings.ts";
import type { Named } from "./names.ts";
import { namesOf } from "./readings.ts";
import { pointedAt } from "./references.ts";
import { expressionAt } from "./tree.ts";
import type { OpenDocument, Workspace } from "./workspace.ts";

export interface HoverText {
  readonly markdown: string;
  readonly span: Span;
}

export function hoverAt(
  document: OpenDocument,
  offset: number,
  workspace: Workspace,
  meanings: Meanings,
): HoverText | undefined {
  const names = namesOf(document.file);
  const pointed = pointedAt(names, offset, workspace, meanings);
  if (pointed !== undefined) {
    const { target, span } = pointed;
    const found = placeValues(span, target, names.unit, offset, workspace);
    const parts = [...describeTarget(target, workspace, meanings), ...valueLines(found, workspace)];
    const doc = docOf(target, meanings);
    if (doc !== "") parts.push(doc);
    return { markdown: parts.join("\n\n"), span };
  }
  const expression = expressionAt(names.unit, offset);
  if (expression === undefined) return undefined;
  const lines = valueLines(workspace.values(expression.span), workspace);
  return lines.length === 0 ? undefined : { markdown: lines.join("\n\n"), span: expression.span };
}

/** The values of a name: where it is written, else where it is declared. */
function placeValues(
  span: Span,
  target: Target,
  unit: object,
  offset: number,
  workspace: Workspace,
): readonly Value[] {
  const here = workspace.values(span);
  if (here.length > 0) return here;
  const expression = expressionAt(unit, offset);
  if (expression?.kind === "member" && expression.name.span.start === span.start) {
    const values = workspace.values(expression.span);
    if (values.length > 0) return values;
  }
  return target.kind === "named" ? namedValues(target.named, workspace) : [];
}

/** What a declared name was computed to be. */
export function namedValues(named: Named, workspace: Workspace): readonly Value[] {
  for (const span of named.spans) {
    const values = workspace.values(span);
    if (values.length > 0) return values;
  }
  const isSet = named.kind === "variable" || named.kind === "constant" || named.kind === "value";
  if (!isSet || named.value === undefined || isLoopVariable(named)) return [];
  return itemsAt(workspace.values(named.value.span), named.position);
}

/** Of `let (a, b) = …` those of one name. */
export function itemsAt(values: readonly Value[], position: number | undefined): readonly Value[] {
  if (position === undefined) return values;
  return values.flatMap((value) => (value.kind === "tuple" ? (value.items[position] ?? []) : []));
}

function describeTarget(target: Target, workspace: Workspace, meanings: Meanings): string[] {
  switch (target.kind) {
    case "named": {
      const named = meanings.origin(target.named);
      return describeNamed(named, workspace);
    }
    case "file":
      return [code(`// ${target.file.path}`), headerOf(target.file.text)].filter((part) => part !== "");
    case "op": {
      const { op } = target;
      const attributes = Object.entries(op.attributes).map(
        ([name, spec]) => `- \`${attributeText(name, spec)}\`: ${spec.doc}`,
      );
      return [code(opHead(op)), op.summary, attributes.join("\n")].filter((part) => part !== "");
    }
    case "function":
      return [`\`${target.name}\`: of the language itself`];
    case "type":
      return [`\`${target.name}\`: a type`];
    case "site":
      return [code(`site ${target.site}(…)`), "A place where policies can act: `on` handles it."];
    case "field":
      return [`\`${target.name}\`: what the site \`${target.site}\` offers besides its value`];
  }
}

function describeNamed(named: Named, workspace: Workspace): string[] {
  const { block } = named;
  if (block === undefined) return [`${code(namedText(named))}\n${namedRole(named)}`];
  const signatures = blockSignatures(block);
  const head = [namedText(named), ...signatures.map((text) => `  ${text}`)].join("\n");
  const count = countParameters(block, workspace);
  return [code(head), ...(count === undefined ? [] : [count])];
}

function docOf(target: Target, meanings: Meanings): string {
  return target.kind === "named" ? meanings.origin(target.named).doc : "";
}

/** The comment that a file begins with. */
function headerOf(text: string): string {
  const lines = /^(?:\/\/(?!\/)[^\n]*\n)+/.exec(text)?.[0] ?? "";
  return lines.replace(/^\/\/ ?/gm, "").trim();
}

// ---------------------------------------------------------------- values

function valueLines(values: readonly Value[], workspace: Workspace): string[] {
  const [first] = values;
  const text = first === undefined ? undefined : valueText(first);
  if (first === undefined || text === undefined || text === "") return [];
  // A name is no news about a block.
  if (first.kind === "template" || first.kind === "function") return [];
  const others = new Set(values.flatMap((value) => valueText(value) ?? []));
  others.delete(text);
  const more = [...others].slice(0, 3).map((other) => `then ${other}`);
  const lines = [code([text, ...more].join("\n"))];
  if (first.kind === "tensor") {
    const origins = originLines(first, workspace);
    if (origins.length > 0) lines.push(origins.join("\n"));
  }
  return lines;
}

/** Where each size of a tensor was decided. */
function originLines({ type, origins }: TensorValue, workspace: Workspace): string[] {
  return type.shape.flatMap((dim, axis) => {
    const origin = origins[axis];
    const place = origin === undefined ? undefined : workspace.current(origin.span);
    if (origin === undefined || place === undefined) return [];
    const { file } = place;
    const { line } = file.position(place.start);
    const uri = workspace.documentAt(file.path)?.uri ?? workspace.host.uriOf(file.path);
    const name = file.path.split(/[\\/]/).at(-1) ?? file.path;
    const written = origin.name ?? place.file.text.slice(place.start, place.end).replace(/\s+/g, " ");
    const what = origin.op === undefined ? `\`${short(written)}\`` : `the op \`${origin.op}\``;
    return [`- \`${short(String(dim))}\` is from ${what}, [${name}:${line}](${uri}#L${line})`];
  });
}

/** For lists: the type of a value, when all that are known agree or the first of several. */
export function shapeText(values: readonly Value[]): string | undefined {
  const texts = new Set(
    values.filter((value) => !isSilent(value)).flatMap((value) => valueText(value) ?? []),
  );
  const [first] = texts;
  if (first === undefined) return undefined;
  return texts.size > 1 ? `${first}, …` : first;
}
