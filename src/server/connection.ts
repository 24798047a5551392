/**
 * The connection to an editor, over two streams.
 *
 * Owns: the one use of the protocol package's part for Node.
 */
import { type Connection, createConnection, ProposedFeatures } from "vscode-languageserver/node";

/** Ends the process when the input ends, or the editor asks for it: with 0 after `shutdown`, else with 1. */
export function connect(input: NodeJS.ReadableStream, output: NodeJS.WritableStream): Connection {
  return createConnection(ProposedFeatures.all, input, output);
}
