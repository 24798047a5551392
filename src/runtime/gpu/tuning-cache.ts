/**
 * Choices of kernels that outlive a page or a process.
 *
 * Owns: what is kept for an adapter and how it is written. A cache that is missing, damaged or of another
 * version is an empty one: the worst that can happen is that kernels are measured again.
 */

/** By what was measured: which kernel won. Both are fingerprints. */
export type TuningChoices = ReadonlyMap<string, string>;

export interface TuningCache {
  /** Nothing where nothing is known of the adapter. */
  read(adapter: string): Promise<TuningChoices>;
  write(adapter: string, choices: TuningChoices): Promise<void>;
}

const format = "ossicle-tuning";
const version = 1;

export function printChoices(adapter: string, choices: TuningChoices): string {
  const sorted = Object.fromEntries([...choices].sort(([a], [b]) => (a < b ? -1 : 1)));
  return `${JSON.stringify({ format, version, adapter, choices: sorted }, undefined, 1)}\n`;
}

export function parseChoices(adapter: string, text: string): TuningChoices {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return new Map();
  }
  const found: Record<string, unknown> = isRecord(value) ? value : {};
  const { choices } = found;
  if (found["format"] !== format || found["version"] !== version || found["adapter"] !== adapter)
    return new Map();
  if (!isRecord(choices)) return new Map();
  return new Map(
    Object.entries(choices).flatMap(([key, chosen]) => (typeof chosen === "string" ? [[key, chosen]] : [])),
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What is known as long as it is held: a model on a new device chooses as it did on the one before. */
export function tuningInMemory(): TuningCache {
  const known = new Map<string, TuningChoices>();
  return {
    read: async (adapter) => known.get(adapter) ?? new Map(),
    write: async (adapter, choices) => void known.set(adapter, new Map(choices)),
  };
}

/** As much of a page's `localStorage` as is used. */
export interface TextStorage {
  getItem(key: string): string | null;
  setItem(key: string, text: string): void;
}

/** What a page keeps, in its `localStorage` for instance. */
export function tuningInStorage(storage: TextStorage): TuningCache {
  const key = (adapter: string): string => `${format}: ${adapter}`;
  return {
    read: async (adapter) => parseChoices(adapter, storage.getItem(key(adapter)) ?? ""),
    write: async (adapter, choices) => {
      try {
        storage.setItem(key(adapter), printChoices(adapter, choices));
      } catch {
        // Full, or forbidden to this page: it is measured again next time.
      }
    },
  };
}

/** Two words of FNV-1a, from both ends: tells texts apart, and keeps no secrets. */
export function fingerprint(text: string): string {
  let [a, b] = [0x811c9dc5, 0x811c9dc5];
  for (let at = 0; at < text.length; at++) {
    a = Math.imul(a ^ text.charCodeAt(at), 0x01000193);
    b = Math.imul(b ^ text.charCodeAt(text.length - 1 - at), 0x01000193);
  }
  return [a, b].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}
