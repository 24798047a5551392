/**
 * A small tokenizer of the kind that GPT-NeoX has: bytes, a few pairs of them, and one special token.
 *
 * Owns: `tokenizer.json` as text. Written out by the definition of byte-level BPE, not taken from a model.
 */

/** Bytes that stand for themselves; the others are moved above 255, in their order. */
function byteCharacters(): string[] {
  const printable = (byte: number): boolean =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  let moved = 0;
  return Array.from({ length: 256 }, (_, byte) =>
    String.fromCharCode(printable(byte) ? byte : 256 + moved++),
  );
}

export const endOfText = "<|endoftext|>";

/** Pairs in the order in which they are joined: ` the`, ` dog`, ` barks`, and parts of them. */
const merges: readonly (readonly [string, string])[] = [
  ["h", "e"],
  ["Ġ", "t"],
  ["Ġt", "he"],
  ["o", "g"],
  ["Ġ", "d"],
  ["Ġd", "og"],
  ["a", "r"],
  ["k", "s"],
  ["ar", "ks"],
  ["Ġ", "b"],
  ["Ġb", "arks"],
];

/** Id 0 is the special token, ids 1 to 256 are the bytes, then the joined pairs. */
export function smallTokenizer(): string {
  const tokens = [endOfText, ...byteCharacters(), ...merges.map((pair) => pair.join(""))];
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true };
  const added = { id: 0, content: endOfText, special: true, normalized: false };
  return JSON.stringify({
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: [{ ...added, single_word: false, lstrip: false, rstrip: false }],
    normalizer: { type: "NFC" },
    pre_tokenizer: byteLevel,
    post_processor: byteLevel,
    decoder: byteLevel,
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: "",
      end_of_word_suffix: "",
      fuse_unk: false,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: merges.map((pair) => pair.join(" ")),
    },
  });
}
