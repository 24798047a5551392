/**
 * What a device was measured to do: rates by kind of work.
 *
 * Owns: their list and the file's form. `ossicle calibrate` measures them, latency.ts estimates with them.
 */

/** Multiply-adds. `products`: with learned matrices, and convolutions; `attention`: of two activations. */
export const macRates = ["products", "attention", "scan"] as const;
/** Elements of a result. `function`: exponentials and their like; what is simpler is bound by memory. */
export const elementRates = ["softmax", "norm", "function"] as const;

export type MacRate = (typeof macRates)[number];
export type ElementRate = (typeof elementRates)[number];

/** A rate of traffic, read and written together, for ops that move so many bytes. */
export interface TrafficRate {
  readonly bytes: number;
  readonly bytesPerSecond: number;
}

export interface DeviceProfile {
  readonly profile: typeof profileVersion;
  readonly name: string;
  readonly macsPerSecond: Readonly<Record<MacRate, number>>;
  readonly elementsPerSecond: Readonly<Record<ElementRate, number>>;
  /** Learned matrices, read from memory by a product that reads them once. */
  readonly weightBytesPerSecond: number;
  /** What scans read and write, their states above all. */
  readonly scanBytesPerSecond: number;
  /** What a call gives out, copied for who asked. */
  readonly resultBytesPerSecond: number;
  /** From small ops, which the caches hold, to large ones. */
  readonly traffic: readonly TrafficRate[];
  readonly secondsPerOp: number;
}

/** Raised when a field changes its meaning. */
export const profileVersion = 3;

/** Of ops that move `bytes`; between two measured sizes, in proportion to their logarithm. */
export function trafficAt({ traffic }: Pick<DeviceProfile, "traffic">, bytes: number): number {
  const [first] = traffic;
  if (first === undefined) throw new RangeError("A profile has a rate of traffic.");
  let below = first;
  for (const above of traffic) {
    if (bytes <= above.bytes) {
      if (bytes <= below.bytes) return below.bytesPerSecond;
      const part = Math.log(bytes / below.bytes) / Math.log(above.bytes / below.bytes);
      return below.bytesPerSecond + part * (above.bytesPerSecond - below.bytesPerSecond);
    }
    below = above;
  }
  return below.bytesPerSecond;
}

/** The profile in the text of a file, or what is wrong with it. */
export function readProfile(text: string): DeviceProfile | { readonly problem: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { problem: "it is not JSON" };
  }
  try {
    return profileIn(value);
  } catch (error) {
    if (error instanceof ProfileProblem) return { problem: error.message };
    throw error;
  }
}

class ProfileProblem extends Error {}

function profileIn(value: unknown): DeviceProfile {
  const fields = fieldsOf(value, "it");
  const name = fields.get("name");
  if (typeof name !== "string") throw new ProfileProblem("it has no `name`");
  if (fields.get("profile") !== profileVersion) {
    throw new ProfileProblem(
      `\`profile\` is not ${profileVersion}, so another version of ossicle measured it`,
    );
  }
  return {
    profile: profileVersion,
    name,
    macsPerSecond: ratesIn(fields, "macsPerSecond", macRates),
    elementsPerSecond: ratesIn(fields, "elementsPerSecond", elementRates),
    weightBytesPerSecond: rateIn(fields, "weightBytesPerSecond"),
    scanBytesPerSecond: rateIn(fields, "scanBytesPerSecond"),
    resultBytesPerSecond: rateIn(fields, "resultBytesPerSecond"),
    traffic: trafficIn(fields.get("traffic")),
    secondsPerOp: rateIn(fields, "secondsPerOp"),
  };
}

function trafficIn(value: unknown): TrafficRate[] {
  if (!Array.isArray(value) || value.length === 0) throw new ProfileProblem("`traffic` is no list of rates");
  const rates = value.map((item: unknown) => {
    const fields = fieldsOf(item, "`traffic`");
    return {
      bytes: rateIn(fields, "bytes", "traffic."),
      bytesPerSecond: rateIn(fields, "bytesPerSecond", "traffic."),
    };
  });
  return rates.sort((a, b) => a.bytes - b.bytes);
}

function ratesIn<Name extends string>(
  fields: ReadonlyMap<string, unknown>,
  field: string,
  names: readonly Name[],
): Record<Name, number> {
  const inside = fieldsOf(fields.get(field), `\`${field}\``);
  const rates: Partial<Record<Name, number>> = {};
  const found = names.map((name) => [name, rateIn(inside, name, `${field}.`)] as const);
  return Object.assign(rates, Object.fromEntries(found));
}

function rateIn(fields: ReadonlyMap<string, unknown>, name: string, within = ""): number {
  const found = fields.get(name);
  if (typeof found === "number" && Number.isFinite(found) && found > 0) return found;
  throw new ProfileProblem(`\`${within}${name}\` is no positive number`);
}

function fieldsOf(value: unknown, what: string): ReadonlyMap<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return new Map<string, unknown>(Object.entries(value));
  }
  throw new ProfileProblem(`${what} is no object`);
}
