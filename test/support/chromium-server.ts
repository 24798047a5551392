/**
 * One browser for all files of recorded cases that run in a page: started before them, closed after them.
 */
import type { TestProject } from "vitest/node";
import { launchBrowserServer } from "./browser.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** Where the browser listens. */
    chromium: string;
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await launchBrowserServer();
  project.provide("chromium", server.wsEndpoint());
  return () => server.close();
}
