/**
 * A model of equal layers, with a site in each.
 *
 * Owns: its text, with room for what is installed on it and for more members.
 */
export const stackOfLayers = (use: string, members = ""): string => `
block Scale(width: int) {
  param gain: f32[width] = ones
  forward(x: f32[B, N, width]) -> f32[B, N, width] = x * gain
}
block Layer(width: int) {
  inner = Scale(width)
  unused = Scale(width)
  let halve = Scale(width)
  forward(x: f32[B, N, width]) -> f32[B, M, width] {
    x = site tokens(inner(x))
    halve(x)
  }
}
policy Half(at: [int]) {
  on tokens[at](x: f32[B, N, D], ...) -> f32[B, M, D] = x[:, :N / 2]
}
adapter Twice(on: [string]) {
  param factor: f32[1] = ones
  forward(x: f32[*b, base.width]) -> f32[*b, base.width] = base(x) * factor
}
encoder Stack(width: int, depth: int) {
  layers = [Layer(width) for i in 0..depth]
  forward(x: f32[B, N, width]) -> f32[B, M, width] {
    for layer in layers { x = layer(x) }
    x
  }
}
model Main() {
  input x: f32[B, N, 8]
  ${members}
  stack = Stack(8, 5)${use}
  entry run(x) -> y: f32[B, M, 8] = stack(x)
}
`;
