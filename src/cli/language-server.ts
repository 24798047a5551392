/**
 * The language server on standard input and output.
 *
 * Owns: that nothing but the protocol reaches standard output. The process ends when the editor says so
 * or goes away.
 */
import { PassThrough } from "node:stream";
import { catalog } from "../compiler/ops/index.ts";
import { connect } from "../server/connection.ts";
import { serve } from "../server/server.ts";
import { FileHost } from "./source-host.ts";

/** Runs until the process ends. */
export function runLanguageServer(): Promise<never> {
  const output = new PassThrough();
  const write = process.stdout.write.bind(process.stdout);
  output.on("data", (chunk: Uint8Array) => write(chunk));
  // Whatever prints would break the stream of messages: the editor's log gets it instead.
  process.stdout.write = process.stderr.write.bind(process.stderr);
  serve(connect(process.stdin, output), new FileHost(), catalog);
  return new Promise(() => undefined);
}
