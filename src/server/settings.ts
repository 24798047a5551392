/**
 * What the editor's user has set.
 *
 * Owns: reading `ossicle.set`, values for parameters of models, out of whatever the editor sends.
 */
import type { Settings } from "./analysis.ts";

/** `{ "keep": "0.7", "depth": 6 }`: what is no text, number or truth value is left out. */
export function readSettings(set: unknown): Settings {
  const found = new Map<string, string>();
  if (typeof set !== "object" || set === null || Array.isArray(set)) return found;
  for (const [name, value] of Object.entries(set)) {
    if (typeof value === "string" && value.trim() !== "") found.set(name, value);
    else if (typeof value === "number" || typeof value === "boolean") found.set(name, String(value));
  }
  return found;
}

/** The section `ossicle` of whatever was sent: alone, or among others. */
export function sectionOf(sent: unknown): unknown {
  if (typeof sent !== "object" || sent === null) return undefined;
  const section = "ossicle" in sent ? sent.ossicle : sent;
  return typeof section === "object" && section !== null && "set" in section ? section.set : undefined;
}
