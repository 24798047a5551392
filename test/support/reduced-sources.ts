/**
 * Programs that use the library's models at a size that can be run in a moment.
 *
 * Owns: writing the settings of reduced-models.ts as text, each name imported from where it is declared.
 */
import { parse } from "../../src/lang/parse.ts";
import { SourceFile } from "../../src/lang/source.ts";
import { library } from "./check-text.ts";
import { type ReducedModel, reducedModels } from "./reduced-models.ts";

const declaredIn = new Map(
  library.flatMap(({ path, text }) =>
    parse(new SourceFile(path, text)).unit.declarations.map(({ name }) => [name.name, path] as const),
  ),
);

function sourceOf({ model, settings }: ReducedModel): string {
  const given = Object.entries(settings).map(([name, value]) => `${name}: ${quoted(String(value))}`);
  const text = `model Case = ${model}(\n${given.map((setting) => `  ${setting},\n`).join("")})\n`;
  const names = new Set(text.match(/\b[A-Z]\w*\b/g) ?? []);
  const imports = [...names].flatMap((name) => {
    const path = declaredIn.get(name);
    return path === undefined ? [] : [`import { ${name} } from "${path.replace("models/", "ossicle/")}"\n`];
  });
  return `${imports.join("")}\n${text}`;
}

/** On a command line, a string needs no quotes. */
function quoted(value: string): string {
  return /^[a-z]+$/.test(value) && value !== "true" && value !== "false" ? `"${value}"` : value;
}

export const reducedSources: readonly string[] = reducedModels.map(sourceOf);
