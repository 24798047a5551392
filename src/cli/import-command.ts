/**
 * `ossicle import`: a folder of Hugging Face as a program.
 *
 * Owns: reading its `config.json` and writing the variant of the library's model that it describes. The names of
 * the learned tensors are those of the family's checkpoints; where two are in use, the library's model renames.
 */
import { basename, join, resolve } from "node:path";
import type { Command } from "commander";
import { format } from "../lang/format.ts";
import { SourceFile } from "../lang/source.ts";
import { type ImportedModel, importConfig } from "../runtime/checkpoint/families.ts";
import { parseRelaxedJson } from "../runtime/checkpoint/relaxed-json.ts";
import { describeError, failure } from "../runtime/failure.ts";
import { readFileText } from "./files.ts";
import { type CommonOptions, useColor, withCommonOptions } from "./options.ts";
import { Output } from "./output.ts";
import { requireWritable, writeWhole } from "./output-files.ts";
import type { Run } from "./run-state.ts";

interface ImportOptions extends CommonOptions {
  readonly out?: string;
  readonly name?: string;
}

export function addImport(program: Command, run: Run): void {
  withCommonOptions(program.command("import"))
    .summary("write a Hugging Face folder as a program")
    .description("Reads config.json of Mamba-2, AST or EAT and writes the variant of the library's model.")
    .argument("<folder>", "a folder with config.json")
    .option("-o, --out <file>", "the .oss file to write; standard output by default")
    .option("-n, --name <name>", "what to call the model; the folder's name by default")
    .action(async (folder: string, options: ImportOptions) => {
      run.status = await importFolder(folder, options);
    });
}

async function importFolder(folder: string, options: ImportOptions): Promise<number> {
  const output = new Output("import", { json: options.json === true, color: useColor(options) });
  const path = join(folder, "config.json");
  const imported = importConfig(await readConfig(path), path);
  const name = options.name ?? modelName(basename(resolve(folder)));
  if (!/^[A-Z][A-Za-z0-9_]*$/.test(name)) {
    throw failure("import-name", `${JSON.stringify(name)} can't be the name of a model.`, {
      hint: "a name begins with a capital, and has letters and digits: --name Tagger",
    });
  }
  const text = programText(imported, name);
  if (options.out === undefined) output.line(text.trimEnd());
  else {
    const { out } = options;
    await requireWritable(out);
    await writeWhole(out, (sink) => sink.write(new TextEncoder().encode(text)));
    output.line(`${imported.family} written to ${out} as ${name}`);
    output.set("written", out);
  }
  output.set("family", imported.family);
  output.set("model", name);
  output.set("text", text);
  return output.finish();
}

async function readConfig(path: string): Promise<Readonly<Record<string, unknown>>> {
  const text = await readFileText(path);
  try {
    const value = parseRelaxedJson(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  } catch (error) {
    throw failure("import-config", `${path} is not JSON.`, { notes: [describeError(error)] });
  }
  throw failure("import-config", `${path} is no JSON object.`);
}

/** `mamba2-130m-hf` → `Mamba2130mHf` */
function modelName(folder: string): string {
  const words = folder.split(/[^A-Za-z0-9]+/).filter((word) => word !== "");
  const joined = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
  return /^[A-Z]/.test(joined) ? joined : `Model${joined}`;
}

function programText({ family, imports, model }: ImportedModel, name: string): string {
  const lines = imports.map((one) => `import { ${one.name} } from "${one.from}"`);
  const text = `// ${family}, as its config.json describes it.\n\n${lines.join("\n")}\n\nmodel ${name}() = ${model}\n`;
  return format(new SourceFile(`${name}.oss`, text)).text ?? text;
}
