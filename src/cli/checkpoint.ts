/**
 * Checkpoints on disk, whatever form they have.
 *
 * Owns: which form a path is, told by the file's first bytes and not by its name, and closing all files
 * that were opened for it. A folder stands for the checkpoint in it, by the names of Hugging Face.
 */
import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { WeightSource } from "../compiler/host-tensor.ts";
import { openSharded } from "../runtime/checkpoint/sharded.ts";
import { isOldTorch, oldTorch, openTorch } from "../runtime/checkpoint/torch.ts";
import { failure } from "../runtime/failure.ts";
import { openSafetensors } from "../runtime/safetensors.ts";
import { type OpenFile, openFile, readFileText } from "./files.ts";

export interface Checkpoint {
  readonly source: WeightSource;
  /** What is known of the form: `safetensors`, `torch`, or either in several files. */
  readonly format: "safetensors" | "torch" | "sharded";
  /** May be called more than once. */
  close(): Promise<void>;
}

/** In the order in which Hugging Face looks for them. */
const namesInFolder = [
  "model.safetensors",
  "model.safetensors.index.json",
  "pytorch_model.bin",
  "pytorch_model.bin.index.json",
] as const;

const indexEnding = ".index.json";

/** @throws DiagnosticError `file-…`, and what each form throws for a file that is damaged */
export async function openCheckpoint(path: string): Promise<Checkpoint> {
  const place = isFolder(path) ? inFolder(path) : path;
  const opened: OpenFile[] = [];
  const close = async (): Promise<void> => {
    for (const file of opened) await file.close();
  };
  const openOne = async (path: string): Promise<{ source: WeightSource; format: Checkpoint["format"] }> => {
    const file = await openFile(path);
    opened.push(file);
    const start = await file.read(0, Math.min(file.size, 512));
    if (start[0] === 0x50 && start[1] === 0x4b) return { source: await openTorch(file), format: "torch" };
    if (isOldTorch(start)) throw oldTorch(path);
    return { source: await openSafetensors(file), format: "safetensors" };
  };
  try {
    if (!place.endsWith(indexEnding)) return { ...(await openOne(place)), close };
    const open = async (name: string): Promise<WeightSource> =>
      (await openOne(join(dirname(place), name))).source;
    const source = await openSharded(await readFileText(place), place, open);
    return { source, format: "sharded", close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What can't be asked is no folder; opening it says what is wrong. */
function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

function inFolder(folder: string): string {
  const found = namesInFolder.map((name) => join(folder, name)).find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw failure("not-a-file", `${folder} is a directory without a checkpoint.`, {
    notes: [`looked for ${namesInFolder.join(", ")}`],
    hint: "name the file itself",
  });
}
