/**
 * Serves the page of this folder with a compiled model, for a browser on this machine.
 *
 *   npx ossicle compile ossicle/classifiers/ast.oss -e classify -e features -w checkpoint.safetensors \
 *     --target webgpu --out model/model.json
 *   npm run page -- model
 *
 * A captioner is compiled in the same way, without naming entries. `labels.json` in the same folder, a list of
 * names, is used when it is there. Any other server will do as well: the page is `index.html` and `page.js`, which
 * this writes into the folder.
 */
import { createReadStream, existsSync, statSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

const [folder] = process.argv.slice(2);
if (folder === undefined || !existsSync(join(folder, "model.json"))) {
  console.error("Name a folder with a model.json that `ossicle compile --target webgpu` wrote.");
  process.exit(1);
}
await build({
  entryPoints: [here("page.ts")],
  outfile: join(folder, "page.js"),
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  legalComments: "none",
  logLevel: "warning",
});
await copyFile(here("index.html"), join(folder, "index.html"));

const types = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".json": "application/json",
};
const server = createServer((request, response) => {
  const { pathname } = new URL(request.url ?? "/", "http://localhost");
  const path = join(folder, normalize(decodeURIComponent(pathname === "/" ? "/index.html" : pathname)));
  if (!existsSync(path) || !statSync(path).isFile()) {
    response.writeHead(404).end();
    return;
  }
  const type = types[extname(path)] ?? "application/octet-stream";
  response.writeHead(200, { "content-type": type, "content-length": statSync(path).size });
  createReadStream(path).pipe(response);
});
server.listen(8080, "127.0.0.1", () => console.info("http://127.0.0.1:8080/ — stop with Ctrl-C"));
