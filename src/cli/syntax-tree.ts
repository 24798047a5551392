/**
 * A syntax tree as JSON: nodes as they are, spans as offsets.
 */
import type { SourceUnit } from "../lang/ast.ts";

export function syntaxTreeToJson(unit: SourceUnit): unknown {
  return toJson({ imports: unit.imports, declarations: unit.declarations });
}

function toJson(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return Object.fromEntries(
    fields.map(([name, field]) => [name, isSpan(name) ? spanToJson(field) : toJson(field)]),
  );
}

function isSpan(name: string): boolean {
  return name === "span" || name.endsWith("Span");
}

function spanToJson(value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("start" in value) || !("end" in value)) return null;
  return [value.start, value.end];
}
