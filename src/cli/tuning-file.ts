/**
 * Choices of kernels in the user's cache folder: a file for each adapter. In Node alone.
 */
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { fingerprint, parseChoices, printChoices, type TuningCache } from "../runtime/gpu/tuning-cache.ts";

/** `$XDG_CACHE_HOME/ossicle/tuning`, or what is usual where that is not set. */
export function tuningFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const named = environment["XDG_CACHE_HOME"] || environment["LOCALAPPDATA"];
  return join(named || join(homedir(), ".cache"), "ossicle", "tuning");
}

export function tuningInFolder(folder: string): TuningCache {
  const pathOf = (adapter: string): string => join(folder, `${fingerprint(adapter)}.json`);
  return {
    read: async (adapter) => {
      try {
        return parseChoices(adapter, await readFile(pathOf(adapter), "utf8"));
      } catch {
        return new Map();
      }
    },
    write: async (adapter, choices) => {
      const path = pathOf(adapter);
      const draft = `${path}.${process.pid}`;
      try {
        await mkdir(folder, { recursive: true });
        await writeFile(draft, printChoices(adapter, choices));
        await rename(draft, path);
      } catch {
        // A cache that can't be kept is made again next time.
        await rm(draft, { force: true }).catch(() => undefined);
      }
    },
  };
}
