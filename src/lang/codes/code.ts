/**
 * What is written down about a code of a diagnostic.
 *
 * Owns: the shape of an entry; the entries are in this folder, by subject.
 */
import type { Severity } from "../diagnostic.ts";

export interface CodeEntry {
  readonly severity: Severity;
  /**
   * Whether the text at the place is wrong whatever its values are, or only for these values: then
   * the fault may lie with whoever gave them, and the message is placed in the user's own file.
   */
  readonly cause: "text" | "values";
  /** One sentence: the title of its reference page. */
  readonly summary: string;
  /** A paragraph: what it means and how to mend it. */
  readonly explanation: string;
}

export type CodeTable = Readonly<Record<string, CodeEntry>>;
