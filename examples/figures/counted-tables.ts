/**
 * Tables of counts: the rule of every op, published figures, the forms of the scan, and what tools miss.
 */
import { completeAttributes } from "../../src/compiler/ops/attributes.ts";
import { ops } from "../../src/compiler/ops/index.ts";
import type { CostContext, OpDefinition, ToolCount } from "../../src/compiler/ops/op.ts";
import { type DimPattern, parseSignature } from "../../src/compiler/ops/signature.ts";
import { Dim } from "../../src/lang/dims.ts";
import { Counted } from "./count.ts";
import { bytes, digits, giga, markdownTable } from "./markdown.ts";
import { keepRates, prunedModels } from "./wanted.ts";

/** Every op that has something to count, on the letters of its signature; the rest by name. */
export function opRules(): string {
  const counted = ops.map((op) => ({ op, rule: ruleOf(op) }));
  const rows = counted
    .filter(({ rule }) => rule.macs !== "0" || rule.scalar !== "0")
    .map(({ op, rule }) => [
      `[${op.name}](ops.md#${op.name})`,
      ...[rule.macs, rule.scalar, rule.torchprofile, rule.fvcore].map(codeOf),
    ]);
  const free = counted.filter(({ rule }) => rule.macs === "0" && rule.scalar === "0");
  const table = markdownTable(["Op", "MACs", "scalar operations", "`torchprofile`", "`fvcore`"], rows);
  const names = free.map(({ op }) => op.name).join(", ");
  return `${table}\n\nNothing is counted for ${names}: they move data, or read it elsewhere.`;
}

const codeOf = (text: string): string =>
  text === "0" ? "" : text.includes(" ") && !/[*+-]/.test(text) ? text : `\`${text}\``;

function ruleOf(op: OpDefinition): Readonly<Record<"macs" | "scalar" | "torchprofile" | "fvcore", string>> {
  const context = contextOf(op);
  const { macs, scalar } = op.cost(context);
  const tool = (rule: ToolCount | undefined): string => {
    if (rule === undefined) return String(macs);
    return typeof rule === "function" ? String(rule(context)) : "missed";
  };
  const { torchprofile, fvcore } = op.accounting;
  return {
    macs: String(macs),
    scalar: String(scalar),
    torchprofile: tool(torchprofile),
    fvcore: tool(fvcore),
  };
}

/** Symbols for the letters; a scan of whole chunks, so that its lengths are whole. */
function contextOf(op: OpDefinition): CostContext {
  const signature = parseSignature(op.signature);
  const attributes = completeAttributes(op.attributes, op.samples[0]?.attributes ?? {});
  const chunk = attributes["chunk"];
  const size = (dim: DimPattern): Dim => {
    if (dim.kind === "anything") return Dim.symbol("n");
    const isLength = dim.kind === "one" && dim.name === "l" && typeof chunk === "number";
    return isLength ? Dim.symbol("chunks").mul(chunk) : Dim.symbol(dim.name);
  };
  const type = (dims: readonly DimPattern[]) => ({ dtype: "f32" as const, shape: dims.map(size) });
  return {
    operands: signature.operands.map((operand) => type(operand.dims)),
    results: signature.results.map((result) => type(result.dims)),
    attributes,
  };
}

/** GMACs of the pruned models, as counted; `core` over `torchprofile`. */
export function publishedTable(): string {
  const rows = prunedModels.map(({ title, file, model, torchprofile }) => [
    title,
    ...keepRates.map((keep) => {
      const counted = new Counted({ file, model, entry: "forward", settings: { keep } });
      const core = giga(counted.macs());
      return torchprofile === undefined ? core : `${core} / ${giga(counted.macs("torchprofile"))}`;
    }),
  ]);
  return markdownTable(["GMACs, `core` / `torchprofile`", ...keepRates.map((keep) => `keep ${keep}`)], rows);
}

/** What a token of Mamba-2 130m costs in texts of several lengths. */
export function scanTable(): string {
  const file = "ossicle/decoders/mamba2-lm.oss";
  const row = (name: string, entry: string, length: number) => {
    const counted = new Counted({ file, model: "Mamba2Lm", entry, at: { B: 1, L: length } });
    const each = (count: number): string => digits(Math.round(count / length));
    return [
      name,
      each(counted.ofKind("scan")),
      each(counted.macs()),
      each(counted.overhead()),
      bytes(counted.measure("memory")),
    ];
  };
  const lengths = [16, 64, 100, 256, 1024, 4096];
  return markdownTable(
    [
      "Mamba-2 130m, of each token",
      "MACs of the scan",
      "all MACs",
      "executed beyond, as ONNX",
      "live at once",
    ],
    [
      row("a step", "step", 1),
      ...lengths.map((length) => row(`${digits(length)} tokens, in chunks`, "logits", length)),
    ],
  );
}

/** What tools that ask modules, or that don't know fused kernels, leave out of the same models. */
export function toolTable(): string {
  const share = (missed: number, all: number): string => `${((100 * missed) / all).toFixed(1)} %`;
  const rows = prunedModels.flatMap(({ title, file, model }) => {
    const counted = new Counted({ file, model, entry: "forward", settings: { keep: 1 } });
    const [all, attention] = [counted.macs(), counted.ofKind("attention")];
    return [
      [
        title,
        giga(all),
        giga(counted.macs("torchprofile")),
        giga(counted.macs("fvcore")),
        giga(all - attention),
        share(attention, all),
      ],
    ];
  });
  const file = "ossicle/decoders/mamba2-lm.oss";
  const text = new Counted({ file, model: "Mamba2Lm", entry: "logits", at: { B: 1, L: 1024 } });
  const scan = text.ofKind("scan");
  rows.push([
    "Mamba-2 130m, 1024 tokens",
    giga(text.macs()),
    giga(text.macs("torchprofile")),
    giga(text.macs("fvcore")),
    giga(text.macs() - scan),
    share(scan, text.macs()),
  ]);
  return markdownTable(
    ["GMACs", "`core`", "`torchprofile`", "`fvcore`", "modules alone", "missed by those"],
    rows,
  );
}
