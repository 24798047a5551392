/**
 * `ossicle cost`: what a model costs, before anything is run.
 */
import { type Command, Option } from "commander";
import { measureBudget } from "../compiler/cost/budget.ts";
import type { Target } from "../compiler/cost/device-work.ts";
import { costPage } from "../compiler/cost/page.ts";
import { reportCost } from "../compiler/cost/report.ts";
import { reportToCsv, reportToJson } from "../compiler/cost/report-json.ts";
import { reportLines } from "../compiler/cost/report-text.ts";
import { type Grouping, groupings } from "../compiler/cost/tree.ts";
import { DiagnosticSink } from "../lang/diagnostic.ts";
import { compareTraining } from "./compare-training.ts";
import {
  type CountOptions,
  countModel,
  givenBy,
  openOption,
  openProfile,
  settingsOf,
  targetOption,
  withCountOptions,
} from "./cost-options.ts";
import { positiveInteger, useColor } from "./options.ts";
import { Output } from "./output.ts";
import { writeWhole } from "./output-files.ts";
import type { Run } from "./run-state.ts";

interface CostOptions extends CountOptions {
  readonly by: Grouping;
  readonly depth?: number;
  readonly tokens?: number;
  readonly train?: string | true;
  readonly device?: string;
  readonly target?: Target;
  readonly csv?: boolean;
  readonly html?: string;
}

/** Rows of a terminal: more are for JSON and for the page. */
const defaultDepth = 3;

export function addCost(program: Command, run: Run): void {
  withCountOptions(program.command("cost"))
    .summary("count what a model costs: MACs, parameters, memory")
    .description(
      "Counts multiply-accumulates, scalar operations, parameters, traffic and memory of every entry, from the text alone. What is open stays in the counts as a formula.",
    )
    .argument("<file>", "an .oss file, or ossicle/… for one of the library")
    .addOption(openOption())
    .option("--tokens <number>", "also add up one clip: so many tokens after the prompt", positiveInteger)
    .addOption(new Option("--by <heading>", "what the rows stand for").choices(groupings).default("path"))
    .option("--depth <levels>", "levels of the tree", positiveInteger)
    .option(
      "--train [what]",
      "also count a step of training: all, adapters, or patterns of paths such as 'connector,!encoder'; compare holds the usual ways against each other, with --set rank=8,256 at several ranks",
    )
    .option("--device <file>", "also estimate the time, on a device that `ossicle calibrate` measured")
    .addOption(targetOption())
    .option("--csv", "print the rows as CSV")
    .option("--html <file>", "also write a page with a picture and the formulas")
    .action(async (file: string, options: CostOptions) => {
      run.status = await cost(file, options);
    });
}

async function cost(file: string, options: CostOptions): Promise<number> {
  const output = new Output("cost", { json: options.json === true, color: useColor(options) });
  if (options.train === "compare") return compareTraining(file, options, output);
  const model = countModel(file, options, output);
  const profile = options.device === undefined ? undefined : await openProfile(options.device);
  const problems = new DiagnosticSink();
  const budget = options.entry === undefined ? measureBudget(model, problems) : [];
  output.diagnostics(problems.sorted());
  const forPeople = options.json !== true && options.csv !== true;
  const report = reportCost(model, {
    given: givenBy(options),
    settings: settingsOf(options),
    convention: options.convention,
    by: options.by,
    depth: options.depth ?? (forPeople ? defaultDepth : undefined),
    tokens: options.tokens,
    train: options.train === true ? "default" : options.train,
    profile,
    target: options.target,
    budget,
  });
  if (options.html !== undefined) {
    const full = reportCost(model, {
      given: givenBy(options),
      settings: settingsOf(options),
      convention: options.convention,
      by: "path",
      tokens: options.tokens,
      target: options.target,
      budget,
    });
    const page = costPage(full);
    await writeWhole(options.html, (sink) => sink.write(new TextEncoder().encode(page)));
  }
  output.set("cost", reportToJson(report));
  if (options.csv === true) output.line(reportToCsv(report).trimEnd());
  else for (const line of reportLines(report)) output.line(line);
  return output.finish();
}
