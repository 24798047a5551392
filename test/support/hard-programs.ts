/**
 * Programs that ask for too much: endless, circular, exponential, or simply huge.
 *
 * Owns: their texts, and the codes that each must be answered with.
 */
export interface HardProgram {
  readonly name: string;
  readonly text: string;
  /** In the order of the text; none for a program that is only large. */
  readonly codes: readonly string[];
}

const lines = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => line(index)).join("\n");
const forward = (body: string, type = "f32[N]"): string => `forward(x: ${type}) -> ${type} = ${body}`;

/** Each is answered in a fraction of a second. */
export const hardPrograms: readonly HardProgram[] = [
  {
    name: "a model extends itself",
    text: "model M() extends M() { entry e() = 1 }",
    codes: ["endless-block"],
  },
  {
    name: "models extend one another",
    text: "model A() extends B() { }\nmodel B() extends A() { }",
    codes: ["endless-block"],
  },
  {
    name: "variants of one another",
    text: "block A = A()\nblock B = C()\nblock C = B()",
    codes: ["endless-block", "endless-block"],
  },
  {
    name: "a block contains a list of itself",
    text: `block T(n: int) { kids = [T(n) for i in 0..3]  ${forward("kids[0](x)")} }`,
    codes: ["endless-block"],
  },
  {
    name: "two blocks contain each other, two hundred at a time",
    text: `block E(n: int) { layers = [L(n) for i in 0..212]  ${forward("layers[0](x)")} }
block L(n: int) { inner = E(n)  ${forward("inner(x)")} }`,
    codes: ["endless-block"],
  },
  {
    name: "a block contains itself with a number that gets smaller, twenty times",
    text: `block T(n: int, of: int) { if n > 0 { inner = T(n - 1, of) }  ${forward("if n > 0 then inner(x) else x")} }
model M() { input x: f32[N]  t = T(20, 4)  entry e(x) = t(x) }`,
    codes: [],
  },
  {
    name: "names that hide what they were computed from",
    text: `block P(n: int) { forward(x: f32[n]) -> f32[n] = x }
block B(k: int) { forward(x: f32[N]) -> f32[N] { let m = k + 1  let k = m + 1  let m = k + m  P(m)(x) } }
model M() { input x: f32[7]  b = B(2)  entry e(x) = b(x) }`,
    codes: [],
  },
  {
    name: "layers around which an adapter puts layers like them, at every depth",
    text: `block Part(n: int) { param weight: f32[n] = zeros  ${forward("x + weight", "f32[n]")} }
adapter Around(on: [string]) { part = Part(4)  ${forward("part(base(x))", "f32[4]")} }
${lines(12, (i) => `block W${i}() { inner = W${i + 1}()  part = Part(4)  ${forward("inner(part(x))", "f32[4]")} }`)}
block W12() { ${forward("x", "f32[4]")} }
model M() { input x: f32[4]  w = W0() with Around(on: ["part"])  entry e(x) = w(x) }`,
    codes: [],
  },
  {
    name: "a block applies itself",
    text: `block T() { ${forward("T(x)")} }\nmodel M() { input x: f32[N]  entry e(x) = T(x) }`,
    codes: ["endless-block"],
  },
  {
    name: "a policy applies what it is installed on",
    text: `policy P() { on a(x: f32[B, N, C]) -> f32[B, N, C] = E(x) }
encoder E() { ${forward("site a(x)", "f32[B, N, C]")} }
model M() { input x: f32[B, N, C]  e = E() with P()  entry r(x) = e(x) }`,
    codes: ["endless-block"],
  },
  {
    name: "a loop of a thousand million turns",
    text: "block A() { forward(x: f32[N]) -> f32[N] { for i in 0..1000000000 { x = x + 1 }  x } }",
    codes: ["too-much-work"],
  },
  { name: "a list of ten million", text: "let a = [i for i in 0..10000000]", codes: ["too-much-work"] },
  {
    name: "a tensor split into a million",
    text: "block A() { forward(x: f32[1000000]) -> f32[1] { let a = split(x, 1000000)  a[0] } }",
    codes: ["too-much-work"],
  },
  {
    name: "a size whose name holds a sign that is no letter",
    text: "block B(width: int) {\n  forward(x: f32[N\u0890, width]) -> f32[N\u0890, width] = x\n}\n",
    codes: ["unknown-character", "unknown-character"],
  },
  {
    name: "a list that doubles",
    text: `let a0 = [1, 2]\n${lines(60, (i) => `let a${i + 1} = a${i} + a${i}`)}`,
    codes: ["bad-arithmetic"],
  },
  {
    name: "a string that doubles",
    text: `let a0 = "words"\n${lines(60, (i) => `let a${i + 1} = a${i} + a${i}`)}`,
    codes: ["bad-arithmetic"],
  },
  {
    name: "lists in lists in lists",
    text: `let a0 = [1, 2]\n${lines(60, (i) => `let a${i + 1} = [a${i}, a${i}]`)}
block B(x: [int] = a60) { ${forward("x * size(x, 0)")} }`,
    codes: ["wrong-argument"],
  },
  {
    name: "tuples in tuples in tuples",
    text: `block B() { forward(x: f32[N]) -> f32[N] {\nlet t0 = (x, x)\n${lines(40, (i) => `let t${i + 1} = (t${i}, t${i})`)}\nlet (a, _) = t1\nx + a[0] + t40[0] } }`,
    codes: ["tensor-wanted"],
  },
  {
    name: "numbers squared again and again",
    text: `let a0 = 9007199254740991\n${lines(60, (i) => `let a${i + 1} = a${i} * a${i}`)}`,
    codes: ["number-too-large"],
  },
  {
    name: "a polynomial of a high degree",
    text: `block B(a: int, b: int, c: int, d: int, e: int) {\nlet s0 = a + b + c + d + e
${lines(30, (i) => `let s${i + 1} = s${i} * (s${i} + ${i})`)}\nforward(x: f32[a]) -> f32[s30] = x }`,
    codes: ["number-too-large"],
  },
  {
    name: "floors in floors in floors",
    text: `block B(a: int, b: int) {\nlet s0 = a + b
${lines(80, (i) => `let s${i + 1} = floor(s${i} / (b + ${i})) + min(s${i}, a)`)}\nforward(x: f32[a]) -> f32[s80] = x }`,
    codes: ["number-too-large", "number-too-large"],
  },
  {
    name: "a tensor that doubles two hundred times",
    text: `block B() { forward(x: f32[N]) -> f32[M] {\n${lines(200, () => "x = concat(x, x)")}\nx } }`,
    codes: [],
  },
  {
    name: "a circle of three thousand names",
    text: lines(3000, (i) => `let a${i} = a${(i + 1) % 3000}`),
    codes: ["nesting-too-deep"],
  },
  {
    name: "a pipe of five thousand",
    text: `block B() { ${forward(`x ${"|> exp ".repeat(5000)}`)} }`,
    codes: ["nesting-too-deep"],
  },
  {
    name: "a sum of twenty thousand",
    text: `block B() { ${forward(`x ${"+ x ".repeat(20_000)}`)} }`,
    codes: ["nesting-too-deep"],
  },
  {
    name: "a policy at fifty thousand sites",
    text: `policy P(at: [int] = [0]) { on a[at](x: f32[*b]) -> f32[*b] = x * 2 }
encoder E() { forward(x: f32[B, N, C]) -> f32[B, N, C] { for i in 0..50000 { x = site a(x) }  x } }
model M() { input x: f32[B, N, C]  e = E() with P(at: [i for i in 0..50000])  entry r(x) = e(x) }`,
    codes: ["too-much-work"],
  },
  { name: "nothing but NUL", text: "\0".repeat(100_000), codes: ["unknown-character"] },
  { name: "a name of a million letters", text: `let ${"a".repeat(1_000_000)} = 1`, codes: [] },
  { name: "half a surrogate pair", text: 'let a = "\ud800"\nlet \udc00 = 1', codes: ["unknown-character"] },
];

/** These take seconds: a million steps are counted, or ten million characters are read. */
export const hugePrograms: readonly HardProgram[] = [
  {
    name: "a tree forty levels deep",
    text: `block T(n: int = 40) { if n > 0 { l = T(n - 1)  r = T(n - 1) }  ${forward("x")} }
model M() { input x: f32[N]  t = T()  entry e(x) = t(x) }`,
    codes: ["too-much-work"],
  },
  {
    name: "a loop in a loop",
    text: "block A() { forward(x: f32[N]) -> f32[N] { for i in 0..90000 { for j in 0..90000 { x = x + 1 } }  x } }",
    codes: ["too-much-work"],
  },
  {
    name: "names that need the next, twenty thousand times",
    text: `${lines(20_000, (i) => `let a${i} = a${i + 1}`)}\nlet a20000 = 1`,
    codes: ["nesting-too-deep"],
  },
  { name: "ten megabytes of comments", text: `// ${"x".repeat(96)}\n`.repeat(100_000), codes: [] },
  {
    name: "ten megabytes of lets",
    text: lines(
      100_000,
      (i) => `let value_with_a_long_name_${i} = ${i} * (1 + 2) + floor(3 / 2) // and a comment`,
    ),
    codes: [],
  },
  { name: "a line of ten megabytes", text: `let a = [${"1, ".repeat(3_300_000)}]`, codes: ["too-much-work"] },
  { name: "a string of ten megabytes", text: `let a = "${"a".repeat(10_000_000)}"`, codes: [] },
  {
    name: "ten megabytes of brackets",
    text: "( ] [ ) { } ".repeat(800_000),
    codes: [],
  },
];
