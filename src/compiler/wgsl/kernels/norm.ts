/**
 * The rows of a product, normalised before they leave the kernel: its workgroup holds whole rows, and
 * shares what each invocation found of them.
 */
import { Dim } from "../../../lang/dims.ts";
import { internalFault } from "../../fault.ts";
import type { Value } from "../../graph.ts";
import type { At } from "../coordinates.ts";
import { joined } from "../folds.ts";
import { type Norm, type Tail, whole } from "../groups.ts";
import { joinOf } from "../joins.ts";
import type { Located, Term } from "../kernel-writer.ts";
import type { Reader } from "../reader.ts";
import { numberTerm, scalarTerm, widened } from "../scalar-text.ts";
import { rowElement } from "./rows.ts";
import { applySteps, finish } from "./tail.ts";

/** The rows and columns that an invocation holds. */
export interface Block {
  readonly rows: number;
  readonly workgroup: number;
  /** The names along which columns are taken in fours. */
  readonly columns: readonly (string | undefined)[];
  at(row: number, column: number): At;
  /** The sum for a row and four columns. */
  summed(row: number, column: number, at: At, along: string | undefined): Term;
  /** Statements for a row that there is. */
  guarded(row: number, body: () => void): void;
}

export function normaliseBlock(
  reader: Reader,
  block: Block,
  tail: Tail,
  { row, tail: end, keepsInput }: Norm,
  target: (value: Value) => Located,
): void {
  const { writer } = reader;
  const { lowering } = row.op;
  const [given] = row.operands;
  if (lowering.kind !== "row" || given === undefined) throw internalFault(`${row.op.name} is no row`);
  const rows = Array.from({ length: block.rows }, (_, r) => r);
  const values = rows.map((r) =>
    block.columns.map((along, c) => {
      const at = block.at(r, c);
      const { term } = applySteps(reader, tail.result, tail.steps, at, block.summed(r, c, at, along), along);
      return writer.copied(widened(term, 4), "value");
    }),
  );
  if (keepsInput) {
    for (const r of rows) {
      block.guarded(r, () => {
        block.columns.forEach((along, c) => {
          const value = values[r]?.[c];
          if (value === undefined) return;
          finish(reader, whole(given), block.at(r, c), value, target, along);
        });
      });
    }
  }
  const size = given.type.shape.at(-1) ?? Dim.of(1);
  const parts = writer.shared("f32", block.rows * block.workgroup, 4 * block.rows * block.workgroup);
  const folded: Term[][] = rows.map(() => []);
  for (const fold of lowering.folds) {
    const join = joinOf(fold.combine);
    if (join === undefined) throw internalFault(`${row.op.name} can't be put together from parts`);
    const initial = numberTerm(fold.initial, "f32").text;
    const found = writer.shared("f32", block.rows, 4 * block.rows);
    const joinText = (a: string, b: string): string =>
      join.fn === "min" || join.fn === "max"
        ? `${join.fn}(${a}, ${b})`
        : `(${a} ${join.fn === "mul" ? "*" : "+"} ${b})`;
    for (const r of rows) {
      const elements = (values[r] ?? []).map((value) =>
        writer.copied(
          widened(
            scalarTerm(
              join.element,
              { operand: () => value, folded: (index) => folded[r]?.[index] ?? numberTerm(0, "f32") },
              writer,
              "f32",
            ),
            4,
          ),
          "part",
        ),
      );
      const own = writer.copied(
        {
          text: elements.map(({ text }) => text).reduce(joinText),
          type: "f32",
          lanes: 4,
          depth: writer.depth,
        },
        "part",
      );
      writer.line(`${parts}[${r * block.workgroup} + local] = ${joined(own.text, join.fn)};`);
    }
    writer.line("workgroupBarrier();");
    const r = writer.fresh("r");
    writer.block(`for (var ${r} = local; ${r} < ${block.rows}; ${r} += ${block.workgroup})`, true, () => {
      const total = writer.variable("total", "f32", initial);
      const t = writer.fresh("t");
      writer.block(`for (var ${t} = 0; ${t} < ${block.workgroup}; ${t} += 1)`, true, () => {
        writer.line(`${total} = ${joinText(total, `${parts}[${r} * ${block.workgroup} + ${t}]`)};`);
      });
      const finished = scalarTerm(
        fold.finish,
        {
          operand: () => numberTerm(0, "f32"),
          accumulator: { text: total, type: "f32", lanes: 1, depth: writer.depth },
          count: { text: writer.size(size), type: "i32", lanes: 1, depth: 0 },
        },
        writer,
        "f32",
      );
      writer.line(`${found}[${r}] = ${finished.text};`);
    });
    writer.line("workgroupBarrier();");
    for (const at of rows) {
      folded[at]?.push(
        writer.copied({ text: `${found}[${at}]`, type: "f32", lanes: 1, depth: writer.depth }, "f"),
      );
    }
  }
  for (const r of rows) {
    block.guarded(r, () => {
      block.columns.forEach((along, c) => {
        const value = values[r]?.[c];
        if (value === undefined) return;
        const at = block.at(r, c);
        const known = reader.knowing(new Map([[given, value]]));
        finish(reader, end, at, rowElement(known, row, at, folded[r] ?? [], along), target, along);
      });
    });
  }
}
