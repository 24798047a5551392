/**
 * Text as its bytes in UTF-8, one id each: for models whose vocabulary is that, and for trying a model out
 * where there is no tokenizer.
 *
 * Owns: the mapping alone. Ids from 256 on stand for no byte and have no text.
 */
import type { Tokenizer } from "./tokenizer.ts";

export const byteTokenizer: Tokenizer = {
  label: "bytes",
  encode: (text) => [...new TextEncoder().encode(text)],
  decode: (ids) => new TextDecoder().decode(Uint8Array.from(ids.filter((id) => id < 256))),
  idOf: (token) => {
    const bytes = new TextEncoder().encode(token);
    return bytes.length === 1 ? bytes[0] : undefined;
  },
};
