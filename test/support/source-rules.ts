/**
 * The rules of the architecture, as functions from source files to what breaks them.
 *
 * Owns: each rule once, in words that say what to do. Which files the rules are run on is
 * test/architecture.test.ts, which also shows each rule a file that breaks it. A broken rule reads
 * `path:line: what is wrong`.
 */
import { type Import, importsOf, lineAt, maskText, resolveImport, type SourceText } from "./source-text.ts";

export type Rule = (files: readonly SourceText[]) => readonly string[];

type Layer = "lang" | "compiler" | "runtime" | "server" | "cli" | "index";

function layerOf(path: string): Layer | undefined {
  if (path === "src/index.ts") return "index";
  const folder = /^src\/(lang|compiler|runtime|server|cli)\//.exec(path)?.[1];
  return folder as Layer | undefined;
}

/** Which layers a layer may import values from. */
const valuesFrom: Readonly<Record<Layer, readonly Layer[]>> = {
  lang: ["lang"],
  compiler: ["compiler", "lang"],
  runtime: ["runtime"],
  server: ["server", "compiler", "lang"],
  cli: ["cli", "server", "runtime", "compiler", "lang"],
  index: ["runtime", "compiler", "lang"],
};
/** Which layers it may import types from besides. */
const typesFrom: Readonly<Record<Layer, readonly Layer[]>> = {
  lang: [],
  compiler: [],
  runtime: ["compiler", "lang"],
  server: [],
  cli: [],
  index: [],
};
/** What the runtime may load of the other layers: these files load nothing themselves. */
export const sharedLeaves = ["src/compiler/host-tensor.ts", "src/lang/diagnostic.ts"];

function forEachImport(
  files: readonly SourceText[],
  visit: (source: SourceText, entry: Import, target: string | undefined) => string | undefined,
): string[] {
  const broken: string[] = [];
  for (const source of files) {
    for (const entry of importsOf(source)) {
      const relative = entry.specifier.startsWith(".");
      const target = relative ? resolveImport(source.path, entry.specifier) : undefined;
      const problem = visit(source, entry, target);
      if (problem !== undefined) broken.push(`${source.path}:${entry.line}: ${problem}`);
    }
  }
  return broken;
}

/** cli → server, runtime, compiler, lang; server → compiler, lang; compiler → lang; runtime → types of both, values of the leaves. */
export const importDirections: Rule = (files) =>
  forEachImport(files, (source, { typeOnly }, target) => {
    if (target === undefined) return undefined;
    const from = layerOf(source.path);
    const to = layerOf(target);
    if (from === undefined) return "lies in no layer of src/";
    if (to === undefined) return `imports ${target}, which lies outside the layers of src/`;
    if (valuesFrom[from].includes(to)) return undefined;
    if (typeOnly && typesFrom[from].includes(to)) return undefined;
    if (from === "runtime" && sharedLeaves.includes(target)) return undefined;
    return `${from} may not import ${typeOnly ? "types" : "values"} of ${target}`;
  });

/** Relative imports lead to a file and say its extension. */
export const importsResolve: Rule = (files) => {
  const known = new Set(files.map((source) => source.path));
  return forEachImport(files, (_, { specifier }, target) => {
    if (target === undefined || known.has(target)) return undefined;
    return `imports ${specifier}, and there is no ${target}`;
  });
};

/** What the runtime shares with the compiler loads nothing. */
export const leavesAreLeaves: Rule = (files) =>
  forEachImport(
    files.filter((source) => sharedLeaves.includes(source.path)),
    (_, { specifier, typeOnly }) =>
      typeOnly ? undefined : `is shared with the runtime and may import only types, not ${specifier}`,
  );

/** No file loads itself by way of others. Types alone do not count: they are gone at run time. */
export const noCycles: Rule = (files) => {
  const next = new Map<string, string[]>();
  for (const source of files) {
    const targets = importsOf(source)
      .filter((entry) => !entry.typeOnly && entry.specifier.startsWith("."))
      .map((entry) => resolveImport(source.path, entry.specifier));
    next.set(source.path, targets);
  }
  const broken: string[] = [];
  const done = new Set<string>();
  const open: string[] = [];
  const visit = (path: string): void => {
    if (open.includes(path)) {
      broken.push(`${path}:1: loads itself: ${[...open.slice(open.indexOf(path)), path].join(" → ")}`);
      return;
    }
    if (done.has(path)) return;
    open.push(path);
    for (const target of next.get(path) ?? []) visit(target);
    open.pop();
    done.add(path);
  };
  for (const path of [...next.keys()].sort()) visit(path);
  return broken;
};

/** The one place of each package. */
const places: Readonly<Record<string, RegExp>> = {
  chevrotain: /^src\/lang\/(?:tokens|delimiters|grammar(?:-[a-z]+)*)\.ts$/,
  ajv: /^src\/cli\/device-profile\.ts$/,
  commander: /^src\/cli\//,
  "cli-progress": /^src\/cli\/progress\.ts$/,
  "onnx-proto": /^src\/compiler\/onnx\/encode\.ts$/,
  protobufjs: /^src\/compiler\/onnx\/encode\.ts$/,
  "onnxruntime-node": /^src\/runtime\/onnx-session\.ts$/,
  "@wasm-audio-decoders/flac": /^src\/runtime\/audio\/compressed\.ts$/,
  "@wasm-audio-decoders/ogg-vorbis": /^src\/runtime\/audio\/compressed\.ts$/,
  "mpg123-decoder": /^src\/runtime\/audio\/compressed\.ts$/,
  "@huggingface/tokenizers": /^src\/runtime\/generation\/tokenizer\.ts$/,
  webgpu: /^src\/runtime\/gpu\/dawn\.ts$/,
  "opus-decoder": /^src\/runtime\/audio\/opus\.ts$/,
  "vscode-languageserver": /^src\/server\//,
  "vscode-languageserver-textdocument": /^src\/server\//,
};
const builtinPlace = /^src\/(?:cli\/|runtime\/onnx-session\.ts$)/;

/** A package can be exchanged by changing one place; Node's own modules belong to the command line. */
export const packagesInPlace: Rule = (files) =>
  forEachImport(files, (source, { specifier }, target) => {
    if (target !== undefined) return undefined;
    if (specifier.startsWith("node:")) {
      return builtinPlace.test(source.path) ? undefined : `may not import ${specifier}: src/cli/ does`;
    }
    const packageName = specifier
      .split("/")
      .slice(0, specifier.startsWith("@") ? 2 : 1)
      .join("/");
    const place = Object.hasOwn(places, packageName) ? places[packageName] : undefined;
    if (place === undefined) return `imports ${specifier}, which has no place yet (source-rules.ts)`;
    return place.test(source.path) ? undefined : `may not import ${specifier}: ${place.source} does`;
  });

const ofEditors: ReadonlySet<string> = new Set(["vscode", "vscode-languageclient/node"]);

/** What runs in an editor talks to the server by its protocol alone. */
export const editorsApart: Rule = (files) =>
  forEachImport(files, (_, { specifier }, target) => {
    if (target === undefined ? ofEditors.has(specifier) : target.startsWith("editors/")) return undefined;
    return `imports ${specifier}: an extension starts the server, and loads nothing of it`;
  });

/** The packages that no file imports, of those listed. */
export function unusedPackages(packages: readonly string[], files: readonly SourceText[]): string[] {
  const used = new Set(files.flatMap((source) => importsOf(source).map((entry) => entry.specifier)));
  return packages.filter(
    (name) => ![...used].some((specifier) => specifier === name || specifier.startsWith(`${name}/`)),
  );
}

/** A rule that no line of code (comments and literals aside) may match `pattern`. */
function noCode(pattern: RegExp, problem: string, where: RegExp = /./): Rule {
  return (files) =>
    files
      .filter((source) => where.test(source.path))
      .flatMap((source) =>
        [...maskText(source.text).matchAll(pattern)].map(
          (match) => `${source.path}:${lineAt(source.text, match.index)}: ${problem}`,
        ),
      );
}

/**
 * Everything that reads the world or prints lies in src/cli/. One file more touches the console: to
 * keep the audio decoders from printing.
 */
export const noGlobals: Rule = noCode(
  /(?<![.\w#])(?:process|console|Buffer|__dirname|__filename)\b(?!\s*[:?(=])/g,
  "Node's globals belong to src/cli/",
  /^src\/(?!cli\/|runtime\/audio\/compressed\.ts$)/,
);
export const noAny: Rule = noCode(
  /(?:[:<,|&=(]|\bas|\bextends)\s*any\b(?!\s*[:(.])/g,
  "`any` switches checking off",
);
export const noNonNull: Rule = noCode(/[\w)\]]!(?![=\w])/g, "`!` hides that a value may be missing");
export const noDefaultExport: Rule = noCode(
  /^\s*export\s+(?:default\b|\{[^}]*\bas\s+default\b)/gm,
  "exports have names",
);
export const noComputedImport: Rule = noCode(/(?<![.\w#])import\s*\((?!\s*["'])/g, "imports name a file");

/** Passes ask what kind an op is, never which op it is. */
export const noOpByName: Rule = (files) => {
  const outside = files.filter((source) => !source.path.startsWith("src/compiler/ops/"));
  const byName = noCode(
    /\bop\.name\s*[!=]==?|[!=]==?\s*(?:[\w.]+\.)?op\.name\b|\b(?:switch|includes|has|startsWith)\s*\(\s*(?:[\w.]+\.)?op\.name\b/g,
    "asks for an op by its name; ask what kind it is, or give the op's record a field",
  )(outside);
  const byIdentity = outside.flatMap((source) => {
    const records = importsOf(source)
      .filter((entry) => !entry.typeOnly && /\/ops\//.test(entry.specifier))
      .flatMap((entry) => entry.names);
    const pattern = new RegExp(`\\bop\\s*[!=]==?\\s*(?:${records.join("|")})\\b`, "g");
    const problem = "asks which op it is; ask what kind it is, or give the op's record a field";
    return records.length === 0 ? [] : noCode(pattern, problem)([source]);
  });
  return [...byName, ...byIdentity];
};

const longest = 500;

export const shortFiles: Rule = (files) =>
  files.flatMap(({ path, text }) => {
    const lines = text.trimEnd().split("\n").length;
    return lines <= longest ? [] : [`${path}:1: has ${lines} lines, ${longest} are the limit`];
  });

/** Begins by saying what the file owns. */
export const headers: Rule = (files) =>
  files.flatMap(({ path, text }) =>
    /^(?:#!.*\n)?\/\*\*\n(?: \*.*\n)+ \*\/\n/.test(text)
      ? []
      : [`${path}:1: does not begin with a comment that says what it owns`],
  );

const vague = /(?:^|\/|-)(?:utils?|utilities|helpers?|misc|common|shared|stuff)(?:-|\.|\/|$)/;

/** One noun in kebab-case, which says what is inside. */
export const fileNames: Rule = (files) =>
  files.flatMap(({ path }) => {
    const file = path.split("/").at(-1) ?? "";
    if (!/^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9]+)+$/.test(file)) return [`${path}:1: is not in kebab-case`];
    return vague.test(path.replace(/^src\//, "")) ? [`${path}:1: does not say what it holds`] : [];
  });

// Put together here, so that this file does not hold what it looks for.
const machineRoots = ["work", "root", "farm", "tmp/[a-z]"].map((folder) => `/${folder}`);
const registryHosts = [
  ["registry", "npmjs", "org"],
  ["registry", "yarnpkg", "com"],
  ["pypi", "org"],
  ["deb", "debian", "org"],
];
const machineWords = new RegExp(
  `(?<![\\w./*-])(?:${machineRoots.join("|")})(?![\\w])|${registryHosts.map((host) => host.join("\\.")).join("|")}`,
  "g",
);
const unfinished = new RegExp(`\\b(?:${["TO" + "DO", "FIX" + "ME", "XX" + "X"].join("|")})\\b`, "g");

function noText(pattern: RegExp, problem: (found: string) => string): Rule {
  return (files) =>
    files.flatMap(({ path, text }) =>
      [...text.matchAll(pattern)].map(
        (match) => `${path}:${lineAt(text, match.index)}: ${problem(match[0])}`,
      ),
    );
}

/** Nothing of the machine that a file was written on. */
export const noMachineWords: Rule = noText(
  machineWords,
  (found) => `holds ${found}, which is of one machine`,
);
export const noUnfinished: Rule = noText(unfinished, (found) => `says ${found}: finish it, or take it out`);
export const noFocusedTest: Rule = noText(
  /\b(?:test|it|describe)\.only\b/g,
  () => "runs one test and hides the others",
);
