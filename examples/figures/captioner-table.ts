/**
 * Captioners as wholes: ten seconds of sound and a prompt, and a token behind them.
 */
import { Counted } from "./count.ts";
import { digits, giga, markdownTable } from "./markdown.ts";

interface Captioner {
  readonly title: string;
  readonly file: string;
  readonly model: string;
  readonly settings?: Readonly<Record<string, string>>;
  /** Its tokens of ten seconds, where the next token depends on them. */
  readonly attends?: boolean;
}

const sam = (size: string, arrangement: string): Captioner => ({
  title: `SAM ${size}, ${arrangement}`,
  file: "sam",
  model: "Sam",
  settings: { size, arrangement: JSON.stringify(arrangement) },
});

const captioners: readonly Captioner[] = [
  sam("130m", "concat"),
  sam("780m", "concat"),
  sam("2.7b", "concat"),
  sam("2.7b", "time"),
  { title: "LTU", file: "ltu", model: "Ltu", attends: true },
  { title: "GAMA", file: "gama", model: "Gama", attends: true },
  { title: "SLAM-AAC", file: "slam-aac", model: "SlamAac", attends: true },
];

const samples = 160_000;
const prompt = 64;
const caption = 20;

export function captionerTable(): string {
  const rows = captioners.map(({ title, file, model, settings = {}, attends = false }) => {
    const of = (entry: string): Counted =>
      new Counted({ file: `ossicle/captioners/${file}.oss`, model, entry, settings, at: { B: 1 } });
    const [hear, listen, step] = [of("prefill"), of("listen"), of("step")];
    const sizes = listen.entry.cost.graph.outputs[0]?.value.type.shape ?? [];
    const tokens = sizes[1]?.evaluate(new Map()) ?? 0;
    const [read, heard] = [hear.macsAt()({ T: samples, P: prompt }), listen.macsAt()({ T: samples })];
    const next = step.macsAt();
    const steps = Array.from({ length: caption }, (_, at) =>
      next(attends ? { L: tokens + prompt + at } : {}),
    );
    const written = steps.reduce((total, count) => total + count, 0);
    return [
      title,
      digits(hear.measure("params")),
      tokens,
      giga(heard, 1),
      giga(read - heard, 1),
      giga(written, 1),
      giga(read + written, 1),
    ];
  });
  const head = [
    "GMACs",
    "parameters",
    "tokens of sound",
    "encoder and connector",
    `reading them and ${prompt} of text`,
    `writing ${caption}`,
    "in all",
  ];
  return markdownTable(head, rows);
}
