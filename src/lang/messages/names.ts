/**
 * Messages about names: declared twice, not known, imported in vain, or used as what they are not.
 */
import type { InstalledAdapter } from "../adapters.ts";
import type { BlockDeclaration, EntryMember, ForwardMember, Identifier, NameExpression } from "../ast.ts";
import type { Diagnostic } from "../diagnostic.ts";
import type { Instance } from "../instance.ts";
import { SourceFile, type Span } from "../source.ts";
import { suggest } from "../suggest.ts";
import { describeValue, type Value } from "../value.ts";
import { alternatives, code, count, didYouMean, enumeration, quoted, report, withArticle } from "./build.ts";

export function duplicateName(name: string, span: Span, earlier: Span): Diagnostic {
  return report("duplicate-name", `\`${name}\` is declared twice.`, span, "the second time", {
    related: [{ span: earlier, text: "the first time" }],
    hint: "rename one of the two",
  });
}

export function duplicateParameter(name: string, span: Span, earlier: Span): Diagnostic {
  return report("duplicate-name", `The parameter \`${name}\` is declared twice.`, span, "the second time", {
    related: [{ span: earlier, text: "the first time" }],
    hint: "rename one of the two",
  });
}

export function argumentTwice(name: string, span: Span, earlier: Span): Diagnostic {
  return report("duplicate-name", `The argument \`${name}\` is given twice.`, span, "the second time", {
    related: [{ span: earlier, text: "the first time" }],
    hint: "remove one of the two",
  });
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
  // Blocks begin with a capital: an op of a similar name is hardly what was meant.
  const isBlock = /^[A-Z]/.test(name);
  const alike = isBlock ? known.filter((other) => /^[A-Z]/.test(other)) : known;
  const { hint, edits } = didYouMean(name, span, alike);
  const advice = isBlock
    ? "import it from the file that declares it"
    : "declare it with `let` or as a parameter, or import it";
  return report("unknown-name", `There is no \`${name}\` here.`, span, "not declared or imported", {
    hint: edits === undefined ? advice : hint,
    edits: edits ?? [],
  });
}

export function unknownMember(owner: string, name: Identifier, known: readonly string[]): Diagnostic {
  const parts = didYouMean(name.name, name.span, known, "its members are");
  const message = `${owner} has no member \`${name.name}\`.`;
  return report("unknown-member", message, name.span, "no such member", parts);
}

export function noMembers(name: Identifier, span: Span, value: Value): Diagnostic {
  const message = `There is no \`.${name.name}\` here: only blocks and groups of members have members.`;
  const isShape = value.kind === "tensor" && /^(?:shape|size|dims?|length)$/.test(name.name);
  return report("unknown-member", message, span, `this is ${describeValue(value)}`, {
    hint: isShape ? `a size of a tensor is \`size(${quoted(span) ?? "x"}, axis)\`` : undefined,
  });
}

export function unknownImport(name: string, span: Span, path: string, known: readonly string[]): Diagnostic {
  const parts = didYouMean(name, span, known, "it declares");
  return report("unknown-import", `${path} declares no \`${name}\`.`, span, "not in that file", parts);
}

export function importFailed(
  specifier: string,
  span: Span,
  reason: string,
  hint: string | undefined,
): Diagnostic {
  const message = `\`${specifier}\` can't be imported: ${reason}.`;
  return report("import-failed", message, span, "imported here", {
    hint: hint ?? "a path starts from the folder of this file, or with `ossicle/` from the standard library",
  });
}

/** `imports` are the circle's imports in turn, the user's own first. */
export function importCycle(imports: readonly Span[]): Diagnostic {
  const [first, ...others] = imports;
  const span = first ?? new SourceFile("", "").span(0, 0);
  const paths = [...imports.map((place) => place.file.path), span.file.path];
  const message = "This import leads back to the file that it stands in.";
  return report(
    "import-cycle",
    message,
    span,
    others.length === 0 ? "imports itself" : "the circle begins here",
    {
      related: others.map((place, i) => ({
        span: place,
        text: i === others.length - 1 ? "and ends here" : "goes on here",
      })),
      notes: [`the circle: ${paths.join(" → ")}`],
      hint: "move what the files share to another one, which imports none of them",
    },
  );
}

export function importTooDeep(span: Span, limit: number): Diagnostic {
  return report(
    "import-cycle",
    `Imports lead through more than ${limit} files.`,
    span,
    "too far from the first file",
  );
}

/** `circle` holds the names that need one another, in turn, from the first in the text. */
export function circularDefinition(
  circle: readonly { readonly name: string; readonly span: Span }[],
): Diagnostic {
  const [first, ...others] = circle;
  const name = first?.name ?? "";
  const span = first?.span ?? new SourceFile("", "").span(0, 0);
  const needs = (i: number): string => `needs \`${circle[(i + 1) % circle.length]?.name ?? name}\``;
  const message =
    others.length === 0
      ? `\`${name}\` is defined by means of itself.`
      : `${enumeration(circle.map((one) => code(one.name)))} are defined by means of one another.`;
  return report(
    "circular-definition",
    message,
    span,
    others.length === 0 ? "needs its own value" : needs(0),
    {
      related: others.map((one, i) => ({ span: one.span, text: needs(i + 1) })),
      hint: others.length === 0 ? undefined : "give one of them a value of its own",
    },
  );
}

export function assignUnknown(name: Identifier, known: readonly string[]): Diagnostic {
  const { hint, edits } = didYouMean(name.name, name.span, known);
  const message = `\`${name.name}\` can't be given a new value: there is no such name.`;
  const insertion = { span: { ...name.span, end: name.span.start }, replacement: "let " };
  return report("unknown-name", message, name.span, "not declared", {
    hint: edits === undefined ? `declare it: \`let ${name.name} = …\`` : hint,
    edits: edits ?? [insertion],
  });
}

export function notAssignable(name: Identifier, declared: Span | undefined): Diagnostic {
  const message = `\`${name.name}\` can't be given a new value.`;
  return report("not-assignable", message, name.span, "keeps its value", {
    related: declared === undefined ? [] : [{ span: declared, text: "declared here" }],
    hint: "introduce a new name with `let`; only those, tensor parameters and carries can change",
  });
}

/** `owner` as in a sentence: Linear, \`mean\`. */
export function unknownArgument(
  owner: string,
  name: string,
  span: Span,
  known: readonly string[],
): Diagnostic {
  const parts = didYouMean(name, span, known, "it takes");
  return report(
    "unknown-argument",
    `${owner} takes no argument \`${name}\`.`,
    span,
    "not a parameter",
    parts,
  );
}

/** `owner` as in a sentence: Linear, \`mean\`. */
export function tooManyArguments(owner: string, takes: number, span: Span, declared?: Span): Diagnostic {
  const message =
    takes === 0 ? `${owner} takes no arguments.` : `${owner} takes no more than ${count(takes, "argument")}.`;
  return report("too-many-arguments", message, span, takes === 0 ? "not wanted" : "one too many", {
    related: declared === undefined ? [] : [{ span: declared, text: "declared here" }],
  });
}

export function positionalAfterNamed(span: Span): Diagnostic {
  const message = "An argument without a name can't follow one with a name.";
  const text = quoted(span);
  return report("positional-after-named", message, span, "for which parameter?", {
    hint:
      text === undefined
        ? "name the parameter that it is for"
        : `name the parameter that it is for: \`name: ${text}\``,
  });
}

export function notAnExtension(declaration: BlockDeclaration, span: Span): Diagnostic {
  const { blockKind, name } = declaration;
  const message = `\`with\` installs policies and adapters, and ${name.name} is ${withArticle(blockKind)}.`;
  return report("not-an-extension", message, span, withArticle(blockKind), {
    hint: "to apply one block after the other, write `|>`",
  });
}

export function withNeedsBlock(side: "left" | "right", span: Span, value: Value): Diagnostic {
  const message =
    side === "left"
      ? "Left of `with` stands a block with its arguments."
      : "Right of `with` stands a policy or an adapter with its arguments.";
  return report("not-an-extension", message, span, `this is ${describeValue(value)}`);
}

export function variantNotABlock(declaration: BlockDeclaration, value: Value): Diagnostic {
  const span = declaration.value?.span ?? declaration.name.span;
  const message = `\`${declaration.name.name}\` must be ${withArticle(declaration.blockKind)} with its arguments.`;
  return report("variant-not-a-block", message, span, `this is ${describeValue(value)}`);
}

export function variantOfOtherKind(declaration: BlockDeclaration, base: BlockDeclaration): Diagnostic {
  const span = declaration.value?.span ?? declaration.name.span;
  const own = declaration.blockKind;
  const message = `${declaration.name.name} is declared as ${withArticle(own)}, but ${base.name.name} is ${withArticle(base.blockKind)}.`;
  const keyword = { ...declaration.span, end: declaration.span.start + own.length };
  return report("variant-not-a-block", message, span, withArticle(base.blockKind), {
    related: [{ span: base.name.span, text: `declared as ${withArticle(base.blockKind)} here` }],
    hint: `write \`${base.blockKind} ${declaration.name.name} = …\``,
    edits: [{ span: keyword, replacement: base.blockKind }],
  });
}

export function bindingNotABlock(name: string, nameSpan: Span, span: Span, value: Value): Diagnostic {
  const message = `The member \`${name}\` must be a block or a list of blocks.`;
  const isPlain = !name.includes(".");
  return report("member-not-a-block", message, span, `this is ${describeValue(value)}`, {
    hint: isPlain ? `for a value, write \`let ${name} = …\`` : "name a value with `let`",
    edits: isPlain ? [{ span: { ...nameSpan, end: nameSpan.start }, replacement: "let " }] : [],
  });
}

export function notCallable(span: Span, value: Value): Diagnostic {
  const hint =
    value.kind === "namespace"
      ? `call one of its members: ${enumeration(value.names.map(code))}`
      : "is an operator missing before the parenthesis?";
  const message = "Only blocks and functions can be called.";
  return report("not-callable", message, span, `this is ${describeValue(value)}`, { hint });
}

export function noForward(declaration: BlockDeclaration, span: Span): Diagnostic {
  const { name, blockKind } = declaration;
  const isExtension = blockKind === "policy" || blockKind === "adapter";
  const message = isExtension
    ? `${name.name} is ${withArticle(blockKind)}: it is installed, not applied.`
    : `${name.name} has no \`forward\`, so it can't be applied.`;
  return report("no-forward", message, span, "applied here", {
    related: [{ span: name.span, text: "declared here" }],
    hint: isExtension ? `install it on a block: \`with ${name.name}(…)\`` : undefined,
  });
}

export function opMissing(name: string, span: Span): Diagnostic {
  return report("unknown-name", `There is no op \`${name}\`, which this needs.`, span, "used here");
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
    related: [{ span: instance.declaration.name.span, text: `${owner} is declared here` }],
    notes: [
      wanted.length === 0
        ? `${policy.name.name} has no \`on\` handler`
        : `${policy.name.name} acts at ${enumeration(wanted.map(code))}`,
      sites.length === 0 ? `${owner} has no sites` : `${owner} has ${enumeration(sites.map(code))}`,
    ],
    hint:
      wanted[0] === undefined
        ? undefined
        : `offer one in ${owner}: \`x = site ${wanted[wanted.length - 1] ?? ""}(x)\``,
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
  const range = total === 1 ? "the only one has number 0" : `they have the numbers 0 to ${total - 1}`;
  return report("site-out-of-range", message, span, "no such site", {
    notes: [`${owner} has ${count(total, `\`${site}\` site`)}: ${range}`],
  });
}

export function siteNumbers(span: Span, value: Value): Diagnostic {
  const message = "The sites of a handler are given as a list of integers.";
  return report("site-numbers", message, span, `this is ${describeValue(value)}`, {
    hint: "as in `[3, 6, 9]`; sites are numbered from 0",
  });
}

export function siteFieldUnnamed(span: Span): Diagnostic {
  const message = "After the value that it may replace, a site offers named values.";
  const text = quoted(span);
  return report("site-field-unnamed", message, span, "has no name", {
    hint: text === undefined ? "give it a name: `name: value`" : `give it a name: \`name: ${text}\``,
  });
}

export function noSuchModel(
  name: string | undefined,
  file: SourceFile,
  models: readonly Identifier[],
): Diagnostic {
  if (name === undefined) {
    return report("no-model", "This file declares no model.", file.span(0, 0), "", {
      hint: "write `model Name(…) { … }`",
    });
  }
  const names = models.map((model) => model.name);
  const { hint } = didYouMean(name, file.span(0, 0), names, "its models are");
  const [first] = models;
  const message = `This file declares no model \`${name}\`.`;
  return report(
    "no-model",
    message,
    first?.span ?? file.span(0, 0),
    first === undefined ? "" : "a model of this file",
    {
      hint,
    },
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
  const { hint } = didYouMean(name ?? "", span, entries, "its entries are");
  return report("no-entry", message, span, "this model", { hint });
}

export function inputNotTaken(name: string, entry: EntryMember): Diagnostic {
  const { span } = entry.name;
  const message = `The entry \`${entry.name.name}\` uses the input \`${name}\` without taking it.`;
  const taken = [...entry.inputs.map((input) => input.name), name];
  const last = entry.inputs[entry.inputs.length - 1]?.span;
  return report("unknown-input", message, span, "this entry", {
    hint: `write \`${entry.name.name}(${taken.join(", ")})\``,
    edits: last === undefined ? [] : [{ span: { ...last, start: last.end }, replacement: `, ${name}` }],
  });
}

export function unknownInput(name: Identifier, known: readonly string[]): Diagnostic {
  const parts = didYouMean(name.name, name.span, known, "its inputs are");
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
    hint: "a block with recurrent state can be applied once: make two of it",
  });
}

export function continuesUnknown(name: Identifier, known: readonly string[]): Diagnostic {
  const parts = didYouMean(name.name, name.span, known, "the other entries are");
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
