/**
 * Plans from outside: text that may be anything, to a plan that can be believed.
 *
 * Owns: the form of a plan file. Every index leads somewhere, every kind is one that is known, sizes use
 * the symbols of their entry. What only a device can judge (kernels) is left to it.
 */
import type { KernelPlan, PlanEntry, PlanPlace, PlanSelection, Size } from "../../compiler/plan.ts";
import { describeError, failure } from "../failure.ts";
import { symbolsOf } from "./sizes.ts";

/** @throws DiagnosticError `plan-damaged`, `plan-version` */
export function readPlan(label: string, text: string): KernelPlan {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw failure("plan-damaged", `${label} is not a kernel plan: it is not JSON.`, {
      notes: [describeError(error)],
    });
  }
  checkPlan(label, value);
  return value;
}

function checkPlan(label: string, value: unknown): asserts value is KernelPlan {
  const record = isRecord(value) ? value : {};
  if (record["format"] !== "ossicle-plan") {
    throw failure("plan-damaged", `${label} is not a kernel plan.`, {
      hint: "ossicle compile --target webgpu writes one",
    });
  }
  if (record["version"] !== 1) {
    throw failure("plan-version", `${label} is a kernel plan of version ${String(record["version"])}.`, {
      notes: ["this runtime reads version 1"],
      hint: "compile the model again",
    });
  }
  const problem = plan(value, "the plan");
  if (problem !== undefined) throw failure("plan-damaged", `${label} is damaged: ${problem}.`);
  // Its form was checked just now; what follows reads it as a plan.
  checkIndices(label, value as KernelPlan);
  checkGeneration(label, value as KernelPlan);
}

/** What is wrong with a value at a place, or nothing. */
type Check = (value: unknown, at: string) => string | undefined;

const text: Check = (value, at) => (typeof value === "string" ? undefined : `${at} is no text`);
const count: Check = (value, at) =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? undefined : `${at} is no count`;
const whole: Check = (value, at) =>
  typeof value === "number" && Number.isSafeInteger(value) ? undefined : `${at} is no whole number`;

const oneOf =
  (...words: readonly unknown[]): Check =>
  (value, at) =>
    words.includes(value) ? undefined : `${at} is not ${words.join(" or ")}`;

const optional =
  (check: Check): Check =>
  (value, at) =>
    value === undefined || value === null ? undefined : check(value, at);

const listOf =
  (check: Check, length?: number): Check =>
  (value, at) => {
    if (!Array.isArray(value)) return `${at} is no list`;
    if (length !== undefined && value.length !== length) return `${at} has not ${length} items`;
    for (const [index, item] of value.entries()) {
      const problem = check(item, `${at}[${index}]`);
      if (problem !== undefined) return problem;
    }
    return undefined;
  };

const recordOf =
  (fields: Readonly<Record<string, Check>>): Check =>
  (value, at) => {
    if (!isRecord(value)) return `${at} is no object`;
    for (const [name, check] of Object.entries(fields)) {
      const problem = check(value[name], `${at}.${name}`);
      if (problem !== undefined) return problem;
    }
    return undefined;
  };

/** Deeper than any size that the compiler writes, and far from what a stack can hold. */
const deepest = 200;

const size: Check = (value, at) => sizeProblem(value, at, 0);

function sizeProblem(value: unknown, at: string, depth: number): string | undefined {
  if (typeof value === "string") return undefined;
  if (typeof value === "number") return whole(value, at);
  if (!Array.isArray(value) || value.length !== 3 || depth > deepest) return `${at} is no size`;
  const [operation, left, right]: readonly unknown[] = value;
  if (operation === "ceil" || operation === "floor" || operation === "round") {
    if (typeof left !== "number" || !Number.isFinite(left)) return `${at} is no size`;
    return sizeProblem(right, at, depth + 1);
  }
  if (!["+", "*", "/", "min", "max"].includes(String(operation))) return `${at} is no size`;
  return sizeProblem(left, at, depth + 1) ?? sizeProblem(right, at, depth + 1);
}

const place: Check = (value, at) => {
  const kind = isRecord(value) ? value["kind"] : undefined;
  if (kind === "slot") return recordOf({ slot: count })(value, at);
  if (kind === "weight") return recordOf({ weight: count })(value, at);
  if (kind === "state") return recordOf({ state: text, time: oneOf("past", "present") })(value, at);
  return `${at} is no place`;
};

const port = recordOf({
  name: text,
  dtype: oneOf("f32", "i64", "i32", "bool"),
  shape: listOf(size),
  at: optional(place),
  sampleRate: optional(count),
  state: optional(text),
});

const dispatch = recordOf({
  kernel: count,
  path: text,
  places: listOf(recordOf({ place, range: optional(recordOf({ start: count, bytes: count })) })),
  sizes: listOf(size),
  workgroups: listOf(size, 3),
  only: optional(listOf(text)),
  executed: size,
  declared: size,
  traffic: size,
  variants: optional(
    listOf(
      recordOf({
        kernel: count,
        order: listOf(count),
        sizes: listOf(size),
        workgroups: listOf(size, 3),
        executed: size,
      }),
    ),
  ),
});

const entry = recordOf({
  name: text,
  symbols: listOf(recordOf({ name: text, minimum: whole })),
  inputs: listOf(port),
  outputs: listOf(port),
  guards: listOf(
    recordOf({ relation: oneOf("equal", "at-most", "divides"), left: size, right: size, message: text }),
  ),
  slots: listOf(recordOf({ label: text, bytes: size, above: listOf(count), first: whole, last: whole })),
  dispatches: listOf(dispatch),
});

const tokenPort = recordOf({ name: text, dtype: oneOf("i64", "i32"), rank: count });

const selection = recordOf({
  best: text,
  logSum: text,
  ids: text,
  scores: text,
  count,
  isAll: oneOf(true, false),
});

const generation = recordOf({
  name: text,
  entries: recordOf({
    first: text,
    next: text,
    prompt: optional(tokenPort),
    audio: optional(recordOf({ name: text, sampleRate: count })),
    others: listOf(text),
    token: tokenPort,
    firstScores: text,
    nextScores: text,
    states: listOf(
      recordOf({ name: text, input: text, afterFirst: text, afterNext: text, rowAxis: optional(count) }),
    ),
  }),
  prompt: optional(text),
  stop: listOf(text),
  limit: optional(count),
  tokenizer: optional(text),
  selection: optional(recordOf({ first: selection, next: selection })),
});

const plan = recordOf({
  generation: optional(generation),
  model: text,
  weights: listOf(
    recordOf({
      name: text,
      stored: oneOf("f32", "f16", "i8", "i32"),
      shape: listOf(count),
      bytes: count,
      scales: optional(recordOf({ name: text, shape: listOf(count), start: count })),
      from: listOf(text),
    }),
  ),
  kernels: listOf(
    recordOf({
      label: text,
      code: text,
      workgroup: listOf(count, 3),
      bindings: listOf(oneOf("read", "read-write", "sizes")),
      features: listOf(oneOf("shader-f16", "subgroups")),
      workgroupBytes: count,
    }),
  ),
  entries: listOf(entry),
});

function checkIndices(label: string, { weights, kernels, entries }: KernelPlan): void {
  const damaged = (what: string): Error => failure("plan-damaged", `${label} is damaged: ${what}.`);
  if (new Set(weights.map(({ name }) => name)).size < weights.length)
    throw damaged("a weight is named twice");
  for (const { name, symbols, inputs, outputs, guards, slots, dispatches } of entries) {
    const known = new Set(symbols.map((symbol) => symbol.name));
    const checkSizes = (sizes: readonly Size[]): void => {
      for (const symbol of sizes.flatMap((each) => [...symbolsOf(each)])) {
        if (!known.has(symbol)) throw damaged(`${name} has no dimension ${symbol}`);
      }
    };
    const checkPlace = (found: PlanPlace | undefined): void => {
      const there =
        found === undefined ||
        found === null ||
        (found.kind === "slot"
          ? found.slot < slots.length
          : found.kind !== "weight" || found.weight < weights.length);
      if (!there) throw damaged(`a value of ${name} has no place`);
    };
    for (const each of [...inputs, ...outputs]) {
      checkPlace(each.at);
      checkSizes(each.shape);
    }
    for (const { left, right } of guards) checkSizes([left, right]);
    for (const [index, { bytes, above }] of slots.entries()) {
      checkSizes([bytes]);
      if (above.some((below) => below >= index))
        throw damaged(`slot ${index} of ${name} lies above a later one`);
    }
    for (const each of dispatches) {
      const bound = kernels[each.kernel]?.bindings.filter((kind) => kind !== "sizes").length;
      if (bound === undefined) throw damaged(`${each.path} runs a kernel that there is not`);
      if (bound !== each.places.length)
        throw damaged(`${each.path} binds ${each.places.length} values of ${bound}`);
      for (const binding of each.places) checkPlace(binding.place);
      checkSizes([...each.sizes, ...each.workgroups]);
      for (const { kernel, order, sizes, workgroups, executed } of each.variants ?? []) {
        const wanted = kernels[kernel]?.bindings.filter((kind) => kind !== "sizes").length;
        if (wanted !== order.length || order.some((index) => index >= each.places.length))
          throw damaged(`${each.path} has a variant that binds other values`);
        checkSizes([...sizes, ...workgroups, executed]);
      }
    }
    checkStates(entries, damaged);
  }
}

/** What the plan says of generation is there. */
function checkGeneration(label: string, { generation: found, entries: all }: KernelPlan): void {
  if (found === undefined || found === null) return;
  const { entries, selection: chosen } = found;
  const damaged = (what: string): Error => failure("plan-damaged", `${label} is damaged: ${what}.`);
  const check = (entryName: string, inputs: readonly string[], outputs: readonly string[]): void => {
    const entry = all.find((each) => each.name === entryName);
    if (entry === undefined) throw damaged(`it generates from ${entryName}, which it does not have`);
    for (const [wanted, ports] of [
      [inputs, entry.inputs],
      [outputs, entry.outputs],
    ] as const) {
      const missing = wanted.find((name) => !ports.some((each) => each.name === name));
      if (missing !== undefined)
        throw damaged(`it generates with ${missing}, which ${entryName} does not have`);
    }
  };
  const chosenBy = (from: PlanSelection | undefined): string[] =>
    from === undefined ? [] : [from.best, from.logSum, from.ids, from.scores];
  const given = [entries.prompt?.name, entries.audio?.name].filter((name) => name !== undefined);
  const { states } = entries;
  check(
    entries.first,
    [...given, ...entries.others],
    [entries.firstScores, ...states.map(({ afterFirst }) => afterFirst), ...chosenBy(chosen?.first)],
  );
  check(
    entries.next,
    [entries.token.name, ...states.map(({ input }) => input)],
    [entries.nextScores, ...states.map(({ afterNext }) => afterNext), ...chosenBy(chosen?.next)],
  );
  // A tokenizer is fetched from beside the plan, never from elsewhere.
  if (found.tokenizer !== undefined && !/^[\w.-]+$/.test(found.tokenizer))
    throw damaged("its tokenizer lies elsewhere");
}

/** A state that an entry binds is one of its inputs or outputs. */
function checkStates(entries: readonly PlanEntry[], damaged: (what: string) => Error): void {
  for (const { name, inputs, outputs, dispatches } of entries) {
    const past = new Set(inputs.map((each) => each.state));
    const present = new Set(outputs.map((each) => each.state));
    for (const { path, places } of dispatches) {
      for (const binding of places) {
        if (binding.place.kind !== "state") continue;
        const { state, time } = binding.place;
        if ((time === "past" ? past : present).has(state)) continue;
        throw damaged(`${path} uses the ${time} state ${state}, which ${name} does not have`);
      }
    }
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
