import { defineConfig } from "vitest/config";

/**
 * Three projects: `quick` (seconds, while editing), `whole` (goldens, command line, everything a
 * change must keep green) and `full` (full-size models and long fuzzing). Two more are all recorded cases
 * once more, on WebGPU in Node (`device`) and in a page (`chromium`); they belong to the full tests, and some
 * of their cases to the whole.
 */
const project = (name: string, include: string[], timeout: number) => ({
  test: { name, include, testTimeout: timeout, hookTimeout: timeout },
});

/** Its tests keep nothing between them: modules are loaded once for all files of a worker. */
const quick = {
  test: { ...project("quick", ["test/**/*.test.ts"], 20_000).test, isolate: false },
};

const device = {
  test: {
    ...project("device", ["test/golden*.whole.ts", "!test/golden-{browser,device}.whole.ts"], 600_000).test,
    env: { OSSICLE_TEST_TARGET: "webgpu" },
    setupFiles: ["test/support/device-setup.ts"],
  },
};

/** The command line as it is, but for what it calls instead of Dawn. */
const chromium = {
  test: {
    ...device.test,
    name: "chromium",
    globalSetup: ["test/support/chromium-server.ts"],
    setupFiles: ["test/support/chromium-setup.ts"],
    alias: [
      {
        find: "./execute-webgpu.ts",
        replacement: new URL("./test/support/chromium-target.ts", import.meta.url).pathname,
      },
    ],
  },
};

export default defineConfig({
  test: {
    // Every core: files share nothing, and the default leaves one core of two idle.
    maxWorkers: "100%",
    projects: [
      quick,
      { test: { ...project("whole", ["test/**/*.whole.ts"], 180_000).test, isolate: false } },
      device,
      chromium,
      project("full", ["test/**/*.full.ts"], 1_200_000),
    ],
  },
});
