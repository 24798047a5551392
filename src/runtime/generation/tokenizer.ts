/**
 * Text to ids and back, as a checkpoint's `tokenizer.json` says.
 *
 * Owns: reading the file through @huggingface/tokenizers, which is loaded when first needed, and
 * turning what is wrong with it into diagnostics.
 */
import { describeError, failure } from "../failure.ts";

export interface Tokenizer {
  /** What to call it in messages. */
  readonly label: string;
  /** The ids of a text, with the special ones that the tokenizer puts around it. */
  encode(text: string): readonly number[];
  /** The text of ids: nothing for special ids and for those beyond the vocabulary. */
  decode(ids: readonly number[]): string;
  /** The id of a token as it stands in the vocabulary, such as `<|endoftext|>`. */
  idOf(token: string): number | undefined;
}

/**
 * @param json the text of a `tokenizer.json`
 * @throws DiagnosticError `bad-tokenizer`
 */
export async function readTokenizer(json: string, label: string): Promise<Tokenizer> {
  const { Tokenizer: Library } = await import("@huggingface/tokenizers");
  let library: InstanceType<typeof Library>;
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value !== "object" || value === null) throw new Error("it is not a JSON object");
    library = new Library(value, {});
  } catch (error) {
    throw failure("bad-tokenizer", `${label} is not a tokenizer that can be read.`, {
      notes: [describeError(error)],
      hint: "give the tokenizer.json that lies beside the checkpoint",
    });
  }
  return {
    label,
    encode(text) {
      try {
        return library.encode(text).ids;
      } catch (error) {
        throw failure("bad-tokenizer", `${label} can't read the text.`, { notes: [describeError(error)] });
      }
    },
    decode(ids) {
      if (ids.length === 0) return "";
      // No tidying of spaces: a text that is given out in pieces can't be tidied afterwards.
      return library.decode([...ids], { skip_special_tokens: true, clean_up_tokenization_spaces: false });
    },
    idOf: (token) => library.token_to_id(token),
  };
}
