/**
 * Running ops that are loops of their own, in JavaScript.
 */
import { allocate, type HostTensor, rowMajorStrides } from "./host-tensor.ts";
import type { LoopPlace, LoopProgram, LoopStatement, LoopTerm } from "./ops/loops.ts";
import { binaryFunctions, unaryFunctions } from "./ops/scalar-closure.ts";
import { walk } from "./walk.ts";

const noSymbols: ReadonlyMap<string, number> = new Map();

interface State {
  coordinates: readonly number[];
  readonly names: Map<string, number>;
  /** Products so far that became terms of sums. */
  macs: number;
}

type Closure = (state: State) => number;
type Action = (state: State) => void;
type Tensors = (place: LoopPlace) => HostTensor;

/** Runs the stages in order; every dimension must be a number. Returns the multiply-adds of each stage. */
export function evaluateLoops(
  program: LoopProgram,
  operands: readonly HostTensor[],
  results: readonly HostTensor[],
): readonly number[] {
  const scratch = program.scratch.map(({ dtype, shape }) =>
    allocate(
      dtype,
      shape.map((dim) => dim.evaluate(noSymbols)),
    ),
  );
  const kinds = { operand: operands, scratch, result: results };
  const tensors: Tensors = ({ kind, index }) => {
    const tensor = kinds[kind][index];
    if (tensor === undefined) throw new Error(`there is no ${kind} ${index}`);
    return tensor;
  };
  return program.stages.map(({ grid, body }) => {
    const run = sequence(body, tensors);
    const state: State = { coordinates: [], names: new Map(), macs: 0 };
    const sizes = grid.map((dim) => dim.evaluate(noSymbols));
    walk(sizes, [], (_position, _offsets, coordinates) => {
      state.coordinates = coordinates;
      run(state);
    });
    return state.macs;
  });
}

function sequence(statements: readonly LoopStatement[], tensors: Tensors): Action {
  const actions = statements.map((statement) => action(statement, tensors));
  return (state) => {
    for (const act of actions) act(state);
  };
}

function action(statement: LoopStatement, tensors: Tensors): Action {
  switch (statement.kind) {
    case "let": {
      const value = closure(statement.value, tensors);
      const macs = productsIn(statement.value);
      return (state) => {
        state.macs += macs;
        state.names.set(statement.name, value(state));
      };
    }
    case "sum":
      return ({ names }) => void names.set(statement.name, 0);
    case "add": {
      const value = closure(statement.value, tensors);
      const macs =
        statement.value.kind === "binary" && statement.value.fn === "mul" ? 1 : productsIn(statement.value);
      return (state) => {
        state.macs += macs;
        state.names.set(statement.name, (state.names.get(statement.name) ?? 0) + value(state));
      };
    }
    case "loop": {
      const from = closure(statement.from, tensors);
      const to = closure(statement.to, tensors);
      const body = sequence(statement.body, tensors);
      return (state) => {
        const end = to(state);
        for (let at = from(state); at < end; at++) {
          state.names.set(statement.name, at);
          body(state);
        }
      };
    }
    case "if": {
      const condition = closure(statement.condition, tensors);
      const body = sequence(statement.body, tensors);
      return (state) => {
        if (condition(state) !== 0) body(state);
      };
    }
    case "store": {
      const place = offset(statement.to, statement.at, tensors);
      const value = closure(statement.value, tensors);
      const { data } = tensors(statement.to);
      const macs = productsIn(statement.value);
      return (state) => {
        state.macs += macs;
        data[place(state)] = value(state);
      };
    }
  }
}

/** Products that are terms of a sum, of numbers that are no integers. */
function productsIn(term: LoopTerm): number {
  if (term.kind !== "binary" || term.fn !== "add" || isInteger(term)) return 0;
  const inPart = (part: LoopTerm): number =>
    part.kind === "binary" && part.fn === "mul" ? 1 : productsIn(part);
  return inPart(term.a) + inPart(term.b);
}

function offset(place: LoopPlace, at: readonly LoopTerm[], tensors: Tensors): Closure {
  const { shape } = tensors(place);
  const strides = rowMajorStrides(shape);
  const axes = at.map((term) => closure(term, tensors));
  return (state) =>
    axes.reduce((sum, axis, which) => {
      const index = axis(state);
      if (index < 0 || index >= (shape[which] ?? 0))
        throw new Error(`${place.kind} ${place.index} has no ${index}`);
      return sum + index * (strides[which] ?? 1);
    }, 0);
}

/** Integers stay integers: what is not a read or a function of reals. */
function isInteger(term: LoopTerm): boolean {
  return (
    term.kind === "integer" ||
    term.kind === "coordinate" ||
    (term.kind === "binary" && isInteger(term.a) && isInteger(term.b))
  );
}

function closure(term: LoopTerm, tensors: Tensors): Closure {
  switch (term.kind) {
    case "number":
      return () => term.value;
    case "integer": {
      const value = term.value.evaluate(noSymbols);
      return () => value;
    }
    case "coordinate":
      return ({ coordinates }) => coordinates[term.axis] ?? 0;
    case "name":
      return ({ names }) => names.get(term.name) ?? 0;
    case "read": {
      const place = offset(term.from, term.at, tensors);
      const { data } = tensors(term.from);
      return (state) => data[place(state)] ?? 0;
    }
    case "unary": {
      const fn = unaryFunctions[term.fn];
      const x = closure(term.x, tensors);
      return (state) => fn(x(state));
    }
    case "binary": {
      const fn = binaryFunctions[term.fn];
      const a = closure(term.a, tensors);
      const b = closure(term.b, tensors);
      if (term.fn === "div" && isInteger(term)) return (state) => Math.floor(a(state) / b(state));
      return (state) => fn(a(state), b(state));
    }
    case "choose": {
      const condition = closure(term.condition, tensors);
      const [whenTrue, whenFalse] = [closure(term.whenTrue, tensors), closure(term.whenFalse, tensors)];
      return (state) => (condition(state) !== 0 ? whenTrue(state) : whenFalse(state));
    }
  }
}
