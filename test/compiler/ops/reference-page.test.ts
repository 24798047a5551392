import { describe, expect, test } from "vitest";
import { catalog, ops } from "../../../src/compiler/ops/index.ts";
import { referencePage } from "../../../src/compiler/ops/reference-page.ts";

describe("docs/ops.md", () => {
  test("says what the records say (npm run docs writes it)", async () => {
    await expect(referencePage(ops)).toMatchFileSnapshot("../../../docs/ops.md");
  });

  test("has a section and a row for every op, in the order of the list", () => {
    const page = referencePage(ops);
    expect([...page.matchAll(/^## (.+)$/gm)].map((match) => match[1])).toEqual(catalog.names());
    expect([...page.matchAll(/^\| \[(.+?)\]/gm)].map((match) => match[1])).toEqual(catalog.names());
  });

  test("counts on the dimensions of the signature", () => {
    const section = referencePage(ops)
      .split("\n## ")
      .find((text) => text.startsWith("matmul\n"));
    expect(section).toContain("- MACs: `b*k*m*n`");
    expect(section).toContain("- ONNX: MatMul");
  });

  test("gives the reason where an op has no ONNX form", () => {
    const [first] = ops;
    if (first === undefined) throw new Error("there are no ops");
    const page = referencePage([{ ...first, onnx: { unsupported: "it is only an example" } }]);
    expect(page).toContain("- ONNX: none: it is only an example");
  });
});
