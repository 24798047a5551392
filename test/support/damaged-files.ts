/**
 * Files that are not what they should be, for tests of what is said about them.
 *
 * Owns: making safetensors and WAV files field by field, wrong fields included.
 */

/** A safetensors file with this header and these bytes; `headerLength` is what its first 8 bytes claim. */
export function safetensorsFile(
  header: unknown,
  data: Uint8Array,
  headerLength?: number | bigint,
): Uint8Array {
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerLength ?? text.length), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}

export interface WavFields {
  readonly format?: number;
  readonly channels?: number;
  readonly rate?: number;
  readonly frameBytes?: number;
  readonly bits?: number;
  /** What the header says that follows. */
  readonly dataBytes?: number;
}

/** A WAV file of so many silent samples of 16 bits, whatever its fields claim. */
export function wavFile(samples: number, fields: WavFields = {}): Uint8Array {
  const bytes = new Uint8Array(44 + samples * 2);
  const view = new DataView(bytes.buffer);
  const put = (at: number, text: string): void => bytes.set(new TextEncoder().encode(text), at);
  put(0, "RIFF");
  view.setUint32(4, bytes.length - 8, true);
  put(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, fields.format ?? 1, true);
  view.setUint16(22, fields.channels ?? 1, true);
  view.setUint32(24, fields.rate ?? 16_000, true);
  view.setUint32(28, (fields.rate ?? 16_000) * 2, true);
  view.setUint16(32, fields.frameBytes ?? 2, true);
  view.setUint16(34, fields.bits ?? 16, true);
  put(36, "data");
  view.setUint32(40, fields.dataBytes ?? samples * 2, true);
  return bytes;
}
