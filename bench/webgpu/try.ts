import { silent } from "../../src/cli/progress.ts";
import { chooseDriver } from "../../test/support/software-driver.ts";
import { openBrowserStage } from "./browser-stage.ts";
import * as extents from "./extents.ts";
import { measureStage } from "./measure-stage.ts";
import { openNodeStage } from "./node-stage.ts";
import { printStage } from "./report.ts";
import { compileWorkload, workloadsOf } from "./workloads.ts";

const [where = "node", size = "tiny", rounds = "2", ...more] = process.argv.slice(2);
const extent = size === "tiny" ? extents.tiny : size === "brief" ? extents.brief : extents.whole;
const folder = `/tmp/bench-try-${size}`;
const compiled = [];
for (const w of workloadsOf(extent)) compiled.push(await compileWorkload(w, extent, folder, silent));
if (where === "node") await chooseDriver();
const stage = where === "node" ? await openNodeStage(folder) : await openBrowserStage(folder);
try {
  const result = await measureStage(stage, compiled, extent, {
    name: where,
    rounds: Number(rounds),
    contested: !more.includes("alone"),
    say: (line) => console.log(new Date().toISOString().slice(11, 19), line),
  });
  console.log(printStage(result, { encoder: 6, decoder: 4 }));
} catch (e) {
  console.log(e);
}
if ("end" in stage) await (stage as any).end();
process.exit(0);
