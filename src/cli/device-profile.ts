/**
 * Profiles of WebGPU devices: what a device allows, in a file.
 *
 * Owns: the form of the file, which `docs/device-profile-schema.json` states, and reading it. What it leaves out
 * is what every device has.
 */
import { Ajv2020, type ErrorObject } from "ajv/dist/2020.js";
import { suggest } from "../lang/suggest.ts";
import { failure } from "../runtime/failure.ts";
import { type Allowance, adapterName } from "../runtime/gpu/device.ts";
import { defaultLimits, type Limit } from "../runtime/gpu/needs.ts";
import { readFileText } from "./files.ts";

export interface WebGpuProfile {
  readonly format: "ossicle-device";
  readonly version: 1;
  readonly name: string;
  readonly limits?: Readonly<Partial<Record<Limit, number>>>;
  readonly features?: readonly string[];
  /** What weights, states and values may take together; WebGPU itself does not tell. */
  readonly memoryBytes?: number;
}

/** A device that allows what its profile says, and else what every device does. */
export interface ProfiledDevice extends Allowance {
  readonly name: string;
  readonly memoryBytes: number | undefined;
}

const limitNames = Object.keys(defaultLimits);
const count = { type: "integer", minimum: 1, maximum: Number.MAX_SAFE_INTEGER };

export const profileSchema = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  title: "What a WebGPU device allows, for `ossicle check --target webgpu --device FILE`",
  type: "object",
  required: ["format", "version", "name"],
  additionalProperties: false,
  properties: {
    format: { const: "ossicle-device" },
    version: { const: 1 },
    name: { type: "string", description: "what to call the device in messages" },
    limits: {
      type: "object",
      description: "WebGPU's limits by their names; what is left out is what every device has",
      additionalProperties: false,
      properties: Object.fromEntries(limitNames.map((name) => [name, count])),
    },
    features: {
      type: "array",
      description: "WebGPU's features by their names, such as shader-f16",
      items: { type: "string" },
    },
    memoryBytes: { ...count, description: "bytes that a model may take on the device, all together" },
  },
};

export const defaultDevice: ProfiledDevice = {
  name: "a device of WebGPU's default limits",
  limits: defaultLimits,
  features: new Set(),
  memoryBytes: undefined,
};

/**
 * @param device `default`, or the path of a profile
 * @throws DiagnosticError `bad-profile`, or that the file can't be read
 */
export async function openDeviceProfile(device: string): Promise<ProfiledDevice> {
  if (device === "default") return defaultDevice;
  const { name, limits, features, memoryBytes } = parseProfile(device, await readFileText(device));
  return {
    name,
    limits: { ...defaultLimits, ...limits },
    features: new Set(features),
    memoryBytes,
  };
}

function parseProfile(path: string, text: string): WebGpuProfile {
  const refuse = (problems: readonly string[]): Error =>
    failure("bad-profile", `${path} is no profile of a WebGPU device: ${problems[0]}.`, {
      notes: problems.slice(1, 5),
      hint: "`ossicle device --out FILE` writes one",
    });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw refuse(["it is not JSON"]);
  }
  const fits = new Ajv2020({ allErrors: true }).compile<WebGpuProfile>(profileSchema);
  if (fits(value)) return value;
  throw refuse((fits.errors ?? []).map(problemOf));
}

function problemOf({ keyword, instancePath, params, message }: ErrorObject): string {
  const place = instancePath.slice(1).replaceAll("/", ".");
  const at = place === "" ? "it" : `\`${place}\``;
  switch (keyword) {
    case "additionalProperties": {
      const unknown = String(params["additionalProperty"]);
      const known = place === "limits" ? limitNames : Object.keys(profileSchema.properties);
      const close = suggest(unknown, known);
      const list =
        close.length > 0 ? `did you mean ${close.join(" or ")}?` : `what is known: ${known.join(", ")}`;
      return `\`${place === "" ? "" : `${place}.`}${unknown}\` is not known; ${list}`;
    }
    case "required":
      return `${at} has no \`${params["missingProperty"]}\``;
    case "const":
      return `${at} must be ${JSON.stringify(params["allowedValue"])}`;
    case "type":
      return `${at} is no ${params["type"]}`;
    default:
      return `${at} ${message ?? "is wrong"}`;
  }
}

/** What an adapter allows, as a profile. */
export function profileOfAdapter(
  { info, limits, features }: Pick<GPUAdapter, "info" | "limits" | "features">,
  { name, memoryBytes }: { readonly name?: string; readonly memoryBytes?: number } = {},
): WebGpuProfile {
  const known: Partial<Record<Limit, number>> = {};
  for (const limit of Object.keys(defaultLimits)) {
    if (isLimit(limit)) known[limit] = limits[limit];
  }
  return {
    format: "ossicle-device",
    version: 1,
    name: name ?? adapterName(info),
    limits: known,
    features: [...features].sort(),
    ...(memoryBytes !== undefined && { memoryBytes }),
  };
}

function isLimit(name: string): name is Limit {
  return Object.hasOwn(defaultLimits, name);
}
