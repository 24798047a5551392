/**
 * Builds the extension for VS Code: `npm run vscode` writes `out/ossicle-<version>.vsix`, which
 * `code --install-extension` takes.
 *
 * A .vsix is a zip file with two manifests beside the extension's folder. The server is inside, with the
 * library, so that nothing else needs to be installed.
 */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { strToU8, zipSync } from "fflate";
import { root } from "./bundle.js";

const source = `${root}editors/vscode/`;
const product = JSON.parse(readFileSync(`${root}package.json`, "utf8"));
/** One version for all: the extension brings its own server. */
const manifest = { ...JSON.parse(readFileSync(`${source}package.json`, "utf8")), version: product.version };

async function bundled(entryPoint, options) {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [entryPoint],
    bundle: true,
    write: false,
    platform: "node",
    target: "node20",
    minify: true,
    legalComments: "inline",
    logLevel: "warning",
    ...options,
  });
  return outputFiles[0].contents;
}

/** Every file below a folder, by its path from there. */
function filesBelow(folder, path = "") {
  return readdirSync(join(folder, path)).flatMap((name) => {
    const inner = path === "" ? name : `${path}/${name}`;
    return statSync(join(folder, inner)).isDirectory() ? filesBelow(folder, inner) : [inner];
  });
}

const files = new Map();
const add = (path, content) => files.set(`extension/${path}`, content);
const copy = (path, from) => add(path, readFileSync(from));

add("package.json", strToU8(`${JSON.stringify(manifest, null, 2)}\n`));
for (const path of filesBelow(source)) {
  if (path !== "package.json" && !path.startsWith("src/")) copy(path, source + path);
}
copy("LICENSE", `${root}LICENSE`);
for (const path of filesBelow(`${root}models`)) {
  if (path.endsWith(".oss")) copy(`models/${path}`, `${root}models/${path}`);
}
// What the links of diagnostics lead to.
for (const path of filesBelow(`${root}docs/errors`))
  copy(`docs/errors/${path}`, `${root}docs/errors/${path}`);
add(
  "dist/client.cjs",
  await bundled("editors/vscode/src/client.ts", { format: "cjs", external: ["vscode"] }),
);
// Two folders deep, as the command line is in its package: it finds the library from where it lies.
add(
  "dist/server/main.mjs",
  await bundled("src/cli/language-server-main.ts", {
    format: "esm",
    banner: {
      js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
    },
  }),
);

const types = {
  json: "application/json",
  md: "text/markdown",
  cjs: "application/javascript",
  mjs: "application/javascript",
  oss: "text/plain",
  vsixmanifest: "text/xml",
};
files.set(
  "[Content_Types].xml",
  strToU8(
    `<?xml version="1.0" encoding="utf-8"?>\n<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">\n${Object.entries(
      types,
    )
      .map(([extension, type]) => `  <Default Extension=".${extension}" ContentType="${type}"/>\n`)
      .join("")}  <Override PartName="/extension/LICENSE" ContentType="text/plain"/>\n</Types>\n`,
  ),
);
files.set("extension.vsixmanifest", strToU8(vsixManifest(manifest)));

function vsixManifest({ name, displayName, description, version, publisher, engines, categories, keywords }) {
  const text = (value) => value.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/"/g, "&quot;");
  return `<?xml version="1.0" encoding="utf-8"?>
<PackageManifest Version="2.0.0" xmlns="http://schemas.microsoft.com/developer/vsx-schema/2011">
  <Metadata>
    <Identity Language="en-US" Id="${text(name)}" Version="${text(version)}" Publisher="${text(publisher)}"/>
    <DisplayName>${text(displayName)}</DisplayName>
    <Description xml:space="preserve">${text(description)}</Description>
    <Tags>${text(keywords.join(","))}</Tags>
    <Categories>${text(categories.join(","))}</Categories>
    <License>extension/LICENSE</License>
    <Properties>
      <Property Id="Microsoft.VisualStudio.Code.Engine" Value="${text(engines.vscode)}"/>
      <Property Id="Microsoft.VisualStudio.Code.ExtensionDependencies" Value=""/>
      <Property Id="Microsoft.VisualStudio.Code.ExtensionPack" Value=""/>
      <Property Id="Microsoft.VisualStudio.Code.ExtensionKind" Value="workspace"/>
    </Properties>
  </Metadata>
  <Installation>
    <InstallationTarget Id="Microsoft.VisualStudio.Code"/>
  </Installation>
  <Dependencies/>
  <Assets>
    <Asset Type="Microsoft.VisualStudio.Code.Manifest" Path="extension/package.json" Addressable="true"/>
    <Asset Type="Microsoft.VisualStudio.Services.Content.Details" Path="extension/README.md" Addressable="true"/>
    <Asset Type="Microsoft.VisualStudio.Services.Content.License" Path="extension/LICENSE" Addressable="true"/>
  </Assets>
</PackageManifest>
`;
}

const folder = `${root}out`;
mkdirSync(folder, { recursive: true });
const target = `${folder}/${manifest.name}-${manifest.version}.vsix`;
// The same sources give the same file.
const mtime = new Date(1980, 0, 1);
writeFileSync(target, zipSync(Object.fromEntries(files), { level: 9, mtime }));
process.stdout.write(`${target.slice(root.length)}\n`);
