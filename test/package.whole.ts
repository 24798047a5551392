/**
 * What npm would publish. Needs the build, which `npm test` makes first.
 */
import { execFileSync } from "node:child_process";
import { createReadStream, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { build } from "esbuild";
import { extract } from "tar-fs";
import { expect, test } from "vitest";
import { temporaryFolder } from "./support/cli.ts";
import { gzippedBytes } from "./support/page-bundle.ts";
import { filesUnder, root } from "./support/product-files.ts";

interface Packed {
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string; readonly mode: number }[];
}

function pack(): Packed {
  const printed = execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [packed] = JSON.parse(printed) as readonly Packed[];
  if (packed === undefined) throw new Error("npm pack described nothing");
  return packed;
}

test("a package holds what users need and nothing else", () => {
  const { files, unpackedSize } = pack();
  const paths = files.map((file) => file.path);
  const known =
    /^(?:package\.json|README\.md|LICENSE|CHANGELOG\.md|bin\/ossicle\.js|dist\/[\w/.-]+\.(?:js|cjs|d\.ts|LEGAL\.txt)|models\/[\w/.-]+\.oss|docs\/[\w/.-]+\.(?:md|svg|json))$/;
  expect(paths.filter((path) => !known.test(path))).toEqual([]);
  expect(unpackedSize).toBeLessThan(6_000_000);
  expect(files.find((file) => file.path === "bin/ossicle.js")?.mode).toBe(0o755);
  for (const folder of ["models", "docs"]) {
    for (const { path } of filesUnder(folder)) expect(paths).toContain(path);
  }
  for (const { path } of filesUnder("src", /\.ts$/)) {
    expect(paths).toContain(path.replace(/^src\//, "dist/").replace(/\.ts$/, ".d.ts"));
  }
});

test("a package under the LGPL stays one of its own", () => {
  // What the decoders of FLAC and Vorbis bring along (codec-parser); ours holds no such name.
  const built = [...filesUnder("dist/chunks", /\.js$/), ...filesUnder("dist/cli", /\.cjs$/)];
  expect(built.filter(({ text }) => text.includes("FLACParser")).map(({ path }) => path)).toEqual([]);
  const asked = built.filter(({ text }) => /\bimport(?:Outside)?\("@wasm-audio-decoders\/flac"\)/.test(text));
  expect(asked.map(({ path }) => path)).toContain("dist/cli/main.cjs");
});

test("a page is bundled from the package alone, small, and it runs", async () => {
  const folder = temporaryFolder();
  const [packed] = JSON.parse(
    execFileSync("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], {
      cwd: root,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }),
  ) as readonly { readonly filename: string }[];
  const place = join(folder, "node_modules/ossicle");
  await pipeline(
    createReadStream(join(folder, packed?.filename ?? "")),
    createGunzip(),
    extract(place, { strip: 1 }),
  );
  const names = ["GpuModel", "TextGenerator", "readPlan", "weightsFromAddress", "entryCost", "byteTokenizer"];
  const page = `export { ${names.join(", ")} } from "ossicle/browser";`;
  const { outputFiles } = await build({
    stdin: { contents: page, resolveDir: folder },
    bundle: true,
    write: false,
    minify: true,
    platform: "browser",
    format: "esm",
  });
  const bundle = outputFiles[0]?.text ?? "";
  expect(gzippedBytes(bundle)).toBeLessThan(100_000);
  expect(bundle).not.toMatch(/node:|require\(/);
  // What is exported is there, and loads without a page.
  writeFileSync(join(folder, "page.mjs"), bundle);
  const loaded: Readonly<Record<string, unknown>> = await import(join(folder, "page.mjs"));
  expect(names.filter((name) => loaded[name] === undefined)).toEqual([]);
  // Types come with it.
  const types = readFileSync(join(place, "dist/runtime/gpu/browser.d.ts"), "utf8");
  for (const name of names) expect(types).toContain(name);
});
