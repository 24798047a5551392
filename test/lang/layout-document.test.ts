import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  blankLine,
  choice,
  concat,
  type Document,
  fill,
  flatWidth,
  following,
  group,
  hardLine,
  ifBroken,
  indent,
  join,
  layOut,
  line,
  lineEnd,
  softLine,
  spacedLine,
} from "../../src/lang/layout-document.ts";

const call = (...items: Document[]) =>
  group(concat("f(", indent(concat(softLine, join(concat(",", line), items))), ifBroken(","), softLine, ")"));

describe("groups", () => {
  test("are flat when they fit, to the last column", () => {
    expect(layOut(call("aa", "bb"), 9)).toBe("f(aa, bb)");
    expect(layOut(call("aa", "bb"), 8)).toBe("f(\n  aa,\n  bb,\n)");
  });

  test("break from the outside in", () => {
    expect(layOut(call(call("aa", "bb"), "cc"), 12)).toBe("f(\n  f(aa, bb),\n  cc,\n)");
  });

  test("reckon with what follows, up to where it can break", () => {
    expect(layOut(concat(call("aa"), " tail"), 9)).toBe("f(\n  aa,\n) tail");
    expect(layOut(concat(call("aa"), group(concat(line, "tail"))), 9)).toBe("f(aa)\ntail");
  });

  test("break around what can't be flat", () => {
    expect(layOut(call("a", concat("b", lineEnd("// c"))), 80)).toBe("f(\n  a,\n  b, // c\n)");
    expect(layOut(call("a", concat("b", hardLine, "c")), 80)).toBe("f(\n  a,\n  b\n  c,\n)");
  });
});

describe("lines", () => {
  test("have no spaces at their ends", () => {
    expect(layOut(concat("a ", indent(concat(blankLine, "b "))), 80)).toBe("a\n\n  b");
  });

  test("an empty line where a group is broken", () => {
    const parts = group(concat("a", spacedLine, "b"));
    expect([layOut(parts, 3), layOut(parts, 2)]).toEqual(["a b", "a\n\nb"]);
  });

  test("a comment goes to the end of its line, a second one below", () => {
    const two = concat("a", lineEnd("// 1"), "b", lineEnd("// 2"), indent(concat(hardLine, "c")));
    expect(layOut(two, 80)).toBe("ab // 1\n  // 2\n  c");
  });
});

describe("fill", () => {
  const words = (...items: Document[]) => layOut(fill(items), 10);

  test("puts as many on a line as fit", () => {
    expect(words("aaa", "bbb", "ccc", "d")).toBe("aaa bbb\nccc d");
  });

  test("an item that does not fit breaks alone", () => {
    expect(words("a", call("long", "word"), "b")).toBe("a\nf(\n  long,\n  word,\n)\nb");
  });
});

describe("choice", () => {
  const beside = concat("= ", call("value", "other"));
  const below = concat("=", indent(concat(hardLine, call("value", "other"))));
  const made = choice(
    { content: beside, fits: "all-lines" },
    { content: below, fits: "all-lines" },
    { content: beside, fits: "first-line" },
  );

  test.each([
    [19, "x = f(value, other)"],
    [18, "x =\n  f(value, other)"],
    [16, "x = f(\n  value,\n  other,\n)"],
  ])("takes the first that fits in %i columns", (width, text) => {
    expect(layOut(concat("x ", made), width)).toBe(text);
  });

  test("what follows depends on what was taken", () => {
    const text = (width: number) => layOut(concat("x ", made, following(made, " 1", " 2", " 3")), width);
    expect(text(30)).toBe("x = f(value, other) 1");
    expect(text(20)).toBe("x =\n  f(value, other) 2");
    expect(text(12)).toBe("x = f(\n  value,\n  other,\n) 3");
  });
});

test("the width of what is flat", () => {
  expect(flatWidth(call("aa", "bb"), 20)).toBe(9);
  expect(flatWidth(call("aa", "bb"), 8)).toBe(9);
  expect(flatWidth(hardLine, 8)).toBe(9);
});

describe("any document", () => {
  const document = fc.letrec<{ any: Document }>((tie) => ({
    any: fc.oneof(
      { depthSize: "small" },
      fc.constantFrom<Document>("a", "bbb", "ccccc", line, softLine),
      fc.array(tie("any"), { maxLength: 4 }).map((parts) => concat(...parts)),
      tie("any").map((content) => group(content)),
      tie("any").map((content) => indent(content)),
      fc.array(tie("any"), { maxLength: 4 }).map((items) => fill(items)),
    ),
  })).any;

  test("keeps its text at any width, and fits in its flat width", () => {
    fc.assert(
      fc.property(document, fc.integer({ min: 1, max: 30 }), (content, width) => {
        const letters = (text: string) => text.replaceAll(/\s/g, "");
        const wide = layOut(group(content), 10_000);
        expect(letters(layOut(group(content), width))).toBe(letters(wide));
        expect(wide).not.toContain("\n");
        expect(wide.length).toBeLessThanOrEqual(flatWidth(content, 10_000));
      }),
    );
  });
});
