/**
 * What fuzzing holds the language to.
 *
 * Owns: the sources that are mutated, and the judgement of one case.
 */
import { readFileSync } from "node:fs";
import { checkText, faultsOf, library } from "./check-text.ts";
import { errorCases } from "./error-fixtures.ts";
import { root } from "./product-files.ts";

/** The library without its largest models, which take most of a second, and the smaller fixtures. */
export const fuzzSources: readonly string[] = [
  ...library.filter(({ path }) => /models\/(?:blocks|policies|frontends|adapters|encoders)\//.test(path)),
  ...errorCases().map(({ path }) => ({ path, text: readFileSync(root + path, "utf8") })),
].flatMap(({ text }) => (text.length < 8000 ? [text] : []));

/** Unmutated sources take up to 30 ms, and most of what is measured is other work on the machine. */
const mostMilliseconds = 3000;

/** Empty for a case that is as it should be. */
export function fuzzProblems(text: string): string[] {
  const { diagnostics, milliseconds } = checkText(text, "models/blocks/case.oss");
  const problems = faultsOf(diagnostics);
  // A second look, so that a pause of the machine is not blamed on the language.
  const isSlow =
    milliseconds > mostMilliseconds &&
    checkText(text, "models/blocks/case.oss").milliseconds > mostMilliseconds;
  return isSlow ? [...problems, `takes ${Math.round(milliseconds)} ms`] : problems;
}
