/**
 * Connectors without a recorded case, held to what they are said to do: by numbers computed here, or
 * by another way to the same result.
 */
import { describe, expect, test } from "vitest";
import type { HostTensor } from "../../src/compiler/host-tensor.ts";
import { expectClose, referenceCloseness, type Tensors, tensorOf } from "../support/tensors.ts";
import { literal, runSource } from "./run-source.ts";

/** Distinct numbers without a pattern that a wrong order would keep. */
function numbers(shape: readonly number[], seed = 1): HostTensor {
  const length = shape.reduce((product, size) => product * size, 1);
  return { dtype: "f32", shape, data: Float64Array.from({ length }, (_, i) => Math.sin(seed + i * 1.7)) };
}

function at(tensor: HostTensor, ...place: number[]): number {
  const flat = place.reduce((sum, index, axis) => sum * (tensor.shape[axis] ?? 0) + index, 0);
  return tensor.data[flat] ?? Number.NaN;
}

const tokens = (tensor: HostTensor): number => tensor.shape[1] ?? 0;

describe("grid", () => {
  const imports = 'import { ConcatFrequency, FrequencyMajor, TimeMajor } from "ossicle/connectors/grid.oss"';
  const x = numbers([2, 12, 3]);

  async function arranged(connector: string, extra = ""): Promise<Tensors> {
    return await runSource(
      `${imports}
      model M() {
        input x: f32[B, 12, 3]
        input mark: f32[S, 3]
        let arrange = ${connector}
        entry run(x, mark) -> y: f32[B, N, W] = arrange(x${extra})
      }`,
      { x: literal(x), mark: literal(numbers([2, 3], 50)) },
    );
  }

  test("frequencies side by side: rows of the grid become tokens", async () => {
    const y = tensorOf(await arranged("ConcatFrequency(4, 3)"), "y");
    expect(y.shape).toEqual([2, 4, 9]);
    expect([...y.data]).toEqual([...x.data].map(Math.fround));
  });

  test.each([
    ["TimeMajor", 4, (group: number, member: number) => group * 3 + member],
    ["FrequencyMajor", 3, (group: number, member: number) => member * 3 + group],
  ] as const)("%s: every token once, with the separator between groups", async (name, groups, place) => {
    const y = tensorOf(await arranged(`${name}(4, 3, 3, learned: false)`, ", mark"), "y");
    const mark = numbers([2, 3], 50);
    const members = 12 / groups;
    expect(y.shape).toEqual([2, 12 + (groups - 1) * 2, 3]);
    for (const row of [0, 1]) {
      let token = 0;
      for (let group = 0; group < groups; group++) {
        for (let member = 0; member < members; member++, token++) {
          for (let c = 0; c < 3; c++) {
            expect(at(y, row, token, c)).toBe(Math.fround(at(x, row, place(group, member), c)));
          }
        }
        for (let s = 0; s < 2 && group + 1 < groups; s++, token++) {
          for (let c = 0; c < 3; c++) expect(at(y, row, token, c)).toBe(Math.fround(at(mark, s, c)));
        }
      }
      expect(token).toBe(tokens(y));
    }
  });

  test.each([
    ["TimeMajor", 512 + 63],
    ["FrequencyMajor", 512 + 7],
  ])("%s of EAT's grid, with a learned separator", async (name, length) => {
    const source = `${imports}
      model M() {
        input x: f32[B, 512, 4]
        arrange = ${name}(width: 4)
        entry run(x) -> y: f32[B, N, 4] = arrange(x)
      }`;
    const y = tensorOf(await runSource(source, { x: literal(numbers([1, 512, 4])) }), "y");
    expect(y.shape).toEqual([1, length, 4]);
    const group = name === "TimeMajor" ? 8 : 64;
    const separator = [0, 1, 2, 3].map((c) => at(y, 0, group, c));
    expect([0, 1, 2, 3].map((c) => at(y, 0, 2 * group + 1, c))).toEqual(separator);
  });
});

test("LTU's pooling", async () => {
  const x = numbers([1, 12, 4]);
  const got = await runSource(
    `import { LtuPool } from "ossicle/connectors/pooling.oss"
    model M() {
      input x: f32[B, 12, 4]
      pool = LtuPool(rows: 2, columns: 6, width: 4, output: 5)
      entry run(x) -> y: f32[B, M, 5] = pool(x)
    }`,
    { x: literal(x) },
    ["--tap", "pool.pooled"],
  );
  const want: number[] = [];
  for (let group = 0; group < 3; group++) {
    for (let c = 0; c < 4; c++) {
      let sum = 0;
      for (const row of [0, 1])
        for (const k of [0, 1]) sum += Math.fround(at(x, 0, row * 6 + group * 2 + k, c));
      want.push(sum / 4);
    }
  }
  const pooled = tensorOf(got, "pool.pooled");
  expect(pooled.shape).toEqual([1, 3, 4]);
  expectClose(pooled, { ...pooled, data: Float64Array.from(want) }, referenceCloseness, "pooled");
  expect(tensorOf(got, "y").shape).toEqual([1, 3, 5]);
});

test("a windowed Q-Former is a Q-Former on each window, without what is left over", async () => {
  const x = numbers([2, 11, 6]);
  const connector = (window: number): string =>
    `WindowedQFormer(6, 5, window: ${window}, queries: 2, width: 8, heads: 2, hidden: 16)`;
  const source = (window: number): string => `
    import { WindowedQFormer } from "ossicle/connectors/qformer.oss"
    model M() {
      input x: f32[B, N, 6]
      let connector = ${connector(window)}
      entry run(x) -> y: f32[B, M, 5] = connector(x)
    }`;
  const whole = tensorOf(await runSource(source(3), { x: literal(x) }), "y");
  expect(whole.shape).toEqual([2, 6, 5]);
  for (let window = 0; window < 3; window++) {
    const rows = [0, 1].flatMap((row) => [...x.data.subarray((row * 11 + window * 3) * 6).subarray(0, 18)]);
    const part = { ...x, shape: [2, 3, 6], data: Float64Array.from(rows) };
    const alone = tensorOf(await runSource(source(3), { x: literal(part) }), "y");
    expect(alone.shape).toEqual([2, 2, 5]);
    const want = [0, 1].flatMap((row) => [
      ...whole.data.subarray((row * 6 + window * 2) * 5).subarray(0, 10),
    ]);
    expectClose(alone, { ...alone, data: Float64Array.from(want) }, referenceCloseness, `window ${window}`);
  }
});

test("a Perceiver gives its number of tokens, whatever the order of those it is given", async () => {
  const x = numbers([2, 9, 6]);
  const source = `
    import { Perceiver } from "ossicle/connectors/attention.oss"
    model M() {
      input x: f32[B, N, 6]
      connector = Perceiver(6, 5, width: 8, queries: 4, depth: 2, heads: 2)
      entry run(x) -> y: f32[B, 4, 5] = connector(x)
    }`;
  const y = tensorOf(await runSource(source, { x: literal(x) }), "y");
  const reversed = [0, 1].flatMap((row) =>
    [8, 7, 6, 5, 4, 3, 2, 1, 0].flatMap((token) => [
      ...x.data.subarray((row * 9 + token) * 6, (row * 9 + token + 1) * 6),
    ]),
  );
  const other = { ...x, data: Float64Array.from(reversed) };
  expectClose(
    tensorOf(await runSource(source, { x: literal(other) }), "y"),
    y,
    referenceCloseness,
    "reversed",
  );
  const rows = [0, 1].map((row) => [...y.data.subarray(row * 20, (row + 1) * 20)]);
  expect(rows[0]).not.toEqual(rows[1]);
});
