/**
 * Every code that a diagnostic of the language can have.
 *
 * Owns: the list, which the messages are typed by, the tests walk through, and the reference pages
 * are made of. Wording of single messages is messages/'s and syntax-messages.ts's.
 */
import type { CodeEntry, CodeTable } from "./codes/code.ts";
import { nameCodes } from "./codes/names.ts";
import { shapeCodes } from "./codes/shapes.ts";
import { syntaxCodes } from "./codes/syntax.ts";
import { valueCodes } from "./codes/values.ts";
import { warningCodes } from "./codes/warnings.ts";

export type { CodeEntry } from "./codes/code.ts";

const table = { ...syntaxCodes, ...nameCodes, ...valueCodes, ...shapeCodes, ...warningCodes };

export type DiagnosticCode = keyof typeof table;
export type SyntaxCode = keyof typeof syntaxCodes;
export type WarningCode = keyof typeof warningCodes;

/** The codes by subject, as the reference lists them. */
export const codeSubjects: readonly { readonly title: string; readonly codes: CodeTable }[] = [
  { title: "Text that does not follow the grammar", codes: syntaxCodes },
  { title: "Names, blocks and files", codes: nameCodes },
  { title: "Values that are known while compiling", codes: valueCodes },
  { title: "Tensors", codes: shapeCodes },
  { title: "Warnings", codes: warningCodes },
];

/** By code, in the order of the reference: syntax, names, values, shapes, warnings. */
export const diagnosticCodes: Readonly<Record<DiagnosticCode, CodeEntry>> = table;

export function isDiagnosticCode(code: string): code is DiagnosticCode {
  return Object.hasOwn(table, code);
}

export function isWarningCode(code: string): code is WarningCode {
  return Object.hasOwn(warningCodes, code);
}

export const warningNames: readonly string[] = Object.keys(warningCodes);
