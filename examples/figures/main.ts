/**
 * Counts everything that a figure is published of, and prints both: `npm run figures`. With the name of
 * a table, prints that: `npm run figures -- comparison`.
 *
 * Ends with the status 1 when a figure is not met.
 */
import { allFigures, type Figure } from "./figures.ts";
import { tables } from "./tables.ts";

const [wanted] = process.argv.slice(2);
if (wanted === undefined) printFigures(allFigures());
else printTable(wanted);

function printTable(name: string): void {
  const table = tables[name];
  if (table !== undefined) {
    console.log(table());
    return;
  }
  console.error(`there is no table ${name}; there are: ${Object.keys(tables).join(", ")}`);
  process.exitCode = 2;
}

function printFigures(figures: readonly Figure[]): void {
  const widest = (of: (figure: Figure) => string): number =>
    Math.max(...figures.map((figure) => of(figure).length));
  const [names, numbers] = [widest(({ name }) => name), widest((figure) => figure.wanted)];
  let group = "";
  for (const figure of figures) {
    if (figure.group !== group) console.log(`\n${figure.group}`);
    group = figure.group;
    const { name, wanted, found, agrees } = figure;
    const exact = found === wanted ? "" : ` ${found}`;
    console.log(`  ${agrees ? "=" : "x"} ${name.padEnd(names)}  ${wanted.padStart(numbers)}${exact}`);
  }
  const missed = figures.filter(({ agrees }) => !agrees);
  console.log(`\n${figures.length} figures, ${missed.length === 0 ? "all met" : `${missed.length} not met`}`);
  process.exitCode = missed.length === 0 ? 0 : 1;
}
