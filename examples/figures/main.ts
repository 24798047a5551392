/**
 * Counts everything that a figure is published of, and prints both: `npm run figures`.
 *
 * Ends with the status 1 when a figure is not met.
 */
import { allFigures, type Figure } from "./figures.ts";

const figures = allFigures();
const [names, wanted] = [
  Math.max(...figures.map(({ name }) => name.length)),
  Math.max(...figures.map((figure) => figure.wanted.length)),
];

let group = "";
for (const figure of figures) {
  if (figure.group !== group) console.log(`\n${figure.group}`);
  group = figure.group;
  console.log(line(figure));
}
const missed = figures.filter(({ agrees }) => !agrees);
console.log(`\n${figures.length} figures, ${missed.length === 0 ? "all met" : `${missed.length} not met`}`);
process.exitCode = missed.length === 0 ? 0 : 1;

function line({ name, wanted: want, found, agrees }: Figure): string {
  const shown = found === want ? "" : ` ${found}`;
  return `  ${agrees ? "=" : "x"} ${name.padEnd(names)}  ${want.padStart(wanted)}${shown}`;
}
