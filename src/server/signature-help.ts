/**
 * The parameters of the call at the cursor.
 *
 * Owns: which of them the cursor is at.
 */
import { MarkupKind, type SignatureHelp } from "vscode-languageserver";
import type { CallExpression } from "../lang/ast.ts";
import { type CallSignature, signatureOf } from "./candidates.ts";
import { cursorAt } from "./cursor.ts";
import type { Meanings } from "./meanings.ts";
import { callAround, probeAt } from "./probe.ts";
import type { OpenDocument, Workspace } from "./workspace.ts";

export function signatureHelpAt(
  { file }: OpenDocument,
  offset: number,
  workspace: Workspace,
  meanings: Meanings,
): SignatureHelp | undefined {
  const cursor = cursorAt(file, offset);
  if (cursor.place.kind !== "expression" && cursor.place.kind !== "member") return undefined;
  // A word stays as it is: `f(a|)` asks about f, and a name in the place of `a` would do as well.
  const probe = probeAt(file, cursor);
  const call = probe === undefined ? undefined : callAround(probe);
  if (probe === undefined || call === undefined) return undefined;
  const signature = signatureOf(call, probe, file, workspace, meanings);
  if (signature === undefined) return undefined;
  const active = activeParameter(call, signature, probe.offset);
  return {
    signatures: [
      {
        label: signature.label,
        ...(signature.doc === ""
          ? {}
          : { documentation: { kind: MarkupKind.Markdown, value: signature.doc } }),
        parameters: parameterRanges(signature),
        ...(active === undefined ? {} : { activeParameter: active }),
      },
    ],
    activeSignature: 0,
    ...(active === undefined ? {} : { activeParameter: active }),
  };
}

/** Offsets in the label: names may be parts of one another. */
function parameterRanges({
  label,
  parameters,
}: CallSignature): NonNullable<SignatureHelp["signatures"][number]["parameters"]> {
  let offset = label.indexOf("(") + 1;
  return parameters.map(({ text, doc }) => {
    const start = offset;
    offset += text.length + 2;
    const range: [number, number] = [start, start + text.length];
    return doc === ""
      ? { label: range }
      : { label: range, documentation: { kind: MarkupKind.Markdown, value: doc } };
  });
}

function activeParameter(
  call: CallExpression,
  { parameters, isPiped }: CallSignature,
  offset: number,
): number | undefined {
  const at = call.arguments.findIndex(({ span }) => span.start <= offset && offset <= span.end);
  const argument = call.arguments[at];
  if (argument?.name !== undefined) {
    const name = argument.name.name;
    const named = parameters.findIndex((parameter) => parameter.name === name);
    return named < 0 ? undefined : named;
  }
  const index = (at < 0 ? call.arguments.length : at) + (isPiped ? 1 : 0);
  const repeated = parameters.findIndex(({ isRepeated }) => isRepeated);
  if (repeated >= 0 && index >= repeated) return repeated;
  return index < parameters.length ? index : undefined;
}
