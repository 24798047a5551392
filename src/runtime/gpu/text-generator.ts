/**
 * Text from a plan that generates: the way from a question, and a sound, to text, in Node and in a page.
 *
 * Owns: the inputs of the entries, what the plan says where a user says nothing, and prompts that are read
 * once and gone on from several times. The loop is generation's, the calls are the session's.
 */
import type { HostTensor } from "../../compiler/host-tensor.ts";
import type { PlanGeneration } from "../../compiler/plan.ts";
import { failure } from "../failure.ts";
import { type Generated, type GeneratedToken, generateTokens } from "../generation/generate.ts";
import type { GenerationOptions } from "../generation/options.ts";
import { stopsFor } from "../generation/stops.ts";
import type { Tokenizer } from "../generation/tokenizer.ts";
import { type Beginning, beginWith, deviceGeneration, greedyLink } from "./generation.ts";
import type { GpuModel } from "./model.ts";
import type { PrepareOptions } from "./preparation.ts";
import type { GpuSession } from "./session.ts";
import type { StateSnapshot } from "./state-copies.ts";
import { bindSymbols } from "./symbols.ts";

/** What a text is about. */
export interface Asked {
  /** What to go on from, as text or as ids; what the model asks by itself by default. */
  readonly prompt?: string | readonly number[] | undefined;
  /** Mono, in -1..1, at the rate of the plan's `generation.entries.audio`. */
  readonly audio?: Float32Array | undefined;
  /** Any other input of the first entry. */
  readonly inputs?: ReadonlyMap<string, HostTensor> | undefined;
}

/** Greedy, to the plan's limit and stops, where nothing else is said. */
export type TextOptions = Partial<Omit<GenerationOptions, "history">>;

const defaultLimit = 64;

/** A prompt that was read: texts start from it without reading it again. To be disposed of. */
export class ReadPrompt {
  readonly ids: readonly number[];
  readonly snapshot: StateSnapshot;
  /** What the first entry gave. */
  readonly outputs: ReadonlyMap<string, HostTensor>;

  constructor(ids: readonly number[], snapshot: StateSnapshot, outputs: ReadonlyMap<string, HostTensor>) {
    this.ids = ids;
    this.snapshot = snapshot;
    this.outputs = outputs;
  }

  dispose(): void {
    this.snapshot.dispose();
  }
}

export class TextGenerator {
  readonly generation: PlanGeneration;
  readonly tokenizer: Tokenizer | undefined;
  readonly session: GpuSession;
  readonly #model: GpuModel;

  /**
   * @param tokenizer for prompts, stops and texts; without one everything is ids
   * @throws DiagnosticError `no-generation`
   */
  constructor(model: GpuModel, tokenizer?: Tokenizer) {
    const { generation, model: name } = model.plan;
    if (generation === undefined) {
      throw failure("no-generation", `The plan of ${name} does not say how it generates.`, {
        hint: "compile a model that declares `generate … from … then …`, with both of its entries",
      });
    }
    this.generation = generation;
    this.tokenizer = tokenizer;
    this.#model = model;
    this.session = model.session();
  }

  /** Everything is ready for what is asked: generating it then compiles nothing and creates no buffer. */
  async prepare(asked: Asked, options: PrepareOptions = {}): Promise<void> {
    const { entries, selection } = this.generation;
    const { inputs } = this.#inputsOf(asked);
    const shapes = new Map([...inputs].map(([name, { shape }]) => [name, shape] as const));
    await this.#model.prepare({ ...options, entries: [entries.first, entries.next] });
    const first = this.#model.entry(entries.first);
    await this.session.prepare(entries.first, bindSymbols(first, shapes));
    const next = this.#model.entry(entries.next);
    const token = new Map([[entries.token.name, new Array<number>(entries.token.rank).fill(1)]]);
    const link = selection && greedyLink(entries, selection.next);
    await this.session.prepare(entries.next, bindSymbols(next, token), link);
  }

  /** Reads what is asked, for texts that start there. */
  async read(asked: Asked): Promise<ReadPrompt> {
    const { entries, selection } = this.generation;
    const { inputs, ids } = this.#inputsOf(asked);
    const { first } = selection ?? {};
    const chosen = first === undefined ? [] : [first.best, first.logSum, first.ids, first.scores];
    const begin = beginWith(entries, this.session, inputs);
    const outputs = await begin([entries.firstScores, ...chosen]);
    return new ReadPrompt(ids, await this.session.snapshot(), outputs);
  }

  /**
   * Generates a text, token by token: for `for await`, and what it came to is returned at the end. Leaving the
   * loop ends it; so does `signal`, after the token that is on its way.
   */
  async *generate(
    asked: Asked | ReadPrompt,
    options: TextOptions = {},
  ): AsyncGenerator<GeneratedToken, Generated> {
    const { entries, stop, limit } = this.generation;
    const { tokenizer } = this;
    const { ids, begin } = this.#begin(asked);
    const declared = tokenizer && stopsFor(stop, tokenizer);
    const wanted: GenerationOptions = {
      choice: { kind: "greedy" },
      limit: limit ?? defaultLimit,
      ...options,
      stopIds: new Set([...(declared?.ids ?? []), ...(options.stopIds ?? [])]),
      stopTexts: [...(declared?.texts ?? []), ...(options.stopTexts ?? [])],
      history: ids,
    };
    const generation = { entries, selection: this.generation.selection };
    return yield* generateTokens(deviceGeneration(generation, this.session, begin), wanted, tokenizer);
  }

  /** Frees what belongs to its session. */
  dispose(): void {
    this.session.dispose();
  }

  #begin(asked: Asked | ReadPrompt): { readonly ids: readonly number[]; readonly begin: Beginning } {
    if (asked instanceof ReadPrompt) {
      const { ids, snapshot, outputs } = asked;
      return {
        ids,
        begin: async () => {
          await this.session.restore(snapshot);
          return outputs;
        },
      };
    }
    const { inputs, ids } = this.#inputsOf(asked);
    return { ids, begin: beginWith(this.generation.entries, this.session, inputs) };
  }

  #inputsOf({ prompt, audio, inputs: others }: Asked): {
    readonly inputs: ReadonlyMap<string, HostTensor>;
    readonly ids: readonly number[];
  } {
    const { entries } = this.generation;
    const inputs = new Map(others);
    const ids = entries.prompt === undefined ? [] : this.#idsOf(prompt);
    if (entries.prompt !== undefined) {
      const { name, dtype, rank } = entries.prompt;
      const shape = [...new Array<number>(rank - 1).fill(1), ids.length];
      inputs.set(name, { dtype, shape, data: Float64Array.from(ids) });
    } else if (prompt !== undefined) {
      throw failure("input-unknown", `The entry ${entries.first} takes no prompt.`);
    }
    if (audio !== undefined) {
      if (entries.audio === undefined)
        throw failure("not-a-captioner", `The entry ${entries.first} does not take one waveform.`);
      inputs.set(entries.audio.name, { dtype: "f32", shape: [audio.length], data: audio });
    }
    return { inputs, ids };
  }

  #idsOf(prompt: Asked["prompt"]): readonly number[] {
    const given = prompt ?? this.generation.prompt;
    if (given === undefined) {
      throw failure("input-missing", `The entry ${this.generation.entries.first} needs a prompt.`, {
        hint: "give a text, or ids",
      });
    }
    if (typeof given === "string" && this.tokenizer === undefined) {
      throw failure("tokenizer-missing", "A prompt is read as text, and there is no tokenizer.", {
        hint: "give the checkpoint's tokenizer.json, or ids",
      });
    }
    const ids = typeof given === "string" ? (this.tokenizer?.encode(given) ?? []) : given;
    if (ids.length === 0) throw failure("prompt-empty", "The prompt has no tokens.");
    return ids;
  }
}
