/**
 * ssd as loops: one stage for a step, four for a sequence in chunks.
 *
 * Decays within a chunk are products of exponentials of sums that run backward from a position, so no
 * cumulative sums are stored and no difference of large ones is taken.
 */
import { Dim } from "../../../lang/dims.ts";
import {
  add,
  below,
  coordinate,
  define,
  exponential,
  integer,
  type LoopProgram,
  type LoopStatement,
  type LoopTerm,
  minus,
  name,
  operandAt,
  over,
  plus,
  result,
  same,
  scratch,
  scratchAt,
  store,
  sum,
  times,
  when,
} from "../loops.ts";
import type { LoweringContext } from "../lowering.ts";
import { chunksOf, isStep, neededPairs, sizesOf } from "./form.ts";
import { decayProducts } from "./overhead.ts";

const first = coordinate(0);
const second = coordinate(1);
const third = coordinate(2);
const fourth = coordinate(3);
const fifth = coordinate(4);
const zero = integer(Dim.of(0));
const one = integer(Dim.of(1));

const x = (b: LoopTerm, l: LoopTerm, h: LoopTerm, p: LoopTerm): LoopTerm => operandAt(0, b, l, h, p);
const dt = (b: LoopTerm, l: LoopTerm, h: LoopTerm): LoopTerm => operandAt(1, b, l, h);
const rate = (h: LoopTerm): LoopTerm => operandAt(2, h);
const into = (b: LoopTerm, l: LoopTerm, g: LoopTerm, n: LoopTerm): LoopTerm => operandAt(3, b, l, g, n);
const out = (b: LoopTerm, l: LoopTerm, g: LoopTerm, n: LoopTerm): LoopTerm => operandAt(4, b, l, g, n);
const skip = (h: LoopTerm): LoopTerm => operandAt(5, h);

const loop = (
  text: string,
  from: LoopTerm,
  to: LoopTerm,
  isFree: boolean,
  body: readonly LoopStatement[],
): LoopStatement => ({ kind: "loop", name: text, from, to, isFree, body });

const skippedPairs = "pairs of a chunk whose second lies ahead of the first, which are skipped";
const skippedPositions = "positions that fill the last chunk, which are skipped";

export function loopsOf({ operands, attributes }: LoweringContext): LoopProgram {
  const sizes = sizesOf(operands);
  const { batch, length, heads, width, groups, state } = sizes;
  const perGroup = integer(heads.floorDivide(groups));
  const hasState = operands.length > 6;
  const before = (b: LoopTerm, h: LoopTerm, p: LoopTerm, n: LoopTerm): LoopTerm =>
    hasState ? operandAt(6, b, h, p, n) : { kind: "number", value: 0 };
  const states = integer(state);
  if (isStep(length)) {
    const [b, h, p] = [first, second, third];
    return {
      scratch: [],
      stages: [
        {
          name: "step",
          grid: [batch, heads, width],
          wide: undefined,
          macs: batch.mul(heads).mul(width).mul(state.mul(3).add(1)),
          overhead: [{ reason: decayProducts, macs: batch.mul(heads).mul(width).mul(state) }],
          body: [
            define("group", over(h, perGroup)),
            define("time", dt(b, zero, h)),
            define("decay", exponential(times(name("time"), rate(h)))),
            define("input", x(b, zero, h, p)),
            define("entering", times(name("time"), name("input"))),
            sum("y"),
            loop("n", zero, states, true, [
              define(
                "now",
                plus(
                  times(name("decay"), before(b, h, p, name("n"))),
                  times(name("entering"), into(b, zero, name("group"), name("n"))),
                ),
              ),
              store(result(1), [b, h, p, name("n")], name("now")),
              add("y", times(name("now"), out(b, zero, name("group"), name("n")))),
            ]),
            store(result(0), [b, zero, h, p], plus(name("y"), times(skip(h), name("input")))),
          ],
        },
      ],
    };
  }
  const chunks = chunksOf(length, attributes);
  const floats = (...shape: Dim[]) => ({ dtype: "f32" as const, shape });
  const [pairs, passed, decays] = [0, 1, 2];
  const chunkStart = (c: LoopTerm): LoopTerm => times(c, integer(chunks.length));
  const end = integer(length);
  /** The length of a chunk: the last may be shorter. */
  const chunkSize = (c: LoopTerm): LoopTerm => ({
    kind: "binary",
    fn: "min",
    a: integer(chunks.length),
    b: minus(end, chunkStart(c)),
  });
  const padded = chunks.count.mul(chunks.length);
  const allPairs = batch.mul(padded).mul(chunks.length);
  const needed = batch.mul(neededPairs(length, chunks));
  const ahead = needed.sub(allPairs);
  const filled = batch.mul(heads).mul(state).mul(width).mul(length.sub(padded));
  return {
    scratch: [
      floats(batch, chunks.count, groups, chunks.length, chunks.length),
      floats(batch, chunks.count, heads, state, width),
      floats(batch, chunks.count, heads, width),
    ],
    stages: [
      {
        // C Bᵀ in each chunk, once for a group.
        name: "pairs",
        grid: [batch, chunks.count, groups, chunks.length, chunks.length],
        wide: undefined,
        macs: needed.mul(groups).mul(state),
        overhead: [{ reason: skippedPairs, macs: ahead.mul(groups).mul(state) }],
        body: [
          define("i", plus(chunkStart(second), fourth)),
          define("j", plus(chunkStart(second), fifth)),
          when(below(name("i"), end), [
            when(below(fifth, plus(fourth, one)), [
              sum("dot"),
              loop("n", zero, states, true, [
                add(
                  "dot",
                  times(out(first, name("i"), third, name("n")), into(first, name("j"), third, name("n"))),
                ),
              ]),
              store(scratch(pairs), [first, second, third, fourth, fifth], name("dot")),
            ]),
          ]),
        ],
      },
      {
        // What each chunk adds to the state, from its last position backward.
        name: "states",
        grid: [batch, chunks.count, heads, state, width],
        wide: 4,
        macs: batch.mul(length).mul(heads).mul(state).mul(width),
        shared: { reason: decayProducts, macs: batch.mul(length).mul(heads).mul(state) },
        overhead: [{ reason: skippedPositions, macs: filled }],
        body: [
          define("group", over(third, perGroup)),
          define("size", chunkSize(second)),
          define("start", chunkStart(second)),
          define("slope", rate(third)),
          sum("tail"),
          sum("own"),
          loop("r", zero, name("size"), false, [
            define("t", plus(name("start"), minus(minus(name("size"), one), name("r")))),
            define("time", dt(first, name("t"), third)),
            define(
              "weight",
              times(
                times(exponential(name("tail")), name("time")),
                into(first, name("t"), name("group"), fourth),
              ),
            ),
            add("own", times(name("weight"), x(first, name("t"), third, fifth))),
            add("tail", times(name("time"), name("slope"))),
          ]),
          store(scratch(passed), [first, second, third, fourth, fifth], name("own")),
          when(same(fourth, zero), [
            store(scratch(decays), [first, second, third, fifth], exponential(name("tail"))),
          ]),
        ],
      },
      {
        // The state from chunk to chunk: each chunk's own part is replaced by the state before it.
        name: "passing",
        grid: [batch, heads, state, width],
        wide: 3,
        macs: batch.mul(chunks.count).mul(heads).mul(state).mul(width),
        overhead: [{ reason: decayProducts, macs: batch.mul(chunks.count).mul(heads).mul(state).mul(width) }],
        body: [
          sum("held"),
          add("held", before(first, second, fourth, third)),
          loop("c", zero, integer(chunks.count), false, [
            define("own", scratchAt(passed, first, name("c"), second, third, fourth)),
            define("decay", scratchAt(decays, first, name("c"), second, fourth)),
            store(scratch(passed), [first, name("c"), second, third, fourth], name("held")),
            add(
              "held",
              plus(times(minus(name("decay"), { kind: "number", value: 1 }), name("held")), name("own")),
            ),
          ]),
          store(result(1), [first, second, fourth, third], name("held")),
        ],
      },
      {
        name: "outputs",
        grid: [batch, length, heads, width],
        wide: 3,
        macs: heads.mul(width).mul(needed.add(batch.mul(length).mul(state.add(2)))),
        shared: { reason: decayProducts, macs: heads.mul(needed) },
        overhead: [
          { reason: skippedPairs, macs: ahead.mul(heads).mul(width) },
          { reason: decayProducts, macs: batch.mul(length).mul(heads).mul(width) },
          { reason: skippedPositions, macs: filled },
        ],
        body: [
          define("group", over(third, perGroup)),
          define("chunk", over(second, integer(chunks.length))),
          define("start", chunkStart(name("chunk"))),
          define("row", minus(second, name("start"))),
          define("slope", rate(third)),
          sum("tail"),
          sum("near"),
          loop("r", zero, plus(name("row"), one), false, [
            define("j", minus(name("row"), name("r"))),
            define("t", plus(name("start"), name("j"))),
            define("time", dt(first, name("t"), third)),
            define(
              "weight",
              times(
                times(exponential(name("tail")), name("time")),
                scratchAt(pairs, first, name("chunk"), name("group"), name("row"), name("j")),
              ),
            ),
            add("near", times(name("weight"), x(first, name("t"), third, fourth))),
            add("tail", times(name("time"), name("slope"))),
          ]),
          sum("far"),
          loop("n", zero, states, false, [
            add(
              "far",
              times(
                out(first, second, name("group"), name("n")),
                scratchAt(passed, first, name("chunk"), third, name("n"), fourth),
              ),
            ),
          ]),
          store(
            result(0),
            [first, second, third, fourth],
            plus(
              plus(name("near"), times(exponential(name("tail")), name("far"))),
              times(skip(third), x(first, second, third, fourth)),
            ),
          ),
        ],
      },
    ],
  };
}
