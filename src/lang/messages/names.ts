/**
 * Messages about names: declared twice, not known, imported in vain, or used as what they are not.
 */
import type { InstalledAdapter } from "../adapters.ts";
import type { BlockDeclaration, ForwardMember, Identifier, NameExpression } from "../ast.ts";
import type { Diagnostic } from "../diagnostic.ts";
import type { Instance } from "../instance.ts";
import type { Span } from "../source.ts";
import { suggest } from "../suggest.ts";
import { describeValue, type Value } from "../value.ts";
import { alternatives, code, count, didYouMean, report } from "./build.ts";

export function duplicateName(name: string, span: Span, earlier: Span): Diagnostic {
  return report("duplicate-name", `\`${name}\` is declared twice.`, span, "the second time", {
    related: [{ span: earlier, text: "the first time" }],
    hint: "rename one of the two",
  });
}

export function duplicateParameter(name: string, span: Span): Diagnostic {
  return report("duplicate-name", `The parameter \`${name}\` is declared twice.`, span, "the second time");
}

export function secondForward(member: ForwardMember, earlier: ForwardMember): Diagnostic {
  const start = (span: Span): Span => ({ ...span, end: span.start + "forward".length });
  return report("duplicate-name", "A block has one `forward`.", start(member.span), "the second one", {
    related: [{ span: start(earlier.span), text: "the first one" }],
    hint: "make two blocks of it, or choose between the two with `if`",
  });
}

export function unknownName(expression: NameExpression, known: readonly string[]): Diagnostic {
  const { name, span } = expression;
  const parts = didYouMean(name, span, known);
  const hint = parts.hint ?? "declare it with `let`, or import it";
  return report("unknown-name", `There is no \`${name}\` here.`, span, "not declared or imported", {
    ...parts,
    hint: parts.edits === undefined ? "declare it with `let`, or import it" : hint,
  });
}

export function unknownMember(owner: string, name: Identifier, known: readonly string[]): Diagnostic {
  const parts = didYouMean(name.name, name.span, known);
  return report(
    "unknown-member",
    `${owner} has no member \`${name.name}\`.`,
    name.span,
    "no such member",
    parts,
  );
}

export function noMembers(span: Span, value: Value): Diagnostic {
  const message = "Only blocks and groups of members have members.";
  return report("unknown-member", message, span, `this is ${describeValue(value)}`);
}

export function unknownImport(name: string, span: Span, path: string, known: readonly string[]): Diagnostic {
  return report(
    "unknown-import",
    `${path} declares no \`${name}\`.`,
    span,
    "not in that file",
    didYouMean(name, span, known),
  );
}

export function importFailed(
  specifier: string,
  span: Span,
  reason: string,
  hint: string | undefined,
): Diagnostic {
  return report("import-failed", `\`${specifier}\` can't be imported: ${reason}.`, span, "imported here", {
    hint,
  });
}

export function importCycle(span: Span, cycle: readonly string[]): Diagnostic {
  return report(
    "import-cycle",
    "This import leads back to the file that it started from.",
    span,
    "closes the circle",
    {
      notes: [`the circle: ${cycle.join(" → ")}`],
      hint: "move what both files need to a third one",
    },
  );
}

export function importTooDeep(span: Span, limit: number): Diagnostic {
  return report("import-cycle", `Imports are nested more than ${limit} deep.`, span, "too deep");
}

export function circularDefinition(name: string, span: Span): Diagnostic {
  return report(
    "circular-definition",
    `\`${name}\` is defined by means of itself.`,
    span,
    "needs its own value",
  );
}

export function assignUnknown(name: Identifier, known: readonly string[]): Diagnostic {
  const parts = didYouMean(name.name, name.span, known);
  const message = `\`${name.name}\` can't be given a new value: there is no such name.`;
  return report("unknown-name", message, name.span, "not declared", {
    ...parts,
    hint: parts.edits === undefined ? `declare it first: let ${name.name} = …` : parts.hint,
  });
}

export function notAssignable(name: Identifier, declared: Span | undefined): Diagnostic {
  const message = `\`${name.name}\` can't be given a new value: only names that \`let\` or \`carry\` introduced can.`;
  return report("not-assignable", message, name.span, "fixed", {
    related: declared === undefined ? [] : [{ span: declared, text: "declared here" }],
    hint: "use `let` to introduce a new name",
  });
}

export function unknownArgument(
  owner: string,
  name: string,
  span: Span,
  known: readonly string[],
): Diagnostic {
  const parts = didYouMean(name, span, known);
  return report(
    "unknown-argument",
    `${owner} takes no argument \`${name}\`.`,
    span,
    "not a parameter",
    parts,
  );
}

export function tooManyArguments(owner: string, takes: number, span: Span, declared?: Span): Diagnostic {
  const message =
    takes === 0 ? `${owner} takes no arguments.` : `${owner} takes no more than ${count(takes, "argument")}.`;
  return report("too-many-arguments", message, span, takes === 0 ? "not wanted" : "one too many", {
    related: declared === undefined ? [] : [{ span: declared, text: "declared here" }],
  });
}

export function positionalAfterNamed(span: Span): Diagnostic {
  const message = "An argument without a name can't follow one with a name.";
  return report("positional-after-named", message, span, "say which parameter this is for");
}

export function notAnExtension(declaration: BlockDeclaration, span: Span): Diagnostic {
  const { blockKind, name } = declaration;
  return report(
    "not-an-extension",
    `\`with\` installs policies, and ${name.name} is a ${blockKind}.`,
    span,
    "not a policy",
  );
}

export function withNeedsBlock(span: Span, value: Value): Diagnostic {
  return report(
    "not-an-extension",
    "`with` joins a block and a policy.",
    span,
    `this is ${describeValue(value)}`,
  );
}

export function variantNotABlock(declaration: BlockDeclaration, value: Value): Diagnostic {
  const span = declaration.value?.span ?? declaration.name.span;
  const message = `\`${declaration.name.name}\` must be a ${declaration.blockKind} with its arguments.`;
  return report("variant-not-a-block", message, span, `this is ${describeValue(value)}`);
}

export function variantOfOtherKind(declaration: BlockDeclaration, base: BlockDeclaration): Diagnostic {
  const span = declaration.value?.span ?? declaration.name.span;
  const message = `${declaration.name.name} is declared as a ${declaration.blockKind}, but ${base.name.name} is a ${base.blockKind}.`;
  return report("variant-not-a-block", message, span, `a ${base.blockKind}`, {
    related: [{ span: base.name.span, text: `declared as a ${base.blockKind} here` }],
    hint: `write \`${base.blockKind} ${declaration.name.name} = …\``,
  });
}

export function bindingNotABlock(name: string, span: Span, value: Value): Diagnostic {
  return report(
    "member-not-a-block",
    `The member \`${name}\` must be a block or a list of blocks.`,
    span,
    `this is ${describeValue(value)}`,
    {
      hint: `for a value, write \`let ${name} = …\``,
    },
  );
}

export function notCallable(span: Span, value: Value): Diagnostic {
  const hint =
    value.kind === "namespace" ? `call one of its members: ${value.names.map(code).join(", ")}` : undefined;
  return report("not-callable", "This can't be called.", span, `it is ${describeValue(value)}`, { hint });
}

export function noForward(declaration: BlockDeclaration, span: Span): Diagnostic {
  const message = `${declaration.name.name} has no \`forward\`, so it can't be applied.`;
  return report("no-forward", message, span, "applied here", {
    related: [{ span: declaration.name.span, text: "declared here" }],
  });
}

export function opMissing(name: string, span: Span): Diagnostic {
  return report("unknown-name", `There is no op \`${name}\`.`, span, "needs that op");
}

export function policyMeetsNothing(
  policy: BlockDeclaration,
  span: Span,
  instance: Instance,
  sites: readonly string[],
): Diagnostic {
  const wanted = policy.members.flatMap((member) => (member.kind === "handler" ? [member.site.name] : []));
  const owner = instance.declaration.name.name;
  const message = `${policy.name.name} meets no site of ${owner}.`;
  return report("policy-meets-nothing", message, span, "installed in vain", {
    notes: [
      wanted.length === 0
        ? `${policy.name.name} has no \`on\` handler`
        : `${policy.name.name} acts at ${wanted.map(code).join(", ")}`,
      sites.length === 0 ? `${owner} declares no site` : `${owner} declares ${sites.map(code).join(", ")}`,
    ],
  });
}

export function siteOutOfRange(
  number: number,
  site: string,
  total: number,
  span: Span,
  instance: Instance,
): Diagnostic {
  const owner = instance.declaration.name.name;
  const message = `${owner} has no \`${site}\` site ${number}.`;
  const range = total === 1 ? "the only one is number 0" : `they are numbered 0 to ${total - 1}`;
  return report("site-out-of-range", message, span, `asks for ${number}`, {
    notes: [`${owner} has ${count(total, `\`${site}\` site`)}: ${range}`],
  });
}

export function siteNumbers(span: Span, value: Value): Diagnostic {
  return report(
    "site-numbers",
    "A handler's sites are a list of integers.",
    span,
    `this is ${describeValue(value)}`,
  );
}

export function siteFieldUnnamed(span: Span): Diagnostic {
  const message = "After the value that it may replace, a site offers named values.";
  return report("site-field-unnamed", message, span, "write `name: value`");
}

export function noSuchModel(name: string | undefined, span: Span, models: readonly string[]): Diagnostic {
  if (name === undefined) {
    const message = "This file declares no model.";
    return report("no-model", message, span, "needs a `model`", { hint: "write `model Name(…) { … }`" });
  }
  return report(
    "no-model",
    `This file declares no model \`${name}\`.`,
    span,
    "looked for here",
    didYouMean(name, span, models),
  );
}

export function noSuchEntry(
  model: string,
  name: string | undefined,
  span: Span,
  entries: readonly string[],
): Diagnostic {
  const message =
    name === undefined ? `The model ${model} has no entry.` : `The model ${model} has no entry \`${name}\`.`;
  const known = entries.length === 0 ? {} : { hint: `its entries: ${entries.map(code).join(", ")}` };
  return report("no-entry", message, span, "this model", known);
}

export function unknownInput(name: Identifier, known: readonly string[]): Diagnostic {
  const parts = didYouMean(name.name, name.span, known);
  return report(
    "unknown-input",
    `The model has no input \`${name.name}\`.`,
    name.span,
    "not an input",
    parts,
  );
}

export function duplicateResult(name: string, span: Span): Diagnostic {
  return report("duplicate-name", `Two results are called \`${name}\`.`, span, "the second");
}

/** Targets tell inputs and results apart by their names alone. */
export function resultNamedAsInput(name: string, span: Span): Diagnostic {
  return report(
    "duplicate-name",
    `A result of this entry is called \`${name}\`, as one of its inputs is.`,
    span,
    "give the result another name",
  );
}

export function adapterWithoutTarget(adapter: BlockDeclaration, span: Span): Diagnostic {
  const message = `${adapter.name.name} needs to know which sub-blocks it goes around.`;
  return report("adapter-without-target", message, span, "names no sub-block", {
    hint: 'write `on: ["in_proj"]`; a pattern matches the end of a path, and `*` one part of it',
  });
}

export function adapterMatchesNothing(
  adapter: InstalledAdapter,
  pattern: string,
  span: Span,
  offered: readonly string[],
): Diagnostic {
  const owner = adapter.ownerDeclaration.name.name;
  const message = `${adapter.template.declaration.name.name} matches nothing: ${owner} has no sub-block \`${pattern}\`.`;
  const close = suggest(pattern, offered);
  return report("adapter-matches-nothing", message, span, `\`${pattern}\` matches no path`, {
    notes: [`${owner} has ${offered.slice(0, 12).map(code).join(", ")}`],
    hint: close.length > 0 ? `did you mean ${alternatives(close.map(code))}?` : undefined,
  });
}

export function stateTwice(name: string, span: Span, earlier: Span): Diagnostic {
  const message = `The state \`${name}\` would be used twice in one entry.`;
  return report("state-used-twice", message, span, "the second time", {
    related:
      earlier.start === span.start && earlier.file === span.file
        ? []
        : [{ span: earlier, text: "the first time" }],
    hint: "a block with recurrent state can be applied once; make two of it",
  });
}

export function continuesUnknown(name: Identifier, known: readonly string[]): Diagnostic {
  const parts = didYouMean(name.name, name.span, known);
  return report(
    "no-entry",
    `There is no entry \`${name.name}\` to continue.`,
    name.span,
    "not an entry",
    parts,
  );
}

export function continuesWithoutState(name: Identifier): Diagnostic {
  const message = `There is nothing to continue: \`${name.name}\` leaves no state.`;
  return report("no-state", message, name.span, "leaves no state", {
    hint: "state belongs to ops such as ssd and causal_conv; drop `continues`",
  });
}
