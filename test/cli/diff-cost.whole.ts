/**
 * `ossicle diff --cost`: two variants counted side by side, against published counts.
 */
import { expect, test } from "vitest";
import { runHere } from "../support/cli.ts";

interface Change {
  readonly entry: string | null;
  readonly figure: string;
  readonly before: { readonly value: number | null; readonly expression: string } | null;
  readonly after: { readonly value: number | null; readonly expression: string } | null;
  readonly same: boolean;
}

const audioMae = ["ossicle/classifiers/audiomae.oss:AudioMaeAudioSet", "--entry", "forward"];

async function changes(...arguments_: readonly string[]): Promise<readonly Change[]> {
  const { stdout, status } = await runHere(["diff", ...arguments_, "--cost", "--json"]);
  expect(status, stdout).toBe(0);
  const { cost }: { cost: readonly Change[] } = JSON.parse(stdout);
  return cost;
}

test("pruning: the published counts, and parameters that stay", async () => {
  const found = await changes(...audioMae, "--set-a", "keep=100%", "--set-b", "keep=70%", "--at", "B=1");
  const of = (figure: string) => found.find((change) => change.figure === figure);
  expect(of("MACs")?.before?.value).toBe(48_523_277_568);
  expect(of("MACs")?.after?.value).toBe(31_186_523_904);
  expect(of("parameters")?.same).toBe(true);
});

test("in words only what differs, with formulas where something is open", async () => {
  const { stdout } = await runHere([
    ...["diff", ...audioMae, "--set-a", "keep=100%", "--set-b", "keep=70%", "--cost"],
  ]);
  expect(stdout).toMatch(/^ {2}forward: MACs +48\.5G·B +31\.2G·B$/m);
  expect(stdout).not.toContain("parameters");
});

test("a percentage where both are numbers", async () => {
  const { stdout } = await runHere([
    ...["diff", ...audioMae, "--set-a", "keep=100%", "--set-b", "keep=70%", "--cost", "--at", "B=1"],
  ]);
  expect(stdout).toMatch(/^ {2}forward: MACs +48\.5 G +31\.2 G +-35\.7 %$/m);
});

test("the same costs the same, and says so", async () => {
  const { stdout, status } = await runHere(["diff", ...audioMae, "--cost", "--exit-code"]);
  expect({ stdout, status }).toEqual({ stdout: "The two cost the same.\n", status: 0 });
});

test("a clip of two sizes of decoder", async () => {
  const found = await changes(
    ...["ossicle/decoders/mamba2-lm.oss", "--set-b", "size=370m"],
    ...["--tokens", "3", "--at", "L=4", "--at", "B=1"],
  );
  const clip = found.find(({ entry }) => entry === "clip");
  const step = found.find(({ entry, figure }) => entry === "step" && figure === "MACs");
  const prefill = found.find(({ entry, figure }) => entry === "prefill" && figure === "MACs");
  expect(step?.before?.value).toBe(138_362_880);
  expect(clip?.before?.value).toBe((prefill?.before?.value ?? 0) + 3 * 138_362_880);
});

test.each([
  ["an unknown size", ["--at", "Q=1"], "unknown-symbol"],
  ["an unknown entry", ["--entry", "nothing"], "no-entry"],
  ["tokens of a classifier", ["--tokens", "3"], "no-generation"],
])("%s is refused", async (_, arguments_, code) => {
  const { stdout, status } = await runHere(["diff", audioMae[0] ?? "", "--cost", ...arguments_, "--json"]);
  expect(status).toBe(1);
  expect(JSON.parse(stdout).diagnostics[0]).toMatchObject({ code });
});
