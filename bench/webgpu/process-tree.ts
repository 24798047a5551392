/**
 * Processor time of the programs that this one has started, and of those that they have started: a browser has several.
 *
 * Owns: reading it from where Linux tells it. Elsewhere it is not known.
 */
import { readdirSync, readFileSync } from "node:fs";

/** Linux counts in hundredths of a second. */
const ticks = 100;

interface Running {
  readonly id: number;
  readonly parent: number;
  readonly seconds: number;
}

/** Seconds so far; a program that ends takes its own with it. Nothing where the system does not tell. */
export function startedSeconds(root = process.pid): number | undefined {
  if (process.platform !== "linux") return undefined;
  const all = readdirSync("/proc").flatMap((name) => (/^\d+$/.test(name) ? running(Number(name)) : []));
  const children = new Map<number, Running[]>();
  for (const each of all) children.set(each.parent, [...(children.get(each.parent) ?? []), each]);
  const below = (id: number): number =>
    (children.get(id) ?? []).reduce((sum, child) => sum + child.seconds + below(child.id), 0);
  return below(root);
}

/** Fields of `/proc/<id>/stat`, behind the name, which may hold anything. */
function running(id: number): Running[] {
  try {
    const text = readFileSync(`/proc/${id}/stat`, "latin1");
    const fields = text
      .slice(text.lastIndexOf(")") + 2)
      .split(" ")
      .map(Number);
    const [parent = 0, user = 0, system = 0] = [fields[1], fields[11], fields[12]];
    return [{ id, parent, seconds: (user + system) / ticks }];
  } catch {
    // It has ended meanwhile.
    return [];
  }
}
