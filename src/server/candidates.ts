/**
 * What a dot or a parenthesis asks for.
 *
 * Owns: the members of what stands before a dot, and the parameters of what is called. By the text, and
 * by the values that were computed there before the cursor's word was typed.
 */
import type { CallExpression, Expression } from "../lang/ast.ts";
import { printFragment } from "../lang/print.ts";
import type { SourceFile, Span } from "../lang/source.ts";
import type { Value } from "../lang/value.ts";
import { attributeText, forwardOf, membersOf, parameterText } from "./describe.ts";
import type { Meanings } from "./meanings.ts";
import type { BlockNames, Named } from "./names.ts";
import type { Probe } from "./probe.ts";
import type { Node } from "./tree.ts";
import type { Workspace } from "./workspace.ts";

export interface MemberCandidate {
  readonly name: string;
  readonly named: Named | undefined;
  readonly value: Value | undefined;
}

/** Members that may follow the dot of a member expression. */
export function* memberCandidates(
  node: Node | undefined,
  probe: Probe,
  file: SourceFile,
  workspace: Workspace,
  meanings: Meanings,
): Iterable<MemberCandidate> {
  if (node === undefined || !isMember(node)) return;
  const { object } = node;
  const group = meanings.group(object, probe.names);
  if (group !== undefined) {
    for (const [path, named] of group.block.members) {
      if (!path.startsWith(`${group.path}.`)) continue;
      const rest = path.slice(group.path.length + 1);
      if (!rest.includes(".")) yield { name: rest, named, value: undefined };
    }
  }
  const block = meanings.block(object, probe.names);
  for (const one of block === undefined ? [] : meanings.lineage(block)) {
    for (const named of membersOf(one)) yield { name: named.name, named, value: undefined };
  }
  const [value] = workspace.values(inFile(object.span, file));
  yield* valueMembers(value);
}

function* valueMembers(value: Value | undefined): Iterable<MemberCandidate> {
  if (value?.kind === "namespace") {
    for (const name of value.names) yield { name, named: undefined, value: value.get(name) };
  }
  if (value?.kind === "instance") {
    for (const slot of value.instance.scope.ownSlots()) {
      yield { name: slot.name, named: undefined, value: undefined };
    }
    if (value.instance.base !== undefined)
      yield* valueMembers({ kind: "instance", instance: value.instance.base });
  }
}

function isMember(node: Node): node is Extract<Expression, { kind: "member" }> {
  return node.kind === "member";
}

/** Text before the probe stands where it stood. */
export function inFile({ start, end }: Span, file: SourceFile): Span {
  return file.span(start, end);
}

export interface ParameterCandidate {
  readonly name: string;
  readonly text: string;
  readonly doc: string;
}

/** What the call at the cursor can be given: compile-time parameters, tensors, or an op's attributes. */
export function parametersOfCall(
  call: CallExpression,
  probe: Probe,
  file: SourceFile,
  workspace: Workspace,
  meanings: Meanings,
): readonly ParameterCandidate[] {
  const signature = signatureOf(call, probe, file, workspace, meanings);
  return signature === undefined ? [] : signature.parameters.filter(({ isNamed }) => isNamed);
}

export interface CallSignature {
  readonly label: string;
  readonly doc: string;
  readonly parameters: readonly (ParameterCandidate & {
    readonly isNamed: boolean;
    readonly isRepeated: boolean;
  })[];
  /** Whether a pipe gives the first. */
  readonly isPiped: boolean;
}

export function signatureOf(
  call: CallExpression,
  probe: Probe,
  file: SourceFile,
  workspace: Workspace,
  meanings: Meanings,
): CallSignature | undefined {
  const isPiped = probe.nodes.some((node) => node.kind === "pipe" && isRightOf(node, call));
  const block = meanings.callee(call, probe.names);
  if (block !== undefined) return blockSignature(block, call, probe, file, workspace, meanings, isPiped);
  const name = call.callee.kind === "name" ? call.callee.name : undefined;
  const target = name === undefined ? undefined : meanings.word(name);
  if (target?.kind !== "op") return undefined;
  const { op } = target;
  const operands = op.operands.map((operand) => ({
    name: operand.name,
    text: operand.repeated ? `${operand.name}…` : operand.name,
    doc: "",
    isNamed: false,
    isRepeated: operand.repeated,
  }));
  const hidden = new Set(op.states.map(({ operand }) => operand));
  const attributes = Object.entries(op.attributes).map(([attribute, spec]) => ({
    name: attribute,
    text: attributeText(attribute, spec),
    doc: spec.doc,
    isNamed: true,
    isRepeated: false,
  }));
  const parameters = [...operands.filter((operand) => !hidden.has(operand.name)), ...attributes];
  return labelled(op.name, parameters, op.summary, isPiped);
}

function isRightOf(node: Node, call: CallExpression): boolean {
  return "right" in node && node.right === call;
}

function blockSignature(
  block: BlockNames,
  call: CallExpression,
  probe: Probe,
  file: SourceFile,
  workspace: Workspace,
  meanings: Meanings,
  isPiped: boolean,
): CallSignature {
  const { declaration } = block;
  const [value] = workspace.values(inFile(call.callee.span, file));
  const isBare =
    call.callee.kind === "name" && meanings.declared(call.callee, probe.names)?.block !== undefined;
  const runs = value?.kind === "instance" || !isBare || declaration.parameters.length === 0;
  if (runs) {
    for (const one of meanings.lineage(block)) {
      const forward = forwardOf(one.declaration);
      if (forward === undefined) continue;
      const parameters = forward.parameters.map(({ name, type }) => ({
        name: name.name,
        text: `${name.name}: ${printFragment(type)}`,
        doc: "",
        isNamed: true,
        isRepeated: false,
      }));
      return labelled(declaration.name.name, parameters, forward.doc || declaration.doc, isPiped);
    }
  }
  const parameters = declaration.parameters.map((parameter) => ({
    name: parameter.name.name,
    text: parameterText(parameter),
    doc: parameter.doc,
    isNamed: true,
    isRepeated: false,
  }));
  return labelled(declaration.name.name, parameters, declaration.doc, false);
}

function labelled(
  name: string,
  parameters: CallSignature["parameters"],
  doc: string,
  isPiped: boolean,
): CallSignature {
  return { label: `${name}(${parameters.map(({ text }) => text).join(", ")})`, doc, parameters, isPiped };
}
