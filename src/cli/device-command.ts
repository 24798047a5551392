/**
 * `ossicle device`: what this machine's WebGPU adapter allows, for `ossicle check --device`.
 */
import { type Command, InvalidArgumentError } from "commander";
import { openDawn } from "../runtime/gpu/dawn.ts";
import { requestAdapter } from "../runtime/gpu/device.ts";
import { defaultLimits, type Limit, printAmount } from "../runtime/gpu/needs.ts";
import { profileOfAdapter, type WebGpuProfile } from "./device-profile.ts";
import { type CommonOptions, useColor } from "./options.ts";
import { Output } from "./output.ts";
import { writeWhole } from "./output-files.ts";
import type { Run } from "./run-state.ts";

interface DeviceOptions extends Pick<CommonOptions, "json" | "color"> {
  readonly out?: string;
  readonly name?: string;
  readonly memory?: number;
}

export function addDevice(program: Command, run: Run): void {
  program
    .command("device")
    .summary("show what this machine's WebGPU adapter allows")
    .description(
      "Prints the limits and features of the WebGPU adapter of this machine, and writes them as a profile that `ossicle check --target webgpu --device` holds plans to.",
    )
    .option("-o, --out <file>", "where to write the profile")
    .option("--name <name>", "what to call the device; what the adapter says by default")
    .option(
      "--memory <bytes>",
      "what a model may take on it, such as 8GiB: WebGPU does not tell",
      memoryBytes,
    )
    .option("--json", "print one JSON value on standard output")
    .option("--no-color", "print without colours")
    .action(async (options: DeviceOptions) => {
      run.status = await showDevice(options);
    });
}

async function showDevice(options: DeviceOptions): Promise<number> {
  const output = new Output("device", { json: options.json === true, color: useColor(options) });
  const adapter = await requestAdapter({ gpu: await openDawn() });
  const profile = profileOfAdapter(adapter, {
    ...(options.name !== undefined && { name: options.name }),
    ...(options.memory !== undefined && { memoryBytes: options.memory }),
  });
  output.set("profile", profile);
  for (const line of lines(profile)) output.line(line);
  if (options.out !== undefined) {
    const text = `${JSON.stringify(profile, null, 2)}\n`;
    await writeWhole(options.out, (sink) => sink.write(new TextEncoder().encode(text)));
    output.line(`written to ${options.out}`);
  }
  return output.finish();
}

function lines({ name, limits = {}, features = [], memoryBytes }: WebGpuProfile): string[] {
  const names = Object.keys(limits).filter((limit): limit is Limit => Object.hasOwn(defaultLimits, limit));
  const width = Math.max(...names.map((limit) => limit.length));
  return [
    name,
    ...names.map((limit) => {
      const unit = /Size$/.test(limit) ? "bytes" : "count";
      const most = printAmount(limits[limit] ?? defaultLimits[limit], unit);
      return `  ${limit.padEnd(width)}  ${most} (every device: ${printAmount(defaultLimits[limit], unit)})`;
    }),
    `  features: ${features.join(", ") || "none"}`,
    ...(memoryBytes === undefined ? [] : [`  memory: ${printAmount(memoryBytes, "bytes")}`]),
  ];
}

/** `8GiB`, `512MiB`, or bytes. */
function memoryBytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(KiB|MiB|GiB)?$/.exec(text.trim());
  const scales: Readonly<Record<string, number>> = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };
  const bytes = Math.floor(Number(match?.[1]) * (scales[match?.[2] ?? ""] ?? 1));
  if (Number.isSafeInteger(bytes) && bytes > 0) return bytes;
  throw new InvalidArgumentError("write it as 8GiB, 512MiB or a number of bytes");
}
