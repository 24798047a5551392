/**
 * Functions of WGSL that kernels call: what the language lacks, or leaves open.
 */
import { increment, multiplier, wordMultiplier } from "../ops/hash.ts";

export const functions: Readonly<Record<string, string>> = {
  // W. J. Cody's rational forms are more than f32 needs: Abramowitz and Stegun 7.1.26 near its limit, with the
  // series where cancellation would show.
  erf_one: `fn erf_one(x: f32) -> f32 {
  let a = abs(x);
  if (a < 0.5) {
    let s = x * x;
    return x * (1.1283791671 + s * (-0.3761263890 + s * (0.1128379167 + s * (-0.0268661706 + s * (0.0052239776 - s * 0.0008548327)))));
  }
  let t = 1.0 / (1.0 + 0.3275911 * a);
  let y = 1.0 - t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))) * exp(-a * a);
  return select(y, -y, x < 0.0);
}`,
  erf_four: `fn erf_four(x: vec4<f32>) -> vec4<f32> {
  let a = abs(x);
  let s = x * x;
  let near = x * (1.1283791671 + s * (-0.3761263890 + s * (0.1128379167 + s * (-0.0268661706 + s * (0.0052239776 - s * 0.0008548327)))));
  let t = 1.0 / (1.0 + 0.3275911 * a);
  let y = 1.0 - t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))) * exp(-a * a);
  return select(select(y, -y, x < vec4<f32>(0.0)), near, a < vec4<f32>(0.5));
}`,
  log1p_one: `fn log1p_one(x: f32) -> f32 {
  let u = 1.0 + x;
  return select(log(u) * x / (u - 1.0), x, u == 1.0);
}`,
  log1p_four: `fn log1p_four(x: vec4<f32>) -> vec4<f32> {
  return vec4<f32>(log1p_one(x.x), log1p_one(x.y), log1p_one(x.z), log1p_one(x.w));
}`,
  power_one: `fn power_one(x: f32, y: f32) -> f32 {
  if (y == 0.0) { return 1.0; }
  if (x == 0.0) { return select(0.0, 1.0 / x, y < 0.0); }
  let p = pow(abs(x), y);
  let odd = abs(y) - 2.0 * floor(abs(y) / 2.0) == 1.0;
  return select(p, -p, x < 0.0 && odd);
}`,
  power_four: `fn power_four(x: vec4<f32>, y: vec4<f32>) -> vec4<f32> {
  return vec4<f32>(power_one(x.x, y.x), power_one(x.y, y.y), power_one(x.z, y.z), power_one(x.w, y.w));
}`,
  // Devices may be as far off as 2^-11: taken to [-pi/4, pi/4] in three parts, then the series to f32's end.
  sine_one: `fn sine_one(x: f32) -> f32 {
  let turns = round(x * 0.6366197723675814);
  let r = ((x - turns * 1.5703125) - turns * 4.837512969970703e-4) - turns * 7.549789948768648e-8;
  let s = r * r;
  let odd = r * (1.0 + s * (-0.16666666667 + s * (0.0083333310 + s * (-0.00019840874 + s * 0.0000027526))));
  let even = 1.0 + s * (-0.5 + s * (0.0416666642 + s * (-0.0013888397 + s * 0.0000247609)));
  let quarter = i32(turns) & 3;
  let value = select(odd, even, (quarter & 1) == 1);
  return select(value, -value, quarter > 1);
}`,
  sine_four: `fn sine_four(x: vec4<f32>) -> vec4<f32> {
  return vec4<f32>(sine_one(x.x), sine_one(x.y), sine_one(x.z), sine_one(x.w));
}`,
  cosine_one: `fn cosine_one(x: f32) -> f32 {
  let turns = round(x * 0.6366197723675814);
  let r = ((x - turns * 1.5703125) - turns * 4.837512969970703e-4) - turns * 7.549789948768648e-8;
  let s = r * r;
  let odd = r * (1.0 + s * (-0.16666666667 + s * (0.0083333310 + s * (-0.00019840874 + s * 0.0000027526))));
  let even = 1.0 + s * (-0.5 + s * (0.0416666642 + s * (-0.0013888397 + s * 0.0000247609)));
  let quarter = i32(turns) & 3;
  let value = select(even, odd, (quarter & 1) == 1);
  return select(value, -value, quarter == 1 || quarter == 2);
}`,
  cosine_four: `fn cosine_four(x: vec4<f32>) -> vec4<f32> {
  return vec4<f32>(cosine_one(x.x), cosine_one(x.y), cosine_one(x.z), cosine_one(x.w));
}`,
  pcg: `fn pcg(value: u32) -> u32 {
  let state = value * ${multiplier}u + ${increment}u;
  let word = ((state >> ((state >> 28u) + 4u)) ^ state) * ${wordMultiplier}u;
  return (word >> 22u) ^ word;
}`,
};

const needs: Readonly<Record<string, readonly string[]>> = {
  log1p_four: ["log1p_one"],
  power_four: ["power_one"],
  sine_four: ["sine_one"],
  cosine_four: ["cosine_one"],
};

/** Those that the text calls, what they need first. */
export function functionsOf(text: string): string[] {
  const called = Object.keys(functions).filter((name) => text.includes(`${name}(`));
  return [...new Set(called.flatMap((name) => [...(needs[name] ?? []), name]))];
}
