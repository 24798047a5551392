/**
 * The tables of docs/accounting.md, counted anew.
 *
 * Owns: which tables there are and their Markdown. A document holds each between
 * `<!-- table NAME -->` and `<!-- end -->`.
 */
import { captionerTable } from "./captioner-table.ts";
import { comparison, crossovers } from "./comparison.ts";
import { opRules, publishedTable, scanTable, toolTable } from "./counted-tables.ts";
import { trainingTable } from "./training-table.ts";

export const tables: Readonly<Record<string, () => string>> = {
  ops: opRules,
  published: publishedTable,
  scan: scanTable,
  tools: toolTable,
  training: trainingTable,
  comparison,
  crossovers,
  captioners: captionerTable,
};

const place = /<!-- table (\w+) -->\n[\s\S]*?<!-- end -->/g;

/** The document with every table as it is counted now. */
export function withTables(text: string): string {
  return text.replace(place, (_, name: string) => {
    const table = tables[name];
    if (table === undefined) throw new Error(`there is no table ${name}`);
    return `<!-- table ${name} -->\n\n${table()}\n\n<!-- end -->`;
  });
}

export function tableNames(text: string): string[] {
  return [...text.matchAll(place)].flatMap((match) => match[1] ?? []);
}
