/**
 * The package as npm sees it: what a fresh clone installs, and what a user gets.
 */
import { accessSync, constants, existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import packageJson from "../package.json" with { type: "json" };
import lock from "../package-lock.json" with { type: "json" };
import { readText, root } from "./support/product-files.ts";

interface Locked {
  readonly version?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const installed = Object.entries(lock.packages as Readonly<Record<string, Locked>>).filter(
  ([place]) => place !== "",
);
const places = new Set(installed.map(([place]) => place));
const nameOf = (place: string): string => place.slice(place.lastIndexOf("node_modules/") + 13);

/** Where Node looks: inside the package, then beside it and beside each package around it. */
function isLocked(name: string, from: string): boolean {
  if (places.has(`${from}/node_modules/${name}`)) return true;
  const around = from.lastIndexOf("/node_modules/");
  return around < 0 ? places.has(`node_modules/${name}`) : isLocked(name, from.slice(0, around));
}

describe("npm ci", () => {
  test("finds everything in the lock file, for every platform", () => {
    const missing = installed.flatMap(([place, entry]) =>
      Object.keys({ ...entry.dependencies, ...entry.optionalDependencies })
        .filter((name) => !isLocked(name, place))
        .map((name) => `${nameOf(place)} needs ${name}`),
    );
    expect(missing).toEqual([]);
  });

  test("is told what every package must contain, and not where to get it", () => {
    expect(installed.filter(([, entry]) => entry.integrity === undefined).map(([place]) => place)).toEqual(
      [],
    );
    expect(installed.filter(([, entry]) => entry.resolved !== undefined).map(([place]) => place)).toEqual([]);
  });

  test("installs the versions that package.json states, exactly", () => {
    const stated = { ...packageJson.dependencies, ...packageJson.devDependencies };
    for (const [name, version] of Object.entries(stated)) {
      expect(version, name).toMatch(/^\d+\.\d+\.\d+$/);
      const entry = installed.find(([place]) => place === `node_modules/${name}`)?.[1];
      expect(entry?.version, name).toBe(version);
    }
  });

  test("runs no script of a dependency, with any npm", () => {
    const allowed: Readonly<Record<string, boolean>> = packageJson.allowScripts;
    const scripted = installed.filter(([, entry]) => entry.hasInstallScript === true);
    expect(scripted.map(([place]) => nameOf(place)).filter((name) => allowed[name] !== false)).toEqual([]);
    expect(Object.values(allowed)).not.toContain(true);
    expect(readText(".npmrc")).toMatch(/^ignore-scripts=true$/m);
  });

  test("brings only code that may be used with Apache-2.0 code", () => {
    const permissive = new Set(["MIT", "ISC", "0BSD", "BSD-3-Clause", "Apache-2.0", "(MIT OR CC0-1.0)"]);
    // Loaded as a package of its own, unchanged, which is what its licence asks for.
    const others = new Map([["codec-parser", "LGPL-3.0-or-later"]]);
    const unusual = installed
      .filter(([, entry]) => entry.dev !== true)
      .map(([place, entry]) => [nameOf(place), entry.license ?? "none stated"] as const)
      .filter(([name, license]) => !permissive.has(license) && others.get(name) !== license);
    expect(unusual).toEqual([]);
  });
});

describe("the package", () => {
  test("starts its command", () => {
    const path = root + packageJson.bin.ossicle;
    expect(readText(packageJson.bin.ossicle)).toMatch(/^#!\/usr\/bin\/env node\n/);
    // Without this `npx ossicle` fails in a clone.
    expect(() => accessSync(path, constants.X_OK)).not.toThrow();
  });

  test("exports what is built from src/", () => {
    const { browser, ...doors } = {
      browser: packageJson.exports["./browser"],
      all: packageJson.exports["."],
    };
    for (const path of [...Object.values(doors).flatMap((door) => Object.values(door)), browser.types]) {
      const source = path.replace(/^\.\/dist\//, "src/").replace(/(?:\.d\.ts|\.js)$/, ".ts");
      expect(existsSync(root + source), source).toBe(true);
    }
    expect(readText("scripts/build.js")).toContain(
      browser.types.replace("./dist/", "src/").replace(".d.ts", ".ts"),
    );
  });

  test("holds files that exist", () => {
    // What begins with `!` is left out, and `dist` is built.
    const written = packageJson.files.filter((path) => path !== "dist" && !path.startsWith("!"));
    expect(written.filter((path) => !existsSync(root + path))).toEqual([]);
  });

  test("has one version, the last of the changelog", () => {
    const versions = [...readText("CHANGELOG.md").matchAll(/^## \[(\d+\.\d+\.\d+)\]/gm)];
    expect(versions[0]?.[1]).toBe(packageJson.version);
    expect(lock.version).toBe(packageJson.version);
  });
});

describe("the two commands", () => {
  const commands = ["npm ci && npm run demo", "npm ci && npm test"];

  test.each(["README.md", "CONTRIBUTING.md"])("stand in %s", (path) => {
    for (const command of commands) expect(readText(path)).toContain(command);
  });

  test("are what .ci/run does", () => {
    const lines = readText(".ci/run").split("\n");
    expect(lines).toContain("set -euo pipefail");
    expect(lines.filter((line) => line.startsWith("npm "))).toEqual(["npm ci", "npm test"]);
    expect(() => accessSync(`${root}.ci/run`, constants.X_OK)).not.toThrow();
  });

  test("name scripts, and every script names files that exist", () => {
    const scripts: Readonly<Record<string, string>> = packageJson.scripts;
    expect(scripts["demo"]).toBeDefined();
    expect(scripts["test"]).toContain("--project quick --project whole");
    for (const [name, script] of Object.entries(scripts)) {
      for (const [, path = ""] of script.matchAll(
        /(?:node|-p|vitest run .*?) ([\w./-]+\.(?:json|js|ts))(?![\w])/g,
      )) {
        expect(existsSync(root + path), `${name}: ${path}`).toBe(true);
      }
    }
  });
});
