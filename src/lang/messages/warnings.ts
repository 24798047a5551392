/**
 * Messages about programs that mean something, but hardly what was intended.
 */
import type {
  BindingMember,
  BlockDeclaration,
  Identifier,
  ImportDeclaration,
  ParameterMember,
  StaticParameter,
} from "../ast.ts";
import { isDiagnosticCode, warningNames } from "../codes.ts";
import type { Diagnostic } from "../diagnostic.ts";
import type { Span } from "../source.ts";
import { alternatives, code, cut, didYouMean, report } from "./build.ts";

export function unusedImport(declaration: ImportDeclaration, index: number): Diagnostic {
  const { names } = declaration;
  const imported = names[index];
  const name = imported?.alias ?? imported?.name;
  const span = name?.span ?? declaration.span;
  const message = `\`${name?.name ?? ""}\` is imported and never used.`;
  // With its comma; the last of several takes the one before it.
  const first = imported?.name.span ?? span;
  const following = names[index + 1]?.name.span;
  const previous = names[index - 1];
  const removed: Span =
    names.length === 1
      ? declaration.span
      : following !== undefined
        ? { ...first, end: following.start }
        : { ...span, start: (previous?.alias ?? previous?.name)?.span.end ?? first.start };
  return report("unused-import", message, span, "never used", {
    hint: names.length === 1 ? "remove the import" : "remove it from the import",
    edits: [{ span: removed, replacement: "" }],
  });
}

export function unusedParameter(declaration: BlockDeclaration, parameter: StaticParameter): Diagnostic {
  const { name, span } = parameter.name;
  const owner = declaration.name.name;
  return report("unused-parameter", `${owner} never uses its parameter \`${name}\`.`, span, "never used", {
    hint: `use it, or remove it from ${owner} and its uses`,
  });
}

export function unusedLet(name: Identifier, isOneOfSeveral = false): Diagnostic {
  const message = `\`${name.name}\` is given a value that is never used.`;
  return report("unused-let", message, name.span, "never used", {
    hint: isOneOfSeveral ? "write `_` in its place" : "remove it, or use it",
    edits: isOneOfSeveral ? [{ span: name.span, replacement: "_" }] : [],
  });
}

export function unusedMember(member: BindingMember | ParameterMember, path: string): Diagnostic {
  const what = member.kind === "parameter" ? "The learned tensor" : "The member";
  return report("unused-member", `${what} \`${path}\` is never used.`, member.name.span, "never used", {
    hint: "is a step missing that should use it?",
  });
}

export function policyChangesNothing(
  policy: BlockDeclaration,
  sites: readonly string[],
  span: Span,
): Diagnostic {
  const name = policy.name.name;
  const message = `With these arguments ${name} leaves every ${alternatives(sites.map(code))} site as it is.`;
  return report("policy-changes-nothing", message, span, "changes nothing", {
    hint: "choose other arguments, or leave out the `with`",
  });
}

export function unknownAllowance(written: string, span: Span): Diagnostic {
  if (isDiagnosticCode(written)) {
    return report(
      "unknown-allowance",
      `\`${written}\` is an error, and can't be allowed.`,
      span,
      "not a warning",
    );
  }
  const parts = didYouMean(written, span, warningNames);
  return report(
    "unknown-allowance",
    `There is no warning \`${cut(written)}\`.`,
    span,
    "not a warning",
    parts,
  );
}
