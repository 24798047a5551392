/**
 * What is trained, as a user says it: `all`, `adapters`, `default`, or patterns of paths.
 *
 * Owns: reading that, and refusing a pattern that no learned tensor fits.
 */
import { fitsPath } from "../../lang/plans.ts";
import { suggest } from "../../lang/suggest.ts";
import { costFailure } from "./bindings.ts";
import type { ParameterCost } from "./count.ts";
import { allParameters, type ModelCost } from "./model-cost.ts";
import { isAdapter, trainedByDefault } from "./training.ts";

/**
 * Patterns are separated by commas; `*` stands for anything, and a pattern also takes what lies below
 * it: `connector, decoder.layers.*.mixer.norm`. A `!` before a pattern freezes instead.
 * @throws DiagnosticError `unknown-parameter`
 */
export function selectTrained(
  text: string,
  { entries, frozen }: Pick<ModelCost, "entries" | "frozen">,
): (parameter: ParameterCost) => boolean {
  const parameters = allParameters(entries);
  const words = text
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "");
  const rules = (words.length === 0 ? ["default"] : words).map((word) => ruleFor(word, parameters, frozen));
  const onlyFreezes = rules.every((rule) => !rule.trains);
  return (parameter) => {
    let trained = onlyFreezes;
    for (const rule of rules) if (rule.fits(parameter)) trained = rule.trains;
    return trained;
  };
}

interface Rule {
  readonly trains: boolean;
  readonly fits: (parameter: ParameterCost) => boolean;
}

function ruleFor(word: string, parameters: readonly ParameterCost[], frozen: ModelCost["frozen"]): Rule {
  const trains = !word.startsWith("!");
  const name = trains ? word : word.slice(1);
  if (name === "all") return { trains, fits: () => true };
  if (name === "default") return { trains, fits: trainedByDefault(parameters, frozen) };
  const fits =
    name === "adapters" ? isAdapter : ({ parameter }: ParameterCost) => fitsPath(parameter.path, name);
  if (parameters.some(fits)) return { trains, fits };
  const starts = [...new Set(parameters.map(({ parameter }) => parameter.path.split(".")[0] ?? ""))];
  const close = suggest(
    name,
    parameters.map(({ parameter }) => parameter.path),
  );
  const paths = `learned tensors start with: ${starts.join(", ")}; all, adapters and default are understood too`;
  throw costFailure(
    "unknown-parameter",
    name === "adapters" ? "There are no adapters here." : `No learned tensor fits \`${name}\`.`,
    close.length > 0 ? `did you mean ${close.join(" or ")}? ${paths}` : paths,
  );
}
