/**
 * A kernel plan as files: JSON, and the weights beside it as safetensors.
 *
 * Owns: the bytes of both. Weights are produced and rounded one at a time, widest elements first, so that
 * each lies at a multiple of its element's size.
 */
import type { WeightSource } from "../host-tensor.ts";
import type { StoredDType } from "../plan.ts";
import type { PlanArtefact } from "./compile.ts";
import { type FileTensor, fileTensors, readWeightBytes } from "./weight-bytes.ts";

export interface PlanFile {
  readonly byteLength: number;
  write(sink: { write(bytes: Uint8Array): Promise<void> }): Promise<void>;
}

export interface PlanFiles {
  readonly plan: PlanFile;
  readonly weights: PlanFile;
}

const storage: Readonly<Record<StoredDType, { readonly name: string; readonly bytes: number }>> = {
  f32: { name: "F32", bytes: 4 },
  i32: { name: "I32", bytes: 4 },
  f16: { name: "F16", bytes: 2 },
  i8: { name: "I8", bytes: 1 },
};

/** @param metadata of the weight file */
export function planFiles(
  artefact: PlanArtefact,
  source: WeightSource,
  metadata: Readonly<Record<string, string>> = {},
): PlanFiles {
  const ordered = fileTensors(artefact.plan.weights).sort(
    (a, b) => storage[b.stored].bytes - storage[a.stored].bytes,
  );
  const header = headerOf(ordered, metadata);
  const data = ordered.reduce((sum, { bytes }) => sum + bytes, 0);
  const text = new TextEncoder().encode(`${JSON.stringify(artefact.plan)}\n`);
  return {
    plan: { byteLength: text.length, write: (sink) => sink.write(text) },
    weights: {
      byteLength: header.length + data,
      write: async (sink) => {
        await sink.write(header);
        for (const weight of ordered) await sink.write(await readWeightBytes(artefact, weight, source));
      },
    },
  };
}

function headerOf(ordered: readonly FileTensor[], metadata: Readonly<Record<string, string>>): Uint8Array {
  const fields: [string, unknown][] = [["__metadata__", metadata]];
  let offset = 0;
  for (const { name, stored, shape, bytes } of ordered) {
    fields.push([name, { dtype: storage[stored].name, shape, data_offsets: [offset, offset + bytes] }]);
    offset += bytes;
  }
  // Written field by field: keys that are numbers would be put in another order by an object.
  const json = `{${fields.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(",")}}`;
  const text = new TextEncoder().encode(json);
  // Spaces after the JSON bring the data to a multiple of eight bytes.
  const length = Math.ceil(text.length / 8) * 8;
  const header = new Uint8Array(8 + length).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  header.set(text, 8);
  return header;
}
