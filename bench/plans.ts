/**
 * How long full-size kernel plans take to compile, without weights: from a program that is read to the plan.
 *
 * Owns: which models. A plan is compiled in a process that has compiled before, as an editor, a sweep or a page's
 * server does; the first is what a command takes besides starting Node.
 */
import { openProgram } from "../src/cli/program.ts";
import { elaborate } from "../src/compiler/elaborate.ts";
import { optimize } from "../src/compiler/pipeline.ts";
import { compilePlan } from "../src/compiler/wgsl/compile.ts";
import { DiagnosticError, DiagnosticSink } from "../src/lang/diagnostic.ts";
import { printSpread, type Spread, spread } from "./measure.ts";

interface PlanChoice {
  readonly name: string;
  readonly file: string;
  readonly entries: readonly string[];
  readonly settings: Readonly<Record<string, string>>;
}

const decoder = (size: string): PlanChoice => ({
  name: `Mamba-2 ${size}, prefill and step`,
  file: "models/decoders/mamba2-lm.oss",
  entries: ["prefill", "step"],
  settings: { size },
});

const classifier = (name: string, file: string): PlanChoice => ({
  name: `${name}, forward`,
  file: `models/classifiers/${file}.oss`,
  entries: ["forward"],
  settings: {},
});

const choices: readonly PlanChoice[] = [
  classifier("AST 10-10", "ast"),
  classifier("AudioMAE", "audiomae"),
  classifier("EAT", "eat"),
  ...["130m", "370m", "780m", "1.3b", "2.7b"].map(decoder),
];

export interface PlanTime {
  readonly name: string;
  readonly dispatches: number;
  /** Seconds: the first time in this process, and those after it. */
  readonly first: number;
  readonly seconds: Spread;
  /** Of the processor, the least of the rounds. */
  readonly processor: number;
}

export function measurePlans(rounds: number): PlanTime[] {
  return choices.map((choice) => {
    const clock: number[] = [];
    const processor: number[] = [];
    let first = 0;
    let dispatches = 0;
    for (let round = 0; round <= rounds; round++) {
      const started = performance.now();
      const used = process.cpuUsage();
      dispatches = compileOnce(choice);
      const { user, system } = process.cpuUsage(used);
      const seconds = (performance.now() - started) / 1000;
      if (round === 0) first = seconds;
      else clock.push(seconds);
      processor.push((user + system) / 1e6);
    }
    return {
      name: choice.name,
      dispatches,
      first,
      seconds: spread(clock),
      processor: Math.min(...processor),
    };
  });
}

function compileOnce({ file, entries, settings }: PlanChoice): number {
  const sink = new DiagnosticSink();
  const program = openProgram(file, { color: false, set: new Map() }, sink);
  const graphs = entries.map((entry) => {
    const elaboration = elaborate(program, { entry, settings: new Map(Object.entries(settings)) }, sink);
    if (elaboration === undefined) throw new DiagnosticError(sink.sorted());
    return optimize(elaboration.graph);
  });
  return compilePlan(graphs).plan.entries.reduce((sum, { dispatches }) => sum + dispatches.length, 0);
}

export function printPlans(times: readonly PlanTime[]): string {
  return [
    "Kernel plans, from the text and without weights (aim 2 s)",
    ...times.map(
      ({ name, dispatches, first, seconds, processor }) =>
        `  ${name}: ${printSpread(seconds, 2)} s, ${processor.toFixed(2)} s of the processor at best, the first ${first.toFixed(2)} s; ${dispatches} dispatches`,
    ),
  ].join("\n");
}
