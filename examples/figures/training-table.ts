/**
 * What a step of training costs, by what is trained: a captioner on Mamba-2, and LTU's language model.
 */
import { reportCost } from "../../src/compiler/cost/report.ts";
import type { TrainingCost } from "../../src/compiler/cost/training.ts";
import { Counted, type CountRequest } from "./count.ts";
import { bytes, giga, markdownTable } from "./markdown.ts";

interface Trained {
  readonly title: string;
  readonly request: CountRequest;
  /** As `--train` takes it. */
  readonly what: string;
}

const samples = 160_000;
const text = 64;
const soundTokens = 32;

const sam = (size: string): CountRequest => ({
  file: "ossicle/captioners/sam.oss",
  model: "Sam",
  entry: "prefill",
  settings: { size, merged: "false" },
  at: { T: samples, P: text },
});
const ltu: CountRequest = {
  file: "examples/figures/models.oss",
  model: "LtuDecoder",
  entry: "logits",
  settings: { merged: "false" },
  at: { B: 1, L: soundTokens + text },
};

const rows: readonly Trained[] = [
  { title: "SAM 130m: connector", request: sam("130m"), what: "connector" },
  { title: "SAM 130m: connector and adapters", request: sam("130m"), what: "connector, adapters" },
  {
    title: "SAM 130m: encoder, connector, adapters",
    request: sam("130m"),
    what: "encoder, connector, adapters",
  },
  { title: "SAM 130m: everything", request: sam("130m"), what: "all" },
  {
    title: "SAM 2.7b: encoder, connector, adapters",
    request: sam("2.7b"),
    what: "encoder, connector, adapters",
  },
  { title: "SAM 2.7b: everything", request: sam("2.7b"), what: "all" },
  { title: "LTU's decoder: adapters", request: ltu, what: "adapters" },
  { title: "LTU's decoder: everything", request: ltu, what: "all" },
];

export function trainingTable(): string {
  const known = new Map<CountRequest, Counted>();
  const counted = (request: CountRequest): Counted => {
    const found = known.get(request) ?? new Counted(request);
    known.set(request, found);
    return found;
  };
  const line = ({ title, request, what }: Trained): string[] => {
    const { model } = counted(request);
    const at = new Map(Object.entries(request.at ?? {}));
    const [report] = reportCost(model, {
      given: { at, seconds: undefined },
      settings: new Map(),
      convention: "core",
      by: "component",
      train: what,
    }).entries;
    const cost = report?.training;
    if (cost === undefined) throw new Error(`${title} has no step of training`);
    const of = (figure: keyof TrainingCost): number => cost[figure].evaluate(at);
    return [
      title,
      `${(of("trained") / 1e6).toFixed(2)} M`,
      giga(of("forward"), 1),
      giga(of("backward"), 1),
      bytes(of("gradients") + of("optimizer")),
      bytes(of("kept")),
    ];
  };
  const head = [
    "trained",
    "parameters",
    "GMACs forward",
    "backward",
    "gradients and moments",
    "activations kept",
  ];
  return markdownTable(head, rows.map(line));
}
