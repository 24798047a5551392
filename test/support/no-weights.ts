/**
 * A weight source for graphs without parameters.
 */
import type { WeightSource } from "../../src/compiler/host-tensor.ts";

export const noWeights: WeightSource = {
  label: "no weights",
  names: () => [],
  info: () => undefined,
  read: (name) => Promise.reject(new Error(`there is no weight ${name}`)),
};
