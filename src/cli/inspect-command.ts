/**
 * `ossicle inspect`: any stage of the compiler as text.
 */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Graph } from "../compiler/graph.ts";
import { printGraph } from "../compiler/graph-text.ts";
import { compileOnnx } from "../compiler/onnx/compile.ts";
import { printOnnxModel } from "../compiler/onnx/print.ts";
import { standardPasses } from "../compiler/passes/index.ts";
import { withStorage } from "../compiler/storage.ts";
import { parse } from "../lang/parse.ts";
import { failure } from "../runtime/failure.ts";
import { atOption, secondsOption } from "./cost-options.ts";
import { type InspectPlanOptions, inspectPlan } from "./inspect-plan.ts";
import { openSourceTree } from "./modules.ts";
import { type ModelOptions, storageOption, useColor, withModelOptions } from "./options.ts";
import { Output } from "./output.ts";
import { compileEntry } from "./program.ts";
import type { Run } from "./run-state.ts";
import { type StorageOptions, storageChoice } from "./storage.ts";
import { syntaxTreeToJson } from "./syntax-tree.ts";
import { openWeights } from "./weights.ts";

const stages: readonly string[] = [
  "ast",
  "elaborate",
  ...standardPasses.map((pass) => pass.name),
  "optimized",
  "onnx",
  "plan",
];

interface InspectOptions extends ModelOptions, InspectPlanOptions, StorageOptions {
  readonly entry?: string;
  readonly stage: string;
  readonly tap: readonly string[];
}

export function addInspect(program: Command, run: Run): void {
  withModelOptions(program.command("inspect"))
    .summary("print a stage of the compiler: syntax tree, graph, ONNX, kernel plan")
    .description("Prints an entry as it is after a stage of the compiler.")
    .argument("<file>", "an .oss file, or ossicle/… for one of the library")
    .option("-e, --entry <name>", "the entry; the first of the model by default")
    .addOption(
      new Option("--stage <name>", "the stage to print").choices([...new Set(stages)]).default("optimized"),
    )
    .option(
      "--tap <path>",
      "also give out the value at this path (repeatable)",
      (text: string, all: string[]) => [...all, text],
      [],
    )
    .option("--wgsl", "with --stage plan: also print the text of every kernel")
    .option(
      "--kernel <number>",
      "with --stage plan: print this kernel and its text alone (repeatable)",
      collectIndices,
      [],
    )
    .addOption(storageOption())
    .addOption(atOption())
    .addOption(secondsOption())
    .action(async (file: string, options: InspectOptions) => {
      run.status = await inspect(file, options);
    });
}

async function inspect(file: string, options: InspectOptions): Promise<number> {
  const output = new Output("inspect", { json: options.json === true, color: useColor(options) });
  requirePlanStage(options);
  output.set("stage", options.stage);
  if (options.stage === "ast") {
    const { root } = openSourceTree(file, options.root);
    const { unit, diagnostics } = parse(root);
    output.diagnostics(diagnostics);
    const tree = syntaxTreeToJson(unit);
    output.set("ast", tree);
    output.line(JSON.stringify(tree, null, 2));
    return output.finish();
  }
  let found: Graph | undefined;
  const elaboration = compileEntry(file, options, { entry: options.entry, taps: options.tap }, output, {
    verify: true,
    onStage: (name, graph) => {
      if (name === options.stage) found = graph;
    },
  });
  const graph = found ?? elaboration.graph;
  const stored = withStorage(graph, storageChoice(options, elaboration));
  if (options.stage === "plan") {
    inspectPlan(stored, elaboration.entry.model, options, output);
  } else if (options.stage === "onnx") {
    const weights = await openWeights("random:0", [graph], elaboration, output);
    const [model] = compileOnnx([stored], weights.source).models;
    if (model === undefined) throw failure("internal-error", "The compiler made no ONNX model.");
    const text = printOnnxModel(model.model);
    output.set("text", text);
    output.line(text.trimEnd());
  } else {
    const text = printGraph(graph);
    output.set("text", text);
    output.line(text.trimEnd());
  }
  return output.finish();
}

function collectIndices(text: string, earlier: readonly number[]): number[] {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError("a kernel is a number: they count from 0");
  return [...earlier, Number(text)];
}

/** Options of one stage say nothing of the others. */
function requirePlanStage({ stage, wgsl, kernel, at, seconds }: InspectOptions): void {
  if (stage === "plan") return;
  const given = [
    ...(wgsl === true ? ["--wgsl"] : []),
    ...(kernel.length > 0 ? ["--kernel"] : []),
    ...(at.size > 0 ? ["--at"] : []),
    ...(seconds === undefined ? [] : ["--seconds"]),
  ];
  if (given.length === 0) return;
  throw failure("wrong-usage", `${given.join(" and ")} belong to the kernel plan, not to --stage ${stage}.`, {
    hint: "write --stage plan",
  });
}
