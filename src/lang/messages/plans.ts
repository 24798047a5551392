/**
 * Messages about what a model says of itself: interfaces, variants, sweeps, budgets, weights, generation.
 */
import type { BlockDeclaration, Identifier, NumberLiteral, StaticParameter } from "../ast.ts";
import type { Diagnostic } from "../diagnostic.ts";
import type { Span } from "../source.ts";
import { printStaticType } from "../static-types.ts";
import { suggest } from "../suggest.ts";
import { printType, type TensorType } from "../types.ts";
import { describeValue, type Value } from "../value.ts";
import { alternatives, code, didYouMean, enumeration, report } from "./build.ts";

export function unknownLanguage(version: NumberLiteral): Diagnostic {
  const message = `This file is written for version ${version.text} of the language, and only version 1 is known.`;
  return report("unknown-language-version", message, version.span, "not a version of the language", {
    hint: "write `language 1`, or use a newer Ossicle",
  });
}

export function privateName(name: string, span: Span, path: string): Diagnostic {
  return report("private-name", `\`${name}\` is private to ${path}.`, span, "begins with an underscore", {
    hint: "import what the file offers, or rename it there",
  });
}

export function brokenInterface(
  declaration: BlockDeclaration,
  span: Span,
  what: string,
  promise: string,
): Diagnostic {
  const { blockKind, name } = declaration;
  const article = /^[aeiou]/.test(blockKind) ? "an" : "a";
  const message = `${name.name} is declared as ${article} ${blockKind}, but ${what}.`;
  return report("broken-interface", message, span, "breaks the promise", {
    related:
      span === name.span ? [] : [{ span: name.span, text: `declared as ${article} ${blockKind} here` }],
    notes: [promise],
    hint: "declare it as a `block`, which promises nothing",
  });
}

export function extendsNotABlock(declaration: BlockDeclaration, span: Span, value: Value): Diagnostic {
  const message = `${declaration.name.name} can only extend another ${declaration.blockKind}.`;
  return report("bad-extension", message, span, `this is ${describeValue(value)}`);
}

export function sweepUnknown(name: Identifier, known: readonly string[]): Diagnostic {
  const parts = didYouMean(name.name, name.span, known);
  return report(
    "bad-sweep",
    `The model has no parameter \`${name.name}\` to vary.`,
    name.span,
    "not a parameter",
    parts,
  );
}

export function sweepNotAList(span: Span): Diagnostic {
  const message = "A sweep lists the values that a parameter takes.";
  return report("bad-sweep", message, span, "not a list of values", {
    hint: "as in `keep: [50%, 70%, 100%]`",
  });
}

export function sweepValue(
  name: string,
  span: Span,
  problem: string,
  parameter: StaticParameter,
): Diagnostic {
  return report("bad-sweep", `\`${name}\` ${problem}.`, span, "one of its values", {
    related: [
      { span: parameter.span, text: `\`${name}: ${printStaticType(parameter.type)}\` is declared here` },
    ],
  });
}

export function badBudget(span: Span, measures: readonly string[]): Diagnostic {
  const message = "A limit of a budget is a measure, `<=` and a number.";
  return report("bad-budget", message, span, "not a limit", {
    hint: `as in \`macs(seconds: 10) <= 32G\`; measures are ${measures.map(code).join(", ")}`,
  });
}

/** The text of a limit can't be measured as it stands: something is open or unknown. */
export function unmeasurableLimit(span: Span, message: string, hint: string | undefined): Diagnostic {
  return report("bad-budget", message, span, "this limit can't be measured", { hint });
}

export interface BrokenLimit {
  readonly model: string;
  /** What is measured, in words. */
  readonly title: string;
  readonly span: Span;
  /** Written for people, as are the limit and how far it is exceeded. */
  readonly value: string;
  readonly limit: string;
  readonly over: string;
  /** What costs most, largest first. */
  readonly parts: readonly string[];
  /** A value of one parameter that would fit. */
  readonly change:
    | {
        readonly parameter: StaticParameter;
        readonly text: string;
        readonly value: string;
        readonly isDefault: boolean;
      }
    | undefined;
}

export function overBudget({
  model,
  title,
  span,
  value,
  limit,
  over,
  parts,
  change,
}: BrokenLimit): Diagnostic {
  const message = `${model} has ${value} ${title}, and its budget allows ${limit}.`;
  const initial = change?.isDefault === true ? change.parameter.initial : undefined;
  const { name } = change?.parameter ?? {};
  return report("over-budget", message, span, `exceeded by ${over}`, {
    ...(parts.length > 0 && { notes: [`most of it: ${parts.join(", ")}`] }),
    hint:
      change === undefined
        ? "no parameter of the model brings it within the limit"
        : `\`${name?.name}: ${change.text}\` fits, with ${change.value}`,
    ...(change !== undefined &&
      initial !== undefined && {
        edits: [{ span: initial.span, replacement: change.text }],
      }),
  });
}

/** `paths` are those of all learned tensors. */
export function frozenMatchesNothing(pattern: string, span: Span, paths: readonly string[]): Diagnostic {
  const ends = paths.flatMap((path) => [...path.matchAll(/\.|$/g)].map(({ index }) => path.slice(0, index)));
  const parts = [...new Set(ends)];
  const [best, ...others] = suggest(pattern, parts);
  const first = [...new Set(paths.map((path) => path.split(".")[0] ?? ""))];
  const isWhole = span.file.text.slice(span.start + 1, span.end - 1) === pattern;
  return report(
    "bad-frozen",
    `No learned tensor is at \`${pattern}\`, or below it.`,
    span,
    "freezes nothing",
    {
      hint:
        best === undefined
          ? `paths begin with ${enumeration(first.slice(0, 12).map(code))}`
          : `did you mean ${alternatives([best, ...others].map(code))}?`,
      ...(best !== undefined && isWhole && { edits: [{ span, replacement: JSON.stringify(best) }] }),
    },
  );
}

export function storedOption(name: Identifier, span: Span, value: Value): Diagnostic {
  const [message, label] =
    name.name === "as"
      ? [`Weights are stored as f32, f16 or int8, not as ${describeValue(value)}.`, "not a storage type"]
      : name.name === "group"
        ? [`A group is a number of elements, not ${describeValue(value)}.`, "not a number of elements"]
        : [`\`stored\` has no option \`${name.name}\`.`, "not an option"];
  const known = name.name === "as" || name.name === "group";
  return report("bad-stored", message, known ? span : name.span, label, {
    hint: "write `stored { as: int8 }`, or with the elements that share a scale `stored { as: int8, group: 64 }`",
  });
}

export function storedWithout(span: Span, as: string | undefined): Diagnostic {
  const message =
    as === undefined
      ? "`stored` says nothing of the type."
      : `Only int8 has groups that share a scale, not ${as}.`;
  return report("bad-stored", message, span, as === undefined ? "no `as`" : "a `group` too many", {
    hint: as === undefined ? "write `stored { as: int8 }`" : "leave `group` out",
  });
}

/** `covered`: the learned tensors there, none of which is a matrix. */
export function storesNothing(span: Span, covered: readonly (readonly [string, TensorType])[]): Diagnostic {
  const listed = covered.slice(0, 4).map(([path, type]) => `${path} ${printType(type)}`);
  return report(
    "bad-stored",
    "There is no matrix to be stored in another type.",
    span,
    "stores nothing otherwise",
    {
      notes: [
        covered.length === 0
          ? "no learned tensor is there"
          : `vectors stay as they are: ${enumeration(listed)}${covered.length > listed.length ? " and more" : ""}`,
      ],
      hint: "say it of the part that holds the weights of a product, or of a table that is read by rows",
    },
  );
}

export function groupDividesNot(span: Span, path: string, row: number, group: number): Diagnostic {
  const message = `A row of ${path} has ${row} elements, which groups of ${group} do not divide.`;
  return report("bad-stored", message, span, `in groups of ${group}`, {
    hint: "leave the group out: then it is 64 where that divides a row, and else the whole row",
  });
}

export function badRename(span: Span, left: number, right: number): Diagnostic {
  const message = "Both sides of a renaming need the same number of `*`.";
  return report("bad-rename", message, span, `${left} on the left, ${right} on the right`);
}

export function generateUnknown(name: Identifier, known: readonly string[]): Diagnostic {
  const parts = didYouMean(name.name, name.span, known);
  return report("bad-generate", `The model has no entry \`${name.name}\`.`, name.span, "not an entry", parts);
}

export function generateNotContinuing(next: Identifier, first: Identifier): Diagnostic {
  const message = `\`${next.name}\` does not continue \`${first.name}\`.`;
  return report("bad-generate", message, next.span, "starts from nothing", {
    hint: `declare it as \`entry ${next.name}(…) continues ${first.name} …\``,
  });
}

export function generateOption(name: Identifier, span: Span): Diagnostic {
  return report(
    "bad-generate",
    `\`${name.name}\` is not an option of \`generate\`, or not with this value.`,
    span,
    "given here",
    {
      hint: "`stop` takes a list of strings, `limit` a number of tokens, `prompt` a string",
    },
  );
}
