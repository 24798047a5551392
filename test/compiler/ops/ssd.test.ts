/** ssd against the plain recurrence, whole and in pieces, and the counts of both its forms. */
import { describe, expect, test } from "vitest";
import { allocate, type HostTensor } from "../../../src/compiler/host-tensor.ts";
import { CountingMeter } from "../../../src/compiler/ops/arithmetic.ts";
import { causalConv } from "../../../src/compiler/ops/causal-conv.ts";
import { ssd } from "../../../src/compiler/ops/ssd/index.ts";
import { Dim } from "../../../src/lang/dims.ts";
import type { TensorType } from "../../../src/lang/types.ts";
import { randomNumbers } from "../../support/samples.ts";

interface Shape {
  readonly batch: number;
  readonly length: number;
  readonly heads: number;
  readonly width: number;
  readonly groups: number;
  readonly state: number;
}

const chunk = 16;

/** x, dt, A, B, C, D and a state, in the ranges of a trained model; `dt` up to `fastest`. */
function draw(shape: Shape, fastest = 0.5): HostTensor[] {
  const { batch, length, heads, width, groups, state } = shape;
  const random = randomNumbers(11);
  const tensor = (low: number, high: number, ...dims: number[]): HostTensor => {
    const made = allocate("f32", dims);
    for (let i = 0; i < made.data.length; i++) made.data[i] = low + (high - low) * random();
    return made;
  };
  return [
    tensor(-2, 2, batch, length, heads, width),
    tensor(0.001, fastest, batch, length, heads),
    tensor(-16, -0.1, heads),
    tensor(-1, 1, batch, length, groups, state),
    tensor(-1, 1, batch, length, groups, state),
    tensor(-1, 1, heads),
    tensor(-1, 1, batch, heads, width, state),
  ];
}

function recur(operands: readonly HostTensor[], shape: Shape): readonly [HostTensor, HostTensor] {
  const [x, dt, A, B, C, D, before] = operands.map((operand) => operand.data);
  const { batch, length, heads, width, groups, state } = shape;
  const y = allocate("f32", [batch, length, heads, width]);
  const after = allocate("f32", [batch, heads, width, state]);
  if (!x || !dt || !A || !B || !C || !D) throw new Error("an operand is missing");
  after.data.set(before ?? []);
  const read = (data: HostTensor["data"], at: number): number => data[at] ?? Number.NaN;
  for (let b = 0; b < batch; b++) {
    for (let t = 0; t < length; t++) {
      for (let h = 0; h < heads; h++) {
        const time = b * length + t;
        const group = (time * groups + Math.floor(h / (heads / groups))) * state;
        const step = read(dt, time * heads + h);
        for (let p = 0; p < width; p++) {
          const input = read(x, (time * heads + h) * width + p);
          let sum = read(D, h) * input;
          for (let n = 0; n < state; n++) {
            const cell = ((b * heads + h) * width + p) * state + n;
            const kept = Math.exp(step * read(A, h)) * read(after.data, cell);
            after.data[cell] = kept + step * input * read(B, group + n);
            sum += read(C, group + n) * read(after.data, cell);
          }
          y.data[(time * heads + h) * width + p] = sum;
        }
      }
    }
  }
  return [y, after];
}

function run(operands: readonly HostTensor[], length: Dim = Dim.of(operands[0]?.shape[1] ?? 0)) {
  const shape = (tensor: HostTensor | undefined) => tensor?.shape ?? [];
  const [batch = 0, count = 0, heads = 0, width = 0] = shape(operands[0]);
  const state = shape(operands[3])[3] ?? 0;
  const declared = operands.map((tensor, index): TensorType => {
    const timed = index < 2 || index === 3 || index === 4;
    const dims = tensor.shape.map((size, axis) => (timed && axis === 1 ? length : Dim.of(size)));
    return { dtype: "f32", shape: dims };
  });
  const meter = new CountingMeter();
  const results = [
    { dtype: "f32" as const, shape: [batch, count, heads, width] },
    { dtype: "f32" as const, shape: [batch, heads, width, state] },
  ];
  const tensors = ssd.reference(operands, { attributes: { chunk }, declared, results, meter });
  const cost = ssd.cost({ operands: declared, results: [], attributes: { chunk } });
  const bindings = new Map([...length.symbols()].map((name) => [name, count]));
  return { tensors, counted: meter.macs, declared: cost.macs.evaluate(bindings) };
}

function expectEqual(got: HostTensor | undefined, want: HostTensor | undefined): void {
  expect(got?.shape).toEqual(want?.shape);
  want?.data.forEach((value, at) => {
    const off = Math.abs((got?.data[at] ?? Number.NaN) - value);
    if (!(off <= 1e-12 + 1e-12 * Math.abs(value)))
      expect.fail(`element ${at} is ${got?.data[at]}, not ${value}`);
  });
}

/** Positions `from` to `to` of everything that has a time axis. */
function piece(operands: readonly HostTensor[], from: number, to: number): HostTensor[] {
  return operands.slice(0, 6).map((tensor, index) => {
    if (index === 2 || index === 5) return tensor;
    const [batch = 0, length = 0, ...rest] = tensor.shape;
    const row = rest.reduce((product, size) => product * size, 1);
    const cut = allocate("f32", [batch, to - from, ...rest]);
    for (let b = 0; b < batch; b++) {
      const source = tensor.data.subarray((b * length + from) * row, (b * length + to) * row);
      cut.data.set(source, b * (to - from) * row);
    }
    return cut;
  });
}

describe("ssd", () => {
  const lengths = [1, 2, 7, chunk - 1, chunk, chunk + 1, 37, 3 * chunk];
  const shapes = lengths.flatMap((length) =>
    [1, 2].map((groups): Shape => ({ batch: 2, length, heads: 4, width: 3, groups, state: 5 })),
  );

  test.each(shapes)("in chunks is the recurrence: length $length, $groups groups", (shape) => {
    const operands = draw(shape);
    for (const given of [operands, operands.slice(0, 6)]) {
      const want = recur(given, shape);
      for (const length of [Dim.of(shape.length), Dim.symbol("L")]) {
        const { tensors, counted, declared } = run(given, length);
        tensors.forEach((tensor, at) => {
          expectEqual(tensor, want[at]);
        });
        expect(counted).toBe(declared);
      }
    }
  });

  test("decays of hundreds overflow nothing", () => {
    const shape = { batch: 1, length: 40, heads: 2, width: 2, groups: 1, state: 3 };
    const operands = draw(shape, 60);
    const want = recur(operands, shape);
    run(operands).tensors.forEach((tensor, at) => {
      expectEqual(tensor, want[at]);
    });
  });

  test("goes on from the state of any earlier piece", () => {
    const shape = { batch: 2, length: 41, heads: 4, width: 3, groups: 2, state: 5 };
    const operands = draw(shape);
    const [, whole] = recur(operands, shape);
    let [, , , , , , state] = operands;
    for (const [from, to] of [
      [0, 17],
      [17, 18],
      [18, 40],
      [40, 41],
    ] as const) {
      const part = [...piece(operands, from, to), ...(state ? [state] : [])];
      [, state] = run(part).tensors;
    }
    expectEqual(state, whole);
  });

  test("counts one step of the 130m model as the accounting has it", () => {
    const types = [[1, 1, 24, 64], [1, 1, 24], [24], [1, 1, 1, 128], [1, 1, 1, 128], [24]].map(
      (shape): TensorType => ({ dtype: "f32", shape: shape.map((size) => Dim.of(size)) }),
    );
    const cost = ssd.cost({ operands: types, results: [], attributes: { chunk } });
    expect(cost.macs.constant).toBe((9_437_184 + 36_864) / 24);
  });

  test("refuses heads that groups do not divide, and chunks of nothing", () => {
    const types = draw({ batch: 1, length: 3, heads: 4, width: 2, groups: 3, state: 2 }).map(
      ({ shape }): TensorType => ({ dtype: "f32", shape: shape.map((size) => Dim.of(size)) }),
    );
    const indivisible = ssd.infer(types, {});
    expect(indivisible.ok ? "" : indivisible.problem.message).toContain("the groups divide the heads");
    const empty = ssd.infer(types, { chunk: 0 });
    expect(empty.ok ? "" : empty.problem.message).toContain("must be 1 or more");
  });
});

test("causal_conv goes on from the columns that it kept", () => {
  const random = randomNumbers(5);
  const tensor = (...shape: number[]): HostTensor => {
    const made = allocate("f32", shape);
    made.data.forEach((_, at) => {
      made.data[at] = random() - 0.5;
    });
    return made;
  };
  const [length, channels, width] = [9, 3, 4];
  const [x, weight, bias] = [tensor(1, length, channels), tensor(channels, width), tensor(channels)];
  const convolve = (from: number, to: number, state?: HostTensor) => {
    const part = {
      ...x,
      shape: [1, to - from, channels],
      data: x.data.subarray(from * channels, to * channels),
    };
    const results = [
      { dtype: "f32" as const, shape: part.shape },
      { dtype: "f32" as const, shape: [1, channels, width] },
    ];
    const operands = [part, weight, bias, ...(state ? [state] : [])];
    return causalConv.reference(operands, { attributes: {}, results, meter: new CountingMeter() });
  };
  const [want, last] = convolve(0, length);
  const pieces: number[] = [];
  let state: HostTensor | undefined;
  for (const [from, to] of [
    [0, 2],
    [2, 3],
    [3, 9],
  ] as const) {
    const [got, next] = convolve(from, to, state);
    pieces.push(...(got?.data ?? []));
    state = next;
  }
  expect(pieces).toEqual([...(want?.data ?? [])]);
  expect(state).toEqual(last);
  // The newest column is the last input, before any filter.
  expect(last?.data[width - 1]).toBe(x.data[(length - 1) * channels]);
});
