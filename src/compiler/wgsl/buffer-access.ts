/**
 * How a kernel reads and writes a buffer, whatever form its elements are stored in.
 *
 * Owns: the functions of WGSL that unpack and pack, those that a kernel calls. What a kernel reads is f32, i32
 * or bool.
 */
import type { StoredDType } from "../plan.ts";
import type { Lanes, Part, ScalarType } from "./kernel-writer.ts";

export interface Binding {
  readonly parts: readonly Part[];
  readonly type: ScalarType;
  readonly stored: StoredDType;
  vector: boolean;
}

export function elementType({ type, stored, vector }: Binding): string {
  if (stored === "i8") return "vec4<u32>";
  const scalar = stored === "f16" ? "u32" : type === "bool" ? "u32" : type;
  return vector && stored !== "f16" ? `vec4<${scalar}>` : scalar;
}

/**
 * How an element, or four that start at a multiple of four, are read from a buffer: by their place, or, for
 * `quad`, by their number among all fours.
 */
interface Access {
  one(buffer: string, at: string): string;
  four(buffer: string, at: string): string;
  quad(buffer: string, at: string): string;
}

const halves: Access = {
  one: (b, i) => `unpack2x16float(${b}[(${i}) >> 1u])[(${i}) & 1]`,
  four: (b, i) => `vec4<f32>(unpack2x16float(${b}[(${i}) >> 1u]), unpack2x16float(${b}[((${i}) >> 1u) + 1]))`,
  quad: (b, i) => `vec4<f32>(unpack2x16float(${b}[(${i}) * 2]), unpack2x16float(${b}[(${i}) * 2 + 1]))`,
};

/** Four in a word, sixteen in a vector of words; shifts, because not every device unpacks signed bytes. */
const codes: Access = {
  one: (b, i) => `f32(extractBits(bitcast<i32>(${word(b, i)}), u32(((${i}) & 3) << 3u), 8u))`,
  four: (b, i) => unpacked(word(b, i)),
  quad: (b, i) => unpacked(`${b}[(${i}) >> 2u][(${i}) & 3]`),
};

const unpacked = (text: string): string =>
  `vec4<f32>(bitcast<vec4<i32>>(vec4<u32>(${text}) << vec4<u32>(24u, 16u, 8u, 0u)) >> vec4<u32>(24u))`;

const word = (b: string, i: string): string => `${b}[(${i}) >> 4u][((${i}) >> 2u) & 3]`;

function plain(type: ScalarType, vector: boolean): Access {
  const from = (raw: string, lanes: Lanes) =>
    type === "bool" ? `(${raw} != ${lanes === 1 ? "0u" : "vec4<u32>(0u)"})` : raw;
  return {
    one: (b, i) => from(vector ? `${b}[(${i}) >> 2u][(${i}) & 3]` : `${b}[${i}]`, 1),
    four: (b, i) => from(`${b}[(${i}) >> 2u]`, 4),
    quad: (b, i) => from(`${b}[${i}]`, 4),
  };
}

/** The functions that read and write a binding, those that the kernel calls. */
export function accessors(
  { parts, type, stored, vector }: Binding,
  number: number,
  first: number,
  text: string,
): string {
  const to = (value: string, lanes: Lanes) =>
    type === "bool" ? `select(${lanes === 1 ? "0u, 1u" : "vec4<u32>(0u), vec4<u32>(1u)"}, ${value})` : value;
  const access = stored === "f16" ? halves : stored === "i8" ? codes : plain(type, vector);
  const uses = (name: string) => text.includes(`${name}${number}(`);
  /** What it says for the part that an element is in. */
  const inPart = (
    say: (b: string, i: string, part: Part) => string,
    firstOf: (part: Part) => number = (part) => part.first,
  ): string =>
    parts
      .map((part, at) => {
        const after = parts[at + 1];
        const start = firstOf(part);
        const said = say(`b${first + at}`, start === 0 ? "i" : `i - ${start}`, part);
        return after === undefined ? said : `if (i < ${firstOf(after)}) { ${said} }`;
      })
      .join(" ");
  const lines: string[] = [];
  if (uses("one")) {
    lines.push(`fn one${number}(i: i32) -> ${type} { ${inPart((b, i) => `return ${access.one(b, i)};`)} }`);
  }
  if (uses("four")) {
    lines.push(
      `fn four${number}(i: i32) -> vec4<${type}> { ${inPart((b, i) => `return ${access.four(b, i)};`)} }`,
    );
  }
  const quarterOf = ({ first: start }: Part): number => start / 4;
  if (uses("quad")) {
    const say = (b: string, i: string) => `return ${access.quad(b, i)};`;
    lines.push(`fn quad${number}(i: i32) -> vec4<${type}> { ${inPart(say, quarterOf)} }`);
  }
  if (uses("put_quad")) {
    const say = (b: string, i: string) => `${b}[${i}] = ${to("value", 4)};`;
    lines.push(`fn put_quad${number}(i: i32, value: vec4<${type}>) { ${inPart(say, quarterOf)} }`);
  }
  /** The four scales that the one with this number is among. */
  const fourScales = (b: string, i: string, { scales }: Part): string =>
    `${b}[${(scales?.start ?? 0) / 16} + ((${i}) >> 2u)]`;
  const firstScale = ({ scales }: Part): number => scales?.first ?? 0;
  if (uses("scale")) {
    const say = (b: string, i: string, part: Part) =>
      `return bitcast<f32>(${fourScales(b, i, part)}[(${i}) & 3]);`;
    lines.push(`fn scale${number}(i: i32) -> f32 { ${inPart(say, firstScale)} }`);
  }
  if (uses("scale_four")) {
    const say = (b: string, i: string, part: Part) => `return bitcast<vec4<f32>>(${fourScales(b, i, part)});`;
    lines.push(`fn scale_four${number}(i: i32) -> vec4<f32> { ${inPart(say, firstScale)} }`);
  }
  if (uses("put")) {
    const say = (b: string, i: string) => (vector ? `${b}[(${i}) >> 2u][(${i}) & 3]` : `${b}[${i}]`);
    lines.push(
      `fn put${number}(i: i32, value: ${type}) { ${inPart((b, i) => `${say(b, i)} = ${to("value", 1)};`)} }`,
    );
  }
  if (uses("put_four")) {
    lines.push(
      `fn put_four${number}(i: i32, value: vec4<${type}>) { ${inPart((b, i) => `${b}[(${i}) >> 2u] = ${to("value", 4)};`)} }`,
    );
  }
  return lines.join("\n");
}
