/**
 * An editor's side of the language server protocol, by hand.
 *
 * Owns: framing, requests and what the server sends by itself. Anything on the server's standard output
 * that is not a message of the protocol is an error.
 */
import type { ChildProcess } from "node:child_process";

export interface Message {
  readonly id?: number | string | null;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string };
}

export class LanguageClient {
  readonly #child: ChildProcess;
  #buffer = Buffer.alloc(0);
  #lastId = 0;
  readonly #answers = new Map<number, (message: Message) => void>();
  readonly #listeners = new Set<(message: Message) => void>();
  /** What the server asks; by method. */
  readonly requests = new Map<string, (params: unknown) => unknown>();
  readonly notifications: Message[] = [];
  /** What came that is no message. */
  readonly faults: string[] = [];
  stderr = "";

  constructor(child: ChildProcess) {
    this.#child = child;
    child.stdout?.on("data", (chunk: Buffer) => this.#take(chunk));
    child.stderr?.on("data", (chunk: Buffer) => {
      this.stderr += String(chunk);
    });
  }

  #take(chunk: Buffer): void {
    this.#buffer = Buffer.concat([this.#buffer, chunk]);
    for (;;) {
      const end = this.#buffer.indexOf("\r\n\r\n");
      if (end < 0) return;
      const head = this.#buffer.subarray(0, end).toString("latin1");
      const length = /^Content-Length: (\d+)(?:\r\nContent-Type: [^\r\n]*)?$/.exec(head)?.[1];
      if (length === undefined) {
        this.faults.push(this.#buffer.toString("utf8"));
        return;
      }
      const from = end + 4;
      const to = from + Number(length);
      if (this.#buffer.length < to) return;
      const text = this.#buffer.subarray(from, to).toString("utf8");
      this.#buffer = this.#buffer.subarray(to);
      this.#handle(JSON.parse(text) as Message);
    }
  }

  #handle(message: Message): void {
    const { id, method } = message;
    if (method === undefined) {
      this.#answers.get(Number(id))?.(message);
      return;
    }
    if (id !== undefined) {
      const result = this.requests.get(method)?.(message.params) ?? null;
      this.send({ id, result });
      return;
    }
    this.notifications.push(message);
    for (const listener of this.#listeners) listener(message);
  }

  send(message: Message): void {
    const body = Buffer.from(JSON.stringify({ jsonrpc: "2.0", ...message }), "utf8");
    this.#child.stdin?.write(`Content-Length: ${body.length}\r\n\r\n`);
    this.#child.stdin?.write(body);
  }

  notify(method: string, params: unknown): void {
    this.send({ method, params });
  }

  /** The whole answer, an error included. */
  ask(method: string, params: unknown): Promise<Message> {
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve) => {
      this.#answers.set(id, (message) => {
        this.#answers.delete(id);
        resolve(message);
      });
      this.send({ id, method, params });
    });
  }

  /** The next thing that the server says by itself and `isWanted` accepts. */
  next(isWanted: (message: Message) => boolean): Promise<Message> {
    return new Promise((resolve) => {
      const listener = (message: Message): void => {
        if (!isWanted(message)) return;
        this.#listeners.delete(listener);
        resolve(message);
      };
      this.#listeners.add(listener);
    });
  }
}
