/**
 * `ossicle check`: whether a file means something, and what.
 */
import { type Command, InvalidArgumentError, Option } from "commander";
import { checkBudgets } from "../compiler/cost/budget.ts";
import type { BudgetRequest } from "../compiler/cost/limit.ts";
import { catalog } from "../compiler/ops/index.ts";
import { type CheckedEntry, checkProgram } from "../lang/check.ts";
import { isDiagnosticCode, isWarningCode, warningNames } from "../lang/codes.ts";
import { DiagnosticSink } from "../lang/diagnostic.ts";
import { modelNames } from "../lang/model.ts";
import type { Program } from "../lang/program.ts";
import { printType } from "../lang/types.ts";
import { failure } from "../runtime/failure.ts";
import { atOption, secondsOption } from "./cost-options.ts";
import type { ProfiledDevice } from "./device-profile.ts";
import { collect, type ModelOptions, storageOption, useColor, withModelOptions } from "./options.ts";
import { Output } from "./output.ts";
import type { GivenSizes } from "./plan-sizes.ts";
import { openProgram } from "./program.ts";
import type { Run } from "./run-state.ts";
import type { StorageOptions } from "./storage.ts";

export function addCheck(program: Command, run: Run): void {
  withModelOptions(program.command("check"))
    .summary("check a file and show what its models take and give")
    .description(
      "Checks every model, entry and block of a file without running anything. Sizes that are only known when inputs are bound are listed as guards.",
    )
    .argument("<file>", "an .oss file, or ossicle/… for one of the library")
    .option("--allow <code>", "a warning to leave out (repeatable)", collectWarnings, [])
    .addOption(
      new Option(
        "-t, --target <target>",
        "also compile the entries for this target, without weights, and hold them to a device",
      ).choices(["webgpu"]),
    )
    .option(
      "--device <device>",
      "what the device allows: `default` for what every device does, or a profile that `ossicle device` wrote; with --target",
    )
    .option(
      "-e, --entry <name>",
      "with --target: an entry (repeatable); all of the model by default",
      collect,
      [],
    )
    .addOption(storageOption())
    .addOption(atOption())
    .addOption(secondsOption())
    .action(async (file: string, options: CheckOptions) => {
      run.status = await check(file, options);
    });
}

interface CheckOptions extends ModelOptions, GivenSizes, StorageOptions {
  readonly target?: "webgpu";
  readonly device?: string;
  readonly entry: readonly string[];
  readonly allow: readonly string[];
}

function collectWarnings(code: string, earlier: readonly string[]): string[] {
  if (isWarningCode(code)) return [...earlier, code];
  if (isDiagnosticCode(code)) throw new InvalidArgumentError("this is an error, and can't be allowed");
  throw new InvalidArgumentError(`the warnings are ${warningNames.join(", ")}`);
}

async function check(file: string, options: CheckOptions): Promise<number> {
  const output = new Output("check", { json: options.json === true, color: useColor(options) });
  requireTarget(options);
  const device = options.target === undefined ? undefined : await openDevice(options);
  const sink = new DiagnosticSink();
  const opened = openProgram(file, options, sink);
  const request = { model: options.model, settings: options.set };
  const checked = checkProgram(opened, catalog, sink, request);
  if (!sink.hasErrors) checkBudgets(opened, budgetRequests(opened, checked.entries, request), sink);
  output.diagnostics(sink.sorted().filter(({ code }) => !options.allow.includes(code)));
  const entries = checked.entries.filter(
    (entry) => options.model === undefined || entry.model === options.model,
  );
  output.set("entries", entries.map(entryToJson));
  const unset = modelsWithoutValues(opened, entries).filter(
    ({ model }) => options.model === undefined || options.model === model,
  );
  output.set("unset", unset);
  if (!sink.hasErrors) {
    printEntries(entries, output);
    for (const { model, parameters } of unset) {
      output.line(
        `${model}: no mistakes found; it has entries once values are set for ${parameters.join(", ")}`,
      );
    }
    if (modelNames(opened).length === 0) output.line(`${file}: no mistakes found; it declares no model.`);
  }
  if (device !== undefined && !sink.hasErrors) {
    const { checkDevice } = await import("./check-device.ts");
    const model = options.model ?? entries[0]?.model;
    const names = entries.flatMap((entry) => (entry.model === model ? [entry.entry] : []));
    checkDevice(
      opened,
      {
        device,
        model,
        settings: options.set,
        entries: options.entry.length > 0 ? options.entry : names,
        at: options.at,
        ...(options.seconds !== undefined && { seconds: options.seconds }),
        ...(options.weightsDtype !== undefined && { weightsDtype: options.weightsDtype }),
      },
      output,
    );
  }
  return output.finish();
}

/** Loaded only where it is wanted: `check` should be quick. */
async function openDevice({ device = "default" }: CheckOptions): Promise<ProfiledDevice> {
  const { openDeviceProfile } = await import("./device-profile.ts");
  return await openDeviceProfile(device);
}

/** Options that say how a target is checked, without a target. */
function requireTarget({ target, device, entry, at, seconds }: CheckOptions): void {
  if (target !== undefined) return;
  const given = [
    ...(device === undefined ? [] : ["--device"]),
    ...(entry.length > 0 ? ["--entry"] : []),
    ...(at.size > 0 ? ["--at"] : []),
    ...(seconds === undefined ? [] : ["--seconds"]),
  ];
  if (given.length === 0) return;
  throw failure("wrong-usage", `${given.join(" and ")} say how a target is checked, and there is none.`, {
    hint: "add --target webgpu",
  });
}

/** Of every model that was checked; what is set is set for the chosen one. */
function budgetRequests(
  program: Program,
  entries: readonly CheckedEntry[],
  request: BudgetRequest,
): BudgetRequest[] {
  const chosen = request.model ?? modelNames(program)[0];
  return [...new Set(entries.map((entry) => entry.model))].map((model) => ({
    model,
    settings: model === chosen ? request.settings : new Map(),
  }));
}

/** Models that were checked with some of their parameters open: they have no sizes to show. */
function modelsWithoutValues(
  program: Program,
  entries: readonly CheckedEntry[],
): { readonly model: string; readonly parameters: readonly string[] }[] {
  return program.root.unit.declarations.flatMap((declaration) => {
    if (declaration.kind !== "block" || declaration.blockKind !== "model") return [];
    const model = declaration.name.name;
    const parameters = declaration.parameters.filter((parameter) => parameter.initial === undefined);
    if (parameters.length === 0 || entries.some((entry) => entry.model === model)) return [];
    return [{ model, parameters: parameters.map((parameter) => parameter.name.name) }];
  });
}

function printEntries(entries: readonly CheckedEntry[], output: Output): void {
  let model = "";
  for (const entry of entries) {
    if (entry.model !== model) {
      model = entry.model;
      output.line(model);
    }
    const inputs = entry.inputs.map((input) => `${input.name}: ${printType(input.type)}`).join(", ");
    const outputs = entry.outputs.map(({ name, value }) => `${name}: ${printType(value.type)}`).join(", ");
    output.line(`  ${entry.entry}(${inputs}) -> ${outputs}`);
    if (entry.parameterCount > 0) {
      output.line(`    ${entry.elementCount} parameters in ${entry.parameterCount} tensors`);
    }
    for (const { requirement } of entry.guards) {
      const relation = { equal: "==", "at-most": "<=", divides: "divides" }[requirement.kind];
      output.line(
        `    when run: ${requirement.left} ${relation} ${requirement.right} (${requirement.reason})`,
      );
    }
  }
}

function entryToJson(entry: CheckedEntry): unknown {
  return {
    model: entry.model,
    entry: entry.entry,
    doc: entry.doc,
    symbols: entry.symbols,
    inputs: entry.inputs.map((input) => ({
      name: input.name,
      dtype: input.type.dtype,
      shape: input.type.shape.map(String),
      sampleRate: input.sampleRate ?? null,
    })),
    outputs: entry.outputs.map(({ name, value }) => ({
      name,
      dtype: value.type.dtype,
      shape: value.type.shape.map(String),
    })),
    parameters: { tensors: entry.parameterCount, elements: String(entry.elementCount) },
    guards: entry.guards.map(({ requirement, origin }) => ({
      kind: requirement.kind,
      left: String(requirement.left),
      right: String(requirement.right),
      reason: requirement.reason,
      path: origin.path,
    })),
  };
}
