/**
 * Words of the language that a list of completions offers.
 *
 * Owns: which keyword may begin what, with a line about each.
 */
import { blockKinds } from "../lang/ast.ts";
import { staticTypeNames } from "../lang/static-types.ts";
import { dtypes } from "../lang/types.ts";

export interface WordItem {
  readonly word: string;
  readonly detail: string;
  /** With `‹name›` where the user writes on, in turn; the word alone when absent. */
  readonly snippet?: string;
}

export const topWords: readonly WordItem[] = [
  { word: "import", detail: "names of another file", snippet: 'import { ‹› } from "‹›"' },
  { word: "let", detail: "a constant of the file", snippet: "let ‹name› = ‹›" },
  ...blockKinds.map((word) => ({
    word,
    detail: `declares ${/^[aeiou]/.test(word) ? "an" : "a"} ${word}`,
    snippet: `${word} ‹Name›(‹›) {\n  ‹›\n}`,
  })),
];

const anyMember: readonly WordItem[] = [
  { word: "param", detail: "a learned tensor", snippet: "param ‹weight›: f32[‹›] = ‹›" },
  { word: "let", detail: "a value", snippet: "let ‹name› = ‹›" },
  { word: "if", detail: "members that depend on a condition", snippet: "if ‹› {\n  ‹›\n}" },
  { word: "require", detail: "what must hold of the parameters", snippet: 'require ‹›, "‹›"' },
];
const forwardWord: WordItem = {
  word: "forward",
  detail: "what the block computes",
  snippet: "forward(‹x›: f32[‹›]) -> f32[‹›] {\n  ‹›\n}",
};
const policyWords: readonly WordItem[] = [
  {
    word: "on",
    detail: "what the policy does at a site",
    snippet: "on ‹tokens›(‹x›: f32[B, N, D], ...) -> f32[B, M, D] {\n  ‹›\n}",
  },
  { word: "carry", detail: "a value handed from site to site", snippet: "carry ‹name› = ‹›" },
];
const modelWords: readonly WordItem[] = [
  { word: "input", detail: "what comes from outside", snippet: "input ‹x›: ‹›" },
  { word: "entry", detail: "what can be run", snippet: "entry ‹run›(‹›) -> ‹y›: f32[‹›] = ‹›" },
  { word: "weights", detail: "how a checkpoint calls things", snippet: 'weights {\n  "‹›" -> "‹›",\n}' },
  { word: "stored", detail: "how weights are stored", snippet: "stored { as: ‹int8› }" },
  { word: "frozen", detail: "what is not trained", snippet: 'frozen { "‹›" }' },
  { word: "sweep", detail: "the variants worth comparing", snippet: "sweep { ‹› }" },
  { word: "budget", detail: "what any variant may cost", snippet: "budget { ‹› }" },
  {
    word: "generate",
    detail: "how text is made, token by token",
    snippet: "generate ‹text› from ‹prefill› then ‹step› { ‹› }",
  },
];

export function memberWords(blockKind: string): readonly WordItem[] {
  if (blockKind === "policy") return [...policyWords, ...anyMember];
  if (blockKind === "model") return [...modelWords, ...anyMember, forwardWord];
  return [forwardWord, ...anyMember];
}

export const statementWords: readonly WordItem[] = [
  { word: "let", detail: "names a value", snippet: "let ‹name› = ‹›" },
  { word: "for", detail: "once for each item", snippet: "for ‹item› in ‹› {\n  ‹›\n}" },
  { word: "if", detail: "decided while compiling", snippet: "if ‹› {\n  ‹›\n}" },
  { word: "require", detail: "what must hold", snippet: 'require ‹›, "‹›"' },
];

export const expressionWords: readonly WordItem[] = [
  { word: "if", detail: "one of two values", snippet: "if ‹› then ‹› else ‹›" },
  { word: "site", detail: "where a policy may act", snippet: "site ‹tokens›(‹›)" },
  { word: "true", detail: "bool" },
  { word: "false", detail: "bool" },
  { word: "none", detail: "the absence of a value" },
];

export const staticTypes: readonly WordItem[] = staticTypeNames.map((word) => ({
  word,
  detail: "type of a parameter",
}));

export const tensorTypes: readonly WordItem[] = [
  ...dtypes.map((word) => ({ word, detail: "tensor", snippet: `${word}[‹›]` })),
  { word: "waveform", detail: "samples at a rate", snippet: "waveform[‹T›] @ ‹16kHz›" },
  { word: "tokens", detail: "i64 numbers of tokens", snippet: "tokens[‹P›]" },
];

/** In the syntax of editors: `${1:name}`, `$2`. */
export function snippetText(snippet: string): string {
  let count = 0;
  return snippet.replace(/‹(\w*)›/g, (_, name: string) => {
    count += 1;
    return name === "" ? `$${count}` : `\${${count}:${name}}`;
  });
}
