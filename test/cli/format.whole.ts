import { describe, expect, test } from "vitest";
import { finished, startBinary } from "../support/cli.ts";

async function formatInput(text: string | Uint8Array, ...options: readonly string[]) {
  const child = startBinary(["fmt", "-", ...options], { input: true });
  child.stdin?.end(text);
  return await finished(child);
}

describe("standard input", () => {
  test("comes back formatted", async () => {
    const { status, stdout } = await formatInput("let a=1 // one");
    expect({ status, stdout }).toEqual({ status: 0, stdout: "let a = 1 // one\n" });
  });

  test("with mistakes comes back not at all", async () => {
    const { status, stdout, stderr } = await formatInput("let a=");
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toContain("<stdin>:1");
  });

  test("is compared only, with --check", async () => {
    expect(await formatInput("let a=1", "--check")).toMatchObject({ status: 1, stdout: "" });
    expect(await formatInput("let a = 1\n", "--check")).toMatchObject({ status: 0, stdout: "" });
  });

  test("that is no text", async () => {
    const { status, stderr } = await formatInput(Uint8Array.of(0xff));
    expect(status).toBe(1);
    expect(stderr).toContain("not text in UTF-8");
  });
});
