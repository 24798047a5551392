/** Text and ids: a tokenizer of bytes and pairs, and text that is given out piece by piece. */
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { generate } from "../../../src/runtime/generation/generate.ts";
import { TextStream } from "../../../src/runtime/generation/text-stream.ts";
import { readTokenizer, type Tokenizer } from "../../../src/runtime/generation/tokenizer.ts";
import { endOfText, smallTokenizer } from "../../support/tokenizer.ts";
import { diagnosticOf } from "../support.ts";

let tokenizer: Tokenizer;
beforeAll(async () => {
  tokenizer = await readTokenizer(smallTokenizer(), "tokenizer.json");
});

/** The id of a byte. */
const byte = (value: number): number => {
  const [id = 0] = tokenizer.encode("a");
  const bytes = [...Array(256).keys()];
  return id - 0x61 + 1 + bytes.indexOf(value) - 1;
};
const bytesOf = (text: string): number[] => [...new TextEncoder().encode(text)].map(byte);

function stream(ids: readonly number[], stops: readonly string[] = []): { pieces: string[]; all: string } {
  const text = new TextStream(tokenizer, stops);
  const pieces = [...ids.map((id) => text.push(id)), text.finish()];
  expect(pieces.join("")).toBe(text.text);
  return { pieces, all: text.text };
}

describe("a tokenizer", () => {
  test("joins pairs in their order", () => {
    expect(tokenizer.encode(" the dog barks")).toHaveLength(3);
    expect(tokenizer.decode(tokenizer.encode(" the dog barks"))).toBe(" the dog barks");
  });
  test("knows special tokens, and leaves them out of text", () => {
    expect(tokenizer.idOf(endOfText)).toBe(0);
    expect(tokenizer.encode(`a${endOfText}b`)).toContain(0);
    expect(tokenizer.decode(tokenizer.encode(`a${endOfText}b`))).toBe("ab");
    expect(tokenizer.idOf("no such token")).toBeUndefined();
  });
  test("gives nothing for ids beyond its vocabulary, which models pad", () => {
    expect(tokenizer.decode([50_000])).toBe("");
    expect(tokenizer.decode([])).toBe("");
  });
  test("gives any text back in its normal form", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        fc.pre(!/[\p{Surrogate}\ufffd]/u.test(text));
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(text.normalize("NFC"));
      }),
    );
  });
  test.each([
    "",
    "{}",
    "[]",
    "null",
    "<html>",
    '{"model": {"type": "BPE"}}',
    '{"model": 3, "decoder": null}',
  ])("that is %j is refused in words", async (json) => {
    const diagnostic = await diagnosticOf(() => readTokenizer(json, "tokenizer.json"));
    expect(diagnostic.code).toBe("bad-tokenizer");
    expect(diagnostic.message).toContain("tokenizer.json");
  });
});

describe("text in pieces", () => {
  test("never splits a character", () => {
    const { pieces } = stream(bytesOf("é🙂!"));
    expect(pieces).toEqual(["", "é", "", "", "", "🙂", "!", ""]);
  });
  test("gives bytes that are no character as they are, once that is certain", () => {
    expect(stream([byte(0xff), ...bytesOf("a")]).pieces).toEqual(["", "\ufffda", ""]);
    expect(stream([byte(0xf0)]).pieces).toEqual(["", "\ufffd"]);
    expect(stream([byte(0xff), byte(0xff), byte(0xff)]).pieces).toEqual(["", "\ufffd", "\ufffd", "\ufffd"]);
  });
  test("is the text of all ids, whatever they are", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 270 }), { maxLength: 40 }), (ids) => {
        const { pieces, all } = stream(ids);
        expect(all).toBe(tokenizer.decode(ids));
        for (const piece of pieces) expect(piece).not.toMatch(/\p{Surrogate}/u);
      }),
      { numRuns: 300 },
    );
  });
  test("keeps the space that a word begins with when decoding strips it at the start", () => {
    const words = ["▁a", "▁dog", "▁barks"];
    const stripping = {
      decode: (ids: readonly number[]) =>
        ids
          .map((id) => words[id])
          .join("")
          .replaceAll("▁", " ")
          .trimStart(),
    };
    const text = new TextStream(stripping);
    expect([0, 1, 2].map((id) => text.push(id))).toEqual(["a", " dog", " barks"]);
  });
});

describe("stop texts", () => {
  test("end the text before them, wherever they begin and end", () => {
    expect(stream(bytesOf("One. Two. Three"), [". T"]).all).toBe("One");
    expect(stream([...tokenizer.encode(" the dog barks")], ["og b"]).all).toBe(" the d");
  });
  test("are held back while they may still come, and given when they do not", () => {
    expect(stream(bytesOf("aENaEND"), ["END"]).pieces).toEqual(["a", "", "", "ENa", "", "", "", ""]);
    expect(stream(bytesOf("aEN"), ["END"]).pieces).toEqual(["a", "", "", "EN"]);
  });
  test("give what cutting the whole text gives", () => {
    const letters = fc.string({ unit: fc.constantFrom("a", "b", "é"), maxLength: 12 });
    fc.assert(
      fc.property(letters, fc.array(letters, { maxLength: 3 }), (text, stops) => {
        const places = stops.filter((stop) => stop !== "").map((stop) => text.indexOf(stop));
        const ends = places.filter((place) => place >= 0);
        // Of two stop texts, the one that is complete first decides.
        const found = stops.filter((stop) => stop !== "" && text.includes(stop));
        const first = found.sort((a, b) => text.indexOf(a) + a.length - (text.indexOf(b) + b.length))[0];
        const { all } = stream(bytesOf(text), stops);
        if (first === undefined) expect(all).toBe(text);
        else expect(text.startsWith(all) && all.length >= Math.min(...ends)).toBe(true);
      }),
    );
  });
  test("end generation, with one id at a time and with beams", async () => {
    const ids = bytesOf("ab. cd");
    const session = () => {
      let at = 0;
      const scores = (rows: number) => {
        const data = new Float32Array(rows * 270);
        for (let row = 0; row < rows; row++) data[row * 270 + (ids[at] ?? 0)] = 40;
        at++;
        return { dtype: "f32" as const, shape: [rows, 270], data };
      };
      return {
        start: async () => scores(1),
        step: async (given: readonly number[]) => scores(given.length),
        reorder: async () => {},
      };
    };
    const stopTexts = [". "];
    const choices = [{ kind: "greedy" }, { kind: "beams", count: 2, lengthPenalty: 1, early: true }] as const;
    for (const choice of choices) {
      const pieces: string[] = [];
      const found = await generate(session(), { choice, limit: 6, stopTexts }, tokenizer, ({ text }) =>
        pieces.push(text),
      );
      expect(found).toMatchObject({ text: "ab", reason: "stop", ids: ids.slice(0, 4) });
      expect(pieces.join("")).toBe("ab");
    }
  });
});
