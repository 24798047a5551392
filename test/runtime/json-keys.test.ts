import { expect, test } from "vitest";
import { findRepeatedKey } from "../../src/runtime/json-keys.ts";

test.each([
  ['{"a":1,"b":{"a":2},"c":[{"a":3},{"a":4}]}', undefined],
  ['{"a":1, "b":2, "a" : 3}', "a"],
  ['{"x":{"k":1,"k":2}}', "k"],
  ['[{"a":[1,{"a":1,"a":2}]}]', "a"],
  ['{"\\u0061":1,"a":2}', "a"],
  ['{"a\\"":1,"a\\\\":2,"b":"a"}', undefined],
  ['{"a":"a","b":["a","a"]}', undefined],
  ['"text"', undefined],
])("%s", (text, expected) => {
  JSON.parse(text);
  expect(findRepeatedKey(text)).toBe(expected);
});
