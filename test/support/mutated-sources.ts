/**
 * Sources that something went wrong with: the library's, with tokens lost, doubled, swapped or
 * replaced by what nobody should write.
 *
 * Owns: the mutations. Whatever comes out, the language must answer with diagnostics in time.
 */
import fc from "fast-check";

/** Tokens and texts that are most likely to hurt. */
const nasty: readonly string[] = [
  ..."(){}[],:=.+-*/%@<>!|&\"'\\#;~`^$?\0\u0007\ufeff\u2028\ud800é名×",
  ...["->", "=>", "|>", "..", "...", "==", "!=", "&&", "||", "//", "///", "/*", "\r", "\r\n", "\n\n", "\t"],
  ...["block", "model", "policy", "encoder", "adapter", "extends", "let", "param", "carry", "input", "entry"],
  ...["forward", "on", "for", "in", "if", "then", "else", "with", "site", "require", "where", "continues"],
  ...[
    "import",
    "from",
    "as",
    "weights",
    "stored",
    "sweep",
    "budget",
    "generate",
    "language",
    "true",
    "none",
    "base",
  ],
  ...["0", "1", "-1", "0.5", "70%", "16kHz", "25ms", "9007199254740991", "99999999999999999999", "1e308"],
  ...["1e999", "0x1F", "1_000", "3.4.5", "0..1000000000", "[1] * 9", '"', '"\\u{110000}"', '"\\q"'],
  ...[
    "(".repeat(300),
    "[".repeat(300),
    "{".repeat(150),
    "if x then ".repeat(250),
    "-".repeat(400),
    "1+".repeat(2000),
  ],
  ...["f32[B, N]", "f32[*b, *c]", "f32[B, B * 1000000 * 1000000]", "B", "N", "width", "x", "x[:, -1:, ...]"],
  ...["concat(x, x)", "reshape(x, [N])", "split(x, 0)", "size(x, 99)", "iota(1000000000)", "pow(x, x)"],
];

interface Mutation {
  readonly kind: "delete" | "duplicate" | "swap" | "replace" | "insert" | "borrow" | "cut";
  readonly at: number;
  readonly to: number;
  readonly text: string;
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom("delete", "duplicate", "swap", "replace", "insert", "borrow", "cut"),
  at: fc.nat(1_000_000),
  to: fc.nat(1_000_000),
  text: fc.oneof(
    fc.constantFrom(...nasty),
    fc.string({ unit: "binary", maxLength: 6 }),
    fc.bigInt().map(String),
  ),
});

type LineEnds = "as they are" | "CRLF" | "CR" | "no last one";

/** One of `sources`, mutated a few times. */
export function mutatedSource(sources: readonly string[]): fc.Arbitrary<string> {
  return fc
    .record({
      source: fc.nat(sources.length - 1),
      other: fc.nat(sources.length - 1),
      mutations: fc.array(mutation, { minLength: 1, maxLength: 5 }),
      ends: fc.oneof(
        { weight: 6, arbitrary: fc.constant<LineEnds>("as they are") },
        { weight: 1, arbitrary: fc.constantFrom<LineEnds>("CRLF", "CR", "no last one") },
      ),
    })
    .map(({ source, other, mutations, ends }) => {
      const tokens = split(sources[source] ?? "");
      const donor = split(sources[other] ?? "");
      for (const one of mutations) apply(one, tokens, donor);
      return withLineEnds(tokens.join(""), ends);
    });
}

function split(text: string): string[] {
  return text.match(/\/\/[^\n]*|"[^"\n]*"|\w+|\s+|->|\|>|\.\.\.?|[=!<>]=|[^\w\s]/gu) ?? [];
}

function apply({ kind, at, to, text }: Mutation, tokens: string[], donor: readonly string[]): void {
  const here = at % Math.max(tokens.length, 1);
  const there = to % Math.max(tokens.length, 1);
  const token = tokens[here] ?? "";
  switch (kind) {
    case "delete":
      tokens.splice(here, 1 + (to % 3));
      return;
    case "duplicate":
      tokens.splice(here, 0, ...tokens.slice(here, here + 1 + (to % 12)));
      return;
    case "swap":
      tokens[here] = tokens[there] ?? "";
      tokens[there] = token;
      return;
    case "replace":
      tokens[here] = text;
      return;
    case "insert":
      tokens.splice(here, 0, text);
      return;
    case "borrow": {
      const start = to % Math.max(donor.length, 1);
      tokens.splice(here, 1, ...donor.slice(start, start + 1 + (at % 20)));
      return;
    }
    case "cut":
      tokens.length = here;
  }
}

function withLineEnds(text: string, ends: LineEnds): string {
  if (ends === "CRLF") return text.replaceAll("\n", "\r\n");
  if (ends === "CR") return text.replaceAll("\n", "\r");
  return ends === "no last one" ? text.trimEnd() : text;
}
