/**
 * Text as it is while someone types: nothing that the server answers with may fail on it.
 */
import { describe, expect, test } from "vitest";
import { catalog } from "../../src/compiler/ops/index.ts";
import { codeActions } from "../../src/server/actions.ts";
import { completionsAt } from "../../src/server/completion.ts";
import { hoverAt } from "../../src/server/hover.ts";
import { inlayHints } from "../../src/server/inlay-hints.ts";
import { Meanings } from "../../src/server/meanings.ts";
import { positionOf } from "../../src/server/places.ts";
import { namesOf } from "../../src/server/readings.ts";
import { definitions, pointedAt, references } from "../../src/server/references.ts";
import { rename } from "../../src/server/rename.ts";
import { signatureHelpAt } from "../../src/server/signature-help.ts";
import { documentSymbols, foldingRanges } from "../../src/server/symbols.ts";
import { Workspace } from "../../src/server/workspace.ts";
import { randomNumbers } from "../support/samples.ts";
import { libraryText } from "./library.ts";
import { MemoryHost } from "./memory-host.ts";

const path = "/project/main.oss";
const uri = `file://${path}`;

/** Everything that an editor asks for, at one place. */
function askAll(
  workspace: Workspace,
  meanings: Meanings,
  text: string,
  offset: number,
  version: number,
): number {
  const document = workspace.edit(uri, version, text);
  workspace.refresh(document);
  document.analysis.work(() => document.analysis.isEditChecked);
  const { file } = document;
  const position = positionOf(file, offset);
  const completions = completionsAt(document, position, workspace, meanings, { snippets: true });
  hoverAt(document, offset, workspace, meanings);
  signatureHelpAt(document, offset, workspace, meanings);
  inlayHints(document, 0, text.length, workspace);
  documentSymbols(file);
  foldingRanges(file);
  codeActions(document, offset, offset, workspace);
  const pointed = pointedAt(namesOf(file), offset, workspace, meanings);
  if (pointed !== undefined) {
    definitions(pointed, workspace, meanings);
    references(pointed.target, workspace, meanings);
    rename(pointed, "anything", workspace, meanings);
  }
  document.analysis.diagnostics();
  return completions.length;
}

describe("half-typed text", () => {
  const sources = ["decoders/mamba2.oss", "policies/topk.oss", "adapters/lora.oss", "encoders/audiomae.oss"];
  test.each(sources)("%s, cut off anywhere", { timeout: 120_000 }, (name) => {
    const whole = libraryText(name).replaceAll('"../', '"ossicle/');
    const workspace = new Workspace(new MemoryHost(), catalog);
    const meanings = new Meanings(workspace);
    const random = randomNumbers(name.length);
    let offered = 0;
    for (let i = 0; i < 12; i++) {
      const offset = Math.floor(random() * whole.length);
      offered += askAll(workspace, meanings, whole.slice(0, offset), offset, i);
    }
    expect(offered).toBeGreaterThan(50);
  });

  test.each(sources)("%s, with something in its middle", { timeout: 120_000 }, (name) => {
    const whole = libraryText(name).replaceAll('"../', '"ossicle/');
    const workspace = new Workspace(new MemoryHost(), catalog);
    const meanings = new Meanings(workspace);
    const random = randomNumbers(name.length + 1);
    const pieces = [
      ".",
      "(",
      "x.",
      "let ",
      "f(a, ",
      '"',
      "[",
      "{",
      "}",
      "for ",
      "|> ",
      "site ",
      "on ",
      ": ",
      "😀",
    ];
    let offered = 0;
    for (let i = 0; i < 15; i++) {
      const at = Math.floor(random() * whole.length);
      const piece = pieces[i % pieces.length] ?? "";
      const text = whole.slice(0, at) + piece + whole.slice(at + (i % 3));
      offered += askAll(workspace, meanings, text, at + piece.length, i);
    }
    expect(offered).toBeGreaterThan(50);
  });
});
