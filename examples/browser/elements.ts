/**
 * The parts of the page by their ids, and what goes wrong shown in it.
 */
import { DiagnosticError } from "../../src/runtime/gpu/browser.ts";

export function part<T extends HTMLElement>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no #${id}`);
  return found;
}

export function showProblem(error: unknown): void {
  part("problem", HTMLDivElement).textContent =
    error instanceof DiagnosticError
      ? error.diagnostics
          .map(({ message, notes, hint }) => [message, ...notes, hint].filter((line) => line).join("\n"))
          .join("\n\n")
      : describe(error);
  part("failure", HTMLElement).hidden = false;
}

export function hideProblem(): void {
  part("failure", HTMLElement).hidden = true;
}

/** What a browser says in few words, in more. */
function describe(error: unknown): string {
  if (error instanceof DOMException && error.name === "NotAllowedError")
    return "The browser does not let this page hear the microphone.";
  if (error instanceof DOMException && error.name === "NotFoundError") return "There is no microphone.";
  if (error instanceof DOMException && error.name === "EncodingError")
    return "The browser can't read this file as sound.";
  return error instanceof Error ? error.message : String(error);
}
