/**
 * What `@sparticuz/chromium` ships, unpacked: SwiftShader for Node, Chromium with everything it loads.
 *
 * Owns: the cache of unpacked archives, one folder for each version, outside the repository. Test
 * processes that start together may unpack twice, but never see half of it: a folder gets its name when
 * it is complete.
 */
import { createReadStream, createWriteStream, existsSync } from "node:fs";
import { access, constants, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { homedir, tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createBrotliDecompress } from "node:zlib";
import { extract } from "tar-fs";

const packageFile = createRequire(import.meta.url).resolve("@sparticuz/chromium");
const archives = join(dirname(packageFile), "../bin");

/** The folder that holds libvk_swiftshader.so, vk_swiftshader_icd.json and libvulkan.so.1. */
export function swiftShader(): Promise<string> {
  return unpacked("swiftshader", ["swiftshader.tar.br"]);
}

/** The folder that holds `chromium`, SwiftShader beside it, `lib` with libraries and `fonts`. */
export function chromium(): Promise<string> {
  return unpacked("chromium", ["chromium.br", "swiftshader.tar.br", "al2023.tar.br", "fonts.tar.br"]);
}

async function unpacked(name: string, files: readonly string[]): Promise<string> {
  const folder = join(await cacheFolder(), `${name}-${version()}`);
  if (existsSync(folder)) return folder;
  const begun = await mkdtemp(`${folder}.`);
  try {
    await Promise.all(files.map((file) => unpack(join(archives, file), begun)));
    await rename(begun, folder).catch((error: unknown) => {
      // Another process was first: its folder is as complete as ours.
      if (!existsSync(folder)) throw error;
    });
  } finally {
    await rm(begun, { recursive: true, force: true });
  }
  return folder;
}

async function unpack(archive: string, folder: string): Promise<void> {
  const name = basename(archive, ".br");
  const target = name.endsWith(".tar")
    ? extract(folder)
    : createWriteStream(join(folder, name), { mode: 0o755 });
  await pipeline(createReadStream(archive), createBrotliDecompress(), target);
}

function version(): string {
  const manifest: { version: string } = createRequire(packageFile)("../package.json");
  return manifest.version;
}

/** The user's cache, or where temporary files go when there is none to write to. */
async function cacheFolder(): Promise<string> {
  const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "ossicle-tests");
  try {
    await mkdir(cache, { recursive: true });
    await access(cache, constants.W_OK);
    return cache;
  } catch {
    const temporary = join(tmpdir(), "ossicle-tests");
    await mkdir(temporary, { recursive: true });
    return temporary;
  }
}
