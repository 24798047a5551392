/**
 * Kernels of ops that are loops of their own: one dispatch for each stage.
 *
 * Owns: taking neighbours along a stage's wide axis together, four in a vector and several vectors in an
 * invocation, and four turns of a free loop at once. What does not depend on them is computed once.
 */
import { Dim, productDims } from "../../../lang/dims.ts";
import { internalFault } from "../../fault.ts";
import type { LoopPlace, LoopStage, LoopStatement, LoopTerm } from "../../ops/loops.ts";
import { positionIn } from "../coordinates.ts";
import type { Group } from "../groups.ts";
import { KernelWriter, type Located, scalarTypeOf, type Term, typeText } from "../kernel-writer.ts";
import { Position, unflattened } from "../position.ts";
import { contextOf, Reader } from "../reader.ts";
import { binaryTerm, converted, numberTerm, unaryTerm, widened } from "../scalar-text.ts";
import type { Kernel, KernelContext, KernelMaker } from "./kernel.ts";
import { spread } from "./kernel.ts";
import { rowsOver } from "./rows.ts";
import { finish } from "./tail.ts";

export const loopKernels: KernelMaker = (group, context): readonly Kernel[] => {
  const { lowering } = group.root.op;
  if (lowering.kind !== "kernel") throw internalFault(`${group.root.op.name} has no loops`);
  const program = lowering.loops(contextOf(group.root));
  const scratch = program.scratch.map((type, index) =>
    context.scratch(`${group.root.op.name} ${index}`, type),
  );
  const work = program.stages.filter(({ grid }) => grid.every((size) => size.constant !== 0));
  return work.map((stage) => new StageWriter(stage, group, scratch, context).run());
};

/** What a name of the loops stands for: the same for all tiles, or one for each. */
interface Named {
  readonly positions: readonly Position[] | undefined;
  readonly terms: readonly Term[] | undefined;
  /** A variable, read anew each time. */
  readonly variable: readonly string[] | undefined;
  readonly lanes: 1 | 4;
  readonly type: Term["type"];
}

const huge = Dim.of(2 ** 31 - 1);

class StageWriter {
  readonly #stage: LoopStage;
  readonly #group: Group;
  readonly #scratch: readonly Located[];
  readonly #context: KernelContext;
  readonly #writer: KernelWriter;
  readonly #reader: Reader;
  readonly #names = new Map<string, Named>();
  /** Coordinates of the grid, for each tile. */
  #grid: readonly (readonly Position[])[] = [];
  /** The name along which four are taken together, for each tile. */
  #along: readonly (string | undefined)[] = [undefined];
  readonly #dependent = new Set<string>();

  constructor(stage: LoopStage, group: Group, scratch: readonly Located[], context: KernelContext) {
    this.#stage = stage;
    this.#group = group;
    this.#scratch = scratch;
    this.#context = context;
    this.#writer = new KernelWriter([context.tuning.workgroup, 1, 1]);
    this.#reader = new Reader(this.#writer, context.buffers);
  }

  run(): Kernel {
    const { grid, wide, name, body, macs, shared, overhead = [] } = this.#stage;
    const extent = wide === undefined ? undefined : grid[wide];
    const tile =
      extent?.constant === undefined || extent.constant === 1
        ? 0
        : ([4, 2, 1].find((n) => (extent.constant ?? 1) % (4 * n) === 0) ?? 0);
    const width = tile === 0 ? 1 : 4 * tile;
    const shape = grid.map((size, axis) => (axis === wide ? size.floorDivide(width) : size));
    const total = productDims(shape);
    const { workgroup } = this.#context.tuning;
    const groups = total.ceilDivide(workgroup);
    const at = unflattened(rowsOver(this.#writer, total, groups, workgroup), shape);
    if (tile > 0 && wide !== undefined && extent !== undefined) {
      const base = at[wide] ?? Position.of(0);
      const parts = Array.from({ length: tile }, (_, t) => {
        const text = this.#writer.position(base.times(width).add(4 * t)).text;
        return this.#writer.coordinate("wide", text, extent, 4);
      });
      this.#grid = parts.map((position) => at.with(wide, position));
      this.#along = parts.map((position) => position.names()[0]);
    } else this.#grid = [at];
    this.#findDependent(body);
    this.#statements(body);
    const along = wide === undefined ? Dim.of(1) : (shape[wide] ?? Dim.of(1));
    const once = shared === undefined ? [] : [{ ...shared, macs: shared.macs.mul(along) }];
    return {
      writer: this.#writer,
      label: `${this.#group.root.op.name} ${name}`,
      workgroups: spread(groups),
      executed: once.reduce((sum, part) => sum.add(part.macs), macs),
      overhead: [...overhead, ...once],
    };
  }

  get #tiles(): readonly number[] {
    return this.#grid.map((_, tile) => tile);
  }

  // ---------------------------------------------------------------- what differs between tiles

  #findDependent(body: readonly LoopStatement[]): void {
    for (;;) {
      const before = this.#dependent.size;
      this.#mark(body);
      if (this.#dependent.size === before) return;
    }
  }

  #mark(statements: readonly LoopStatement[]): void {
    for (const statement of statements) {
      if (statement.kind === "let" || statement.kind === "add") {
        if (this.#depends(statement.value)) this.#dependent.add(statement.name);
      } else if (statement.kind === "loop" || statement.kind === "if") this.#mark(statement.body);
    }
  }

  #depends(term: LoopTerm): boolean {
    switch (term.kind) {
      case "coordinate":
        return term.axis === this.#stage.wide;
      case "name":
        return this.#dependent.has(term.name);
      case "read":
        return term.at.some((index) => this.#depends(index));
      case "unary":
        return this.#depends(term.x);
      case "binary":
        return this.#depends(term.a) || this.#depends(term.b);
      case "choose":
        return [term.condition, term.whenTrue, term.whenFalse].some((part) => this.#depends(part));
      default:
        return false;
    }
  }

  #tilesOf(isDependent: boolean): readonly number[] {
    return isDependent ? this.#tiles : [0];
  }

  // ---------------------------------------------------------------- statements

  #statements(body: readonly LoopStatement[]): void {
    for (const statement of body) this.#statement(statement);
  }

  #statement(statement: LoopStatement): void {
    const writer = this.#writer;
    switch (statement.kind) {
      case "let": {
        const tiles = this.#tilesOf(this.#depends(statement.value));
        if (this.#isInteger(statement.value)) {
          const positions = tiles.map((tile) => this.#position(statement.value, tile));
          this.#names.set(statement.name, {
            positions,
            terms: undefined,
            variable: undefined,
            lanes: 1,
            type: "i32",
          });
          return;
        }
        const terms = tiles.map((tile) => writer.copied(this.#term(statement.value, tile), "v"));
        const [term] = terms;
        this.#names.set(statement.name, {
          positions: undefined,
          terms,
          variable: undefined,
          lanes: term?.lanes ?? 1,
          type: term?.type ?? "f32",
        });
        return;
      }
      case "sum": {
        const isDependent = this.#dependent.has(statement.name);
        const lanes = isDependent && this.#along[0] !== undefined ? 4 : 1;
        const variable = this.#tilesOf(isDependent).map(() =>
          writer.variable("sum", "f32", lanes === 4 ? "vec4<f32>()" : "0.0f", lanes),
        );
        this.#names.set(statement.name, {
          positions: undefined,
          terms: undefined,
          variable,
          lanes,
          type: "f32",
        });
        return;
      }
      case "add": {
        const known = this.#names.get(statement.name);
        for (const tile of this.#tilesOf(this.#dependent.has(statement.name))) {
          const variable = known?.variable?.[tile];
          if (variable === undefined) throw internalFault(`the sum ${statement.name} was not started`);
          const term = widened(this.#term(statement.value, tile), known?.lanes ?? 1);
          writer.line(`${variable} += ${term.text};`);
        }
        return;
      }
      case "loop":
        this.#loop(statement);
        return;
      case "if": {
        const condition = this.#term(statement.condition, 0);
        writer.block(`if (${condition.text})`, true, () => this.#statements(statement.body));
        return;
      }
      case "store": {
        const isDependent =
          this.#depends(statement.value) || statement.at.some((index) => this.#depends(index));
        for (const tile of this.#tilesOf(isDependent)) {
          const at = statement.at.map((index) => this.#position(index, tile));
          this.#store(statement.to, at, this.#term(statement.value, tile), this.#along[tile]);
        }
        return;
      }
    }
  }

  #loop(statement: Extract<LoopStatement, { kind: "loop" }>): void {
    const writer = this.#writer;
    const from = this.#position(statement.from, 0);
    const to = this.#position(statement.to, 0);
    const extent = to.terms.length === 0 ? to.offset : huge;
    const isWide =
      statement.isFree &&
      this.#along[0] === undefined &&
      from.constant === 0 &&
      extent.constant !== undefined &&
      extent.constant % 4 === 0;
    if (!isWide) {
      const [start, end] = [writer.position(from).text, writer.position(to).text];
      writer.range("t", start, end, extent, 1, (position) => {
        this.#bindLoop(statement.name, position);
        this.#statements(statement.body);
      });
      return;
    }
    // Sums of the loop are four while it runs, and one again after it.
    const sums = addedIn(statement.body).filter((name) => this.#names.has(name));
    const outer = new Map(sums.map((name) => [name, this.#names.get(name)] as const));
    for (const name of sums) {
      const variable = [writer.variable("sum", "f32", "vec4<f32>()", 4)];
      this.#names.set(name, { positions: undefined, terms: undefined, variable, lanes: 4, type: "f32" });
    }
    writer.range("t", "0", writer.size(extent), extent, 4, (position, name) => {
      this.#bindLoop(statement.name, position);
      this.#along = [name];
      this.#statements(statement.body);
      this.#along = [undefined];
    });
    for (const name of sums) {
      const wide = this.#names.get(name)?.variable?.[0] ?? "";
      const known = outer.get(name);
      writer.line(`${known?.variable?.[0]} += (${wide}.x + ${wide}.y) + (${wide}.z + ${wide}.w);`);
      if (known !== undefined) this.#names.set(name, known);
    }
  }

  #bindLoop(name: string, position: Position): void {
    this.#names.set(name, {
      positions: [position],
      terms: undefined,
      variable: undefined,
      lanes: 1,
      type: "i32",
    });
  }

  #store(to: LoopPlace, at: readonly Position[], term: Term, along: string | undefined): void {
    const isWide = along !== undefined && at.some((position) => position.slope(along) !== "same");
    if (to.kind === "result") {
      const tail = this.#group.tails[to.index];
      if (tail === undefined) throw internalFault(`there is no result ${to.index}`);
      if (!tail.isRead) return;
      finish(this.#reader, tail, at, term, this.#context.target, isWide ? along : undefined);
      return;
    }
    const located = this.#scratchAt(to);
    const position = positionIn(located, at);
    const typed = converted(term, scalarTypeOf(located.dtype));
    if (!isWide) {
      this.#writer.store(located, position, typed);
      return;
    }
    const wide = this.#writer.named(widened(typed, 4));
    if (position.slope(along) === "next" && position.isMultipleOf(4)) {
      this.#writer.store(located, position, wide);
      return;
    }
    for (let lane = 0; lane < 4; lane++) {
      const one: Term = { ...wide, text: `${wide.text}[${lane}]`, lanes: 1 };
      this.#writer.store(located, position.substituted(along, lane), one);
    }
  }

  #scratchAt(place: LoopPlace): Located {
    const located = this.#scratch[place.index];
    if (place.kind !== "scratch" || located === undefined)
      throw internalFault(`there is no ${place.kind} ${place.index}`);
    return located;
  }

  // ---------------------------------------------------------------- terms

  #isInteger(term: LoopTerm): boolean {
    switch (term.kind) {
      case "integer":
      case "coordinate":
        return true;
      case "name":
        return this.#names.get(term.name)?.positions !== undefined;
      case "binary":
        return this.#isInteger(term.a) && this.#isInteger(term.b);
      default:
        return false;
    }
  }

  #position(term: LoopTerm, tile: number): Position {
    switch (term.kind) {
      case "integer":
        return Position.of(term.value);
      case "coordinate":
        return this.#grid[tile]?.[term.axis] ?? Position.of(0);
      case "name": {
        const positions = this.#names.get(term.name)?.positions;
        const position = positions?.[tile] ?? positions?.[0];
        if (position !== undefined) return position;
        break;
      }
      case "binary": {
        const [a, b] = [this.#position(term.a, tile), this.#position(term.b, tile)];
        if (term.fn === "add") return a.add(b);
        if (term.fn === "sub") return a.add(b.times(-1));
        if (term.fn === "mul" && b.terms.length === 0) return a.times(b.offset);
        if (term.fn === "div" && b.terms.length === 0) return a.div(b.offset);
        break;
      }
      default:
        break;
    }
    const named = this.#writer.named(this.#integer(term, tile), "n");
    return Position.name(named.text, huge);
  }

  #integer(term: LoopTerm, tile: number): Term {
    if (term.kind !== "binary") throw internalFault("an index of a loop is no integer");
    const [a, b] = [term.a, term.b].map((part) => this.#writer.position(this.#position(part, tile)));
    if (a === undefined || b === undefined) throw internalFault("an index of a loop lacks a part");
    return binaryTerm(term.fn, a, b, this.#writer);
  }

  #term(term: LoopTerm, tile: number): Term {
    const writer = this.#writer;
    if (this.#isInteger(term)) {
      const isComparison = term.kind === "binary" && ["less", "equal", "less-equal"].includes(term.fn);
      return isComparison ? this.#integer(term, tile) : writer.position(this.#position(term, tile));
    }
    switch (term.kind) {
      case "number":
        return numberTerm(term.value, "f32");
      case "name": {
        const known = this.#names.get(term.name);
        const fixed = known?.terms?.[tile] ?? known?.terms?.[0];
        if (fixed !== undefined) return fixed;
        const text = known?.variable?.[tile] ?? known?.variable?.[0];
        if (known === undefined || text === undefined) throw internalFault(`nothing is called ${term.name}`);
        return writer.copied({ text, type: known.type, lanes: known.lanes, depth: writer.depth }, "now");
      }
      case "read":
        return writer.named(this.#read(term, tile), "x");
      case "unary":
        return unaryTerm(term.fn, this.#term(term.x, tile), writer);
      case "binary":
        return binaryTerm(term.fn, this.#term(term.a, tile), this.#term(term.b, tile), writer);
      case "choose": {
        const along = this.#along[tile];
        const lanes = along === undefined ? 1 : 4;
        const condition = this.#term(term.condition, tile);
        const name = writer.variable("w", "f32", `${typeText("f32", lanes)}()`, lanes);
        const put = (part: LoopTerm) => (): void =>
          writer.line(`${name} = ${widened(this.#term(part, tile), lanes).text};`);
        writer.either(condition.text, put(term.whenTrue), put(term.whenFalse));
        return { text: name, type: "f32", lanes, depth: writer.depth };
      }
      case "integer":
      case "coordinate":
        return writer.position(this.#position(term, tile));
    }
  }

  #read({ from, at }: Extract<LoopTerm, { kind: "read" }>, tile: number): Term {
    const positions = at.map((index) => this.#position(index, tile));
    const along = this.#along[tile];
    if (from.kind === "operand") {
      const operand = this.#group.root.operands[from.index];
      if (operand === undefined) throw internalFault(`there is no operand ${from.index}`);
      return this.#reader.read(operand, positions, along);
    }
    const located = this.#scratchAt(from);
    return this.#reader.fetch(located, positionIn(located, positions), along);
  }
}

function addedIn(body: readonly LoopStatement[]): string[] {
  const names = body.flatMap((statement) => {
    if (statement.kind === "add") return [statement.name];
    return statement.kind === "loop" || statement.kind === "if" ? addedIn(statement.body) : [];
  });
  return [...new Set(names)];
}
