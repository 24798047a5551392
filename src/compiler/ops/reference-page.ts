/**
 * The reference of the ops as a page: every record read out in the order of the list.
 *
 * Owns: the page's layout. Says nothing that is not in the records: counts come from their `cost` on
 * the dimensions of their signatures, ONNX operators from emitting their first sample.
 */
import type { AttributeSpec } from "../../lang/catalog.ts";
import { Dim } from "../../lang/dims.ts";
import type { DType, TensorType } from "../../lang/types.ts";
import type { OnnxContext } from "../onnx/context.ts";
import { completeAttributes } from "./attributes.ts";
import type { OpDefinition, Sample, Tolerance } from "./op.ts";
import { type DimPattern, parseSignature } from "./signature.ts";

const introduction = `# Ops

<!-- Written by \`npm run docs\` from the records in src/compiler/ops. Edit those. -->

The primitive ops, which every other block is made of. A call gives the operands in their order, then
the attributes, by name or in their order: \`softmax(x, axis: 1)\`. Binary operators are ops too:
\`a @ b\` is \`matmul(a, b)\`, \`a + b\` is \`add(a, b)\`.

How to read a signature: a word is one dimension, \`*b\` any number of them, \`#s\` any number that
broadcast together as numpy's do, \`*\` alone any number. \`x?\` may be left out, \`xs...\` may be repeated,
\`()\` is a scalar.

*MACs* are multiply-adds on those dimensions; where there is none, the op has only scalar operations,
which are counted apart. *Lowering* says what kind of loop the op becomes. *ONNX* names the operators
that it is written as, and of onnxruntime's own those that the profile \`ort\` uses beside or instead of
them. *Tolerance* is how far a float32 target may be from the reference, which
computes in float64: |got - want| <= absolute + relative |want|.`;

export function referencePage(ops: readonly OpDefinition[]): string {
  const table = [
    "| Op | Signature | MACs | Lowering |",
    "| --- | --- | --- | --- |",
    ...ops.map((op) => {
      const cells = [`[${op.name}](#${op.name})`, code(op.signature), macsOf(op), op.lowering.kind];
      return `| ${cells.join(" | ")} |`;
    }),
  ];
  const sections = ops.map(section);
  return `${[introduction, table.join("\n"), ...sections].join("\n\n")}\n`;
}

function section(op: OpDefinition): string {
  const facts = [
    ["Signature", code(op.signature)],
    ["MACs", macsOf(op)],
    ["Lowering", op.lowering.kind],
    ["ONNX", onnxOf(op)],
    ...(op.ort === undefined ? [] : [["ONNX, profile ort", ownOperators(op, op.ort)]]),
    ["Tolerance", toleranceOf(op.tolerance)],
    ["Source", op.source],
  ];
  const attributes = Object.entries(op.attributes).map(([name, spec]) => attributeOf(name, spec));
  return [
    `## ${op.name}`,
    op.summary,
    [...attributes, ...facts.map(([name, value]) => `- ${name}: ${value}`)].join("\n"),
  ].join("\n\n");
}

function attributeOf(name: string, spec: AttributeSpec): string {
  const options = spec.options === undefined ? "" : `, one of ${spec.options.map(code).join(", ")}`;
  const initial = spec.default === undefined ? "" : `, ${code(printDefault(spec.default))} by default`;
  return `- ${code(name)} (${spec.kind}${options}${initial}): ${spec.doc}`;
}

function printDefault(value: NonNullable<AttributeSpec["default"]>): string {
  if (typeof value === "object" && !(value instanceof Dim)) return `[${value.map(String).join(", ")}]`;
  return String(value);
}

/** The multiply-adds with every dimension of the signature a symbol of its own. */
function macsOf(op: OpDefinition): string {
  const { operands, results } = parseSignature(op.signature);
  const [sample] = op.samples;
  const attributes = completeAttributes(op.attributes, sample?.attributes ?? {});
  const { macs } = op.cost({
    operands: operands.map((operand) => symbolic(operand.dims)),
    results: results.map((result) => symbolic(result.dims)),
    attributes,
  });
  return macs.constant === 0 ? "none" : code(String(macs));
}

function symbolic(dims: readonly DimPattern[]): TensorType {
  const shape = dims.map((dim) => Dim.symbol(dim.kind === "anything" ? "n" : dim.name));
  return { dtype: "f32", shape };
}

function onnxOf(op: OpDefinition): string {
  if (typeof op.onnx !== "function") return `none: ${op.onnx.unsupported}`;
  const used = operatorsOf(op, op.onnx, op.samples.slice(0, 1));
  return used.size === 0 ? "a constant" : [...used].join(", ");
}

/** Operators of onnxruntime's own, whichever of the samples they are used for. */
function ownOperators(op: OpDefinition, lower: OnnxLowering): string {
  return [...operatorsOf(op, lower, op.samples)].filter((name) => name.startsWith(own)).join(", ");
}

type OnnxLowering = NonNullable<OpDefinition["ort"]>;

const own = "com.microsoft.";

function operatorsOf(op: OpDefinition, lower: OnnxLowering, samples: readonly Sample[]): Set<string> {
  const used = new Set<string>();
  for (const sample of samples) recordSample(op, lower, sample, used);
  return used;
}

function recordSample(op: OpDefinition, lower: OnnxLowering, sample: Sample, used: Set<string>): void {
  const operands = sample.operands.map(
    ({ dtype, shape }): TensorType => ({ dtype, shape: shape.map((size) => Dim.of(size)) }),
  );
  const attributes = completeAttributes(op.attributes, sample.attributes);
  const inference = op.infer(operands, attributes);
  if (!inference.ok) throw new Error(`${op.name} refuses its own sample: ${inference.problem.message}`);
  const results = inference.results.map((result) => result.type);
  const inputs = operands.map((_, index) => `operand ${index}`);
  lower({ ...recorder(used), inputs, operands, results, attributes });
}

/** Emits nothing, and remembers which operators were asked for. */
function recorder(used: Set<string>): Omit<OnnxContext, "inputs" | "operands" | "results" | "attributes"> {
  return {
    node(opType) {
      used.add(opType);
      return opType;
    },
    nodes(opType, _inputs, outputs) {
      used.add(opType);
      return Array.from({ length: outputs }, (_, index) => `${opType} ${index}`);
    },
    ownNodes(opType, _inputs, outputs) {
      used.add(`${own}${opType}`);
      return Array.from({ length: outputs }, (_, index) => `${opType} ${index}`);
    },
    constant: () => "constant",
    dims: () => "dims",
    dim: () => "dim",
    cast(name: string, from: DType, to: DType) {
      if (from === to) return name;
      used.add("Cast");
      return "Cast";
    },
  };
}

function toleranceOf({ absolute, relative }: Tolerance): string {
  return absolute === 0 && relative === 0 ? "exact" : `${absolute} + ${relative} |want|`;
}

function code(text: string): string {
  return `\`${text}\``;
}
