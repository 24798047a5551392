import { defineConfig } from "vitest/config";

/**
 * Three projects: `quick` (seconds, while editing), `whole` (goldens, command line, everything a
 * change must keep green) and `full` (full-size models and long fuzzing).
 */
const project = (name: string, include: string[], timeout: number) => ({
  test: { name, include, testTimeout: timeout, hookTimeout: timeout },
});

export default defineConfig({
  test: {
    projects: [
      project("quick", ["test/**/*.test.ts"], 20_000),
      project("whole", ["test/**/*.whole.ts"], 180_000),
      project("full", ["test/**/*.full.ts"], 1_200_000),
    ],
  },
});
