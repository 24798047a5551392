/**
 * Every figure, counted anew: what was wanted beside what was found.
 *
 * Owns: which count of which model a figure is. The numbers wanted are wanted.ts's.
 */
import { Counted, type CountRequest } from "./count.ts";
import { digits, giga } from "./markdown.ts";
import {
  evit,
  exactMacs,
  facts,
  keepRates,
  type MacFacts,
  type Mamba2Size,
  mamba2Figures,
  mamba2Sizes,
  mamba2Step,
  otherPrunedModels,
  type PrunedModel,
  prunedModels,
  publishedAudioMae,
} from "./wanted.ts";

export interface Figure {
  /** Figures of one group stand together. */
  readonly group: string;
  readonly name: string;
  readonly wanted: string;
  /** As exact as it was counted. */
  readonly found: string;
  readonly agrees: boolean;
}

const own = "examples/figures/models.oss";
const decoder = "ossicle/decoders/mamba2-lm.oss";
const layers = Array.from({ length: 12 }, (_, layer) => layer);
const sites = [3, 6, 9] as const;

export function allFigures(): readonly Figure[] {
  return [
    ...prunedModels.flatMap(prunedFigures),
    ...prunedModels.flatMap(factFigures),
    ...otherPrunedModels.flatMap(factFigures),
    ...encoderFigures(),
    ...evitFigures(),
    ...mamba2Sizes.flatMap(mamba2SizeFigures),
  ];
}

/** A whole number, which must be that number. */
export function exact(group: string, name: string, wanted: number, found: number): Figure {
  return { group, name, wanted: digits(wanted), found: digits(found), agrees: wanted === found };
}

/** In billions, to as many decimals as are published. */
export function rounded(
  group: string,
  name: string,
  wanted: number,
  decimals: number,
  found: number,
): Figure {
  const text = wanted.toFixed(decimals);
  return { group, name, wanted: `${text} G`, found: digits(found), agrees: giga(found, decimals) === text };
}

export function list(
  group: string,
  name: string,
  wanted: readonly number[],
  found: readonly number[],
): Figure {
  const [left, right] = [wanted.join(" "), found.join(" ")];
  return { group, name, wanted: left, found: right, agrees: left === right };
}

function atKeep(model: Pick<PrunedModel, "file" | "model">, keep: number): Counted {
  return new Counted({ file: model.file, model: model.model, entry: "forward", settings: { keep } });
}

function prunedFigures(model: PrunedModel): Figure[] {
  const { title } = model;
  return keepRates.flatMap((keep, at): Figure[] => {
    const counted = atKeep(model, keep);
    const at3 = (wanted: number | undefined, convention: "core" | "torchprofile"): Figure[] =>
      wanted === undefined
        ? []
        : [rounded(title, `keep ${keep}, ${convention}`, wanted, 3, counted.macs(convention))];
    const ofTable = <Row extends { title: string; keep: number }>(rows: readonly Row[]): readonly Row[] =>
      rows.filter((row) => row.title === title && row.keep === keep);
    return [
      ...at3(model.core[at], "core"),
      ...at3(model.torchprofile?.[at], "torchprofile"),
      ...ofTable(exactMacs).map(({ macs }) => exact(title, `keep ${keep}, core`, macs, counted.macs())),
      ...ofTable(publishedAudioMae).map(({ gigaMacs }) =>
        rounded(title, `keep ${keep}, as published`, gigaMacs, 2, counted.macs("torchprofile")),
      ),
      ...(keep === 0.7
        ? [list(title, "patches after layers 3, 6, 9 at keep 0.7", model.kept, keptAt(model, counted))]
        : []),
    ];
  });
}

function keptAt({ mlp, extra }: PrunedModel, counted: Counted): number[] {
  return sites.map((layer) => counted.tokens(mlp(layer)) - extra);
}

type FactModel = Omit<PrunedModel, "core" | "kept">;

function factFigures(model: FactModel): Figure[] {
  return Object.entries(model.facts ?? {}).flatMap(([keep, wanted]) =>
    macFigures(model, Number(keep), wanted),
  );
}

function macFigures(model: FactModel, keep: number, wanted: MacFacts): Figure[] {
  const counted = atKeep(model, keep);
  const group = `${model.title}, by kind of work`;
  const name = (what: string): string => `keep ${keep}, ${what}`;
  return [
    exact(group, name("all"), wanted.total, counted.macs()),
    exact(group, name("convolution"), wanted.conv, counted.ofKind("convolution")),
    exact(group, name("linear"), wanted.linear_or_mm, counted.ofKind("linear")),
    exact(group, name("attention"), wanted["bmm(attention)"], counted.ofKind("attention")),
    list(
      group,
      name("tokens after every layer"),
      wanted.tokens_after_each_block,
      layers.map((layer) => counted.tokens(model.mlp(layer))),
    ),
  ];
}

interface EncoderFact {
  readonly title: string;
  readonly request: CountRequest;
  readonly parameters: number;
  readonly patches: number;
}

function encoderFacts(): readonly EncoderFact[] {
  const of = (title: string): CountRequest => {
    const model = prunedModels.find((candidate) => candidate.title === title);
    if (model === undefined) throw new Error(`there is no model ${title}`);
    return { file: model.file, model: model.model, entry: "forward" };
  };
  const { encoders } = facts;
  const [ten, sixteen, audioMae] = [
    encoders["AST base 10-10, 1024 frames, 527 labels"],
    encoders["AST base 16-16, 1024 frames, 527 labels"],
    encoders["AudioMAE ViT-B fine-tuned, 1024x128, 527 labels"],
  ];
  return [
    { title: "AST 10-10, AS-20K", parameters: ten.params_hf, patches: ten.patches },
    { title: "AST 16-16, AS-20K", parameters: sixteen.params_hf, patches: sixteen.patches },
    { title: "AudioMAE, AS-20K", parameters: audioMae.params, patches: audioMae.patches },
  ].map((fact) => ({ ...fact, request: of(fact.title) }));
}

function encoderFigures(): Figure[] {
  return encoderFacts().flatMap(({ title, request, parameters, patches }) => {
    const counted = new Counted(request);
    const model = prunedModels.find((candidate) => candidate.title === title);
    const tokens = model === undefined ? 0 : counted.tokens(model.mlp(0)) - model.extra;
    return [
      exact("Encoders", `${title}, parameters`, parameters, counted.measure("params")),
      exact("Encoders", `${title}, patches`, patches, tokens),
    ];
  });
}

function evitFigures(): Figure[] {
  return keepRates.flatMap((keep, at) => {
    const counted = new Counted({ file: own, model: "DeitSmall", entry: "forward", settings: { keep } });
    // PyTorch code fuses tokens by products of elements and a sum, which counters leave out.
    const macs = counted.macs() - counted.ofKind("pruning");
    const group = "DeiT-S with EViT";
    return [
      rounded(group, `keep ${keep}, as published`, evit.published[at] ?? 0, 1, macs),
      rounded(
        group,
        `keep ${keep}`,
        Object.entries(evit.digits).find(([k]) => Number(k) === keep)?.[1] ?? 0,
        4,
        macs,
      ),
    ];
  });
}

function mamba2SizeFigures(size: Mamba2Size): Figure[] {
  const group = `Mamba-2 ${size}`;
  const wanted = mamba2Figures[size];
  const fact = facts.mamba2[size];
  const step = new Counted({ file: decoder, model: "Mamba2Lm", entry: "step", settings: { size } });
  const untied = new Counted({
    file: own,
    model: "UntiedMamba2",
    entry: "step",
    settings: { size },
  });
  const adapted = (rank: number): number =>
    new Counted({ file: own, model: "AdaptedMamba2", entry: "step", settings: { size, rank } }).measure(
      "trainable",
    );
  const macs = fact.decode_macs_per_token;
  // Numbers that all mixers give: a MAC of the skip for each.
  const outputs = 2 * fact.d_model * fact.n_layer;
  const numbers = (names: readonly (readonly [string, number, number])[]): Figure[] =>
    names.map(([name, want, found]) => exact(group, name, want, found));
  return numbers([
    ["parameters", wanted.parameters, step.measure("params")],
    ["parameters, tied head", fact.params_tied, step.measure("params")],
    ["parameters, head of its own", fact.params_untied, untied.measure("params")],
    ["parameters without the embedding", fact.without_embedding, step.measure("params") - fact.embedding],
    ["parameters of a layer", fact.per_layer, step.parametersAt("backbone.layers.0")],
    ["linear MACs of a token", wanted.linear, step.ofKind("linear")],
    ["adapters of rank 8", wanted.adapters[8], adapted(8)],
    ["adapters of rank 256", wanted.adapters[256], adapted(256)],
    ["a step's in_proj", macs.in_proj, step.at("in_proj")],
    ["a step's convolution", macs.conv, step.ofKind("convolution")],
    ["a step's out_proj", macs.out_proj, step.at("out_proj")],
    ["a step's head", macs.lm_head, step.ofKind("linear") - step.at("in_proj") - step.at("out_proj")],
    // That file counts the decay as a MAC and no skip: 3 for each number of state, where here it is 2 and
    // one for each number of the output.
    [
      "a step's scan, the decay counted and the skip not",
      macs.ssd_recurrent_state_update_and_readout,
      ((step.ofKind("scan") - outputs) / 2) * 3,
    ],
    [
      "a step, counted so",
      macs.total,
      step.macs() - outputs + macs.ssd_recurrent_state_update_and_readout / 3,
    ],
    ["numbers of state of the scan", fact.state_floats_ssm, step.stateNumbers("ssm_state")],
    ["numbers of state of the convolution", fact.state_floats_conv, step.stateNumbers("conv_state")],
    ...(size === mamba2Step.size ? ([["a step", mamba2Step.macs, step.macs()]] as const) : []),
  ]);
}
