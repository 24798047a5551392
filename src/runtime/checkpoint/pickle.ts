/**
 * Reading pickles as data (https://docs.python.org/3/library/pickletools.html).
 *
 * Owns: the opcodes that PyTorch's checkpoints consist of, on values that only describe. Nothing is ever
 * called: a call of an allowed global becomes a `call` value, any other global and any other opcode is
 * refused. What a pickle says of sizes is believed only as far as its own bytes reach.
 */
import { failure } from "../failure.ts";

export type PickleValue =
  | { readonly kind: "none" }
  | { readonly kind: "boolean"; readonly value: boolean }
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "text"; readonly value: string }
  | { readonly kind: "tuple"; readonly items: readonly PickleValue[] }
  | { readonly kind: "list"; readonly items: PickleValue[] }
  | { readonly kind: "dict"; readonly entries: [key: PickleValue, value: PickleValue][] }
  | { readonly kind: "global"; readonly name: string }
  /** Something that lies outside of the pickle, such as the numbers of a tensor. */
  | { readonly kind: "persistent"; readonly id: PickleValue }
  | { readonly kind: "call"; readonly name: string; readonly arguments: readonly PickleValue[] };

export interface PickleRules {
  readonly label: string;
  /** Globals that may be named, as `module.name`. */
  readonly globals: ReadonlySet<string>;
  /** Those of them that make an empty dictionary when called. */
  readonly dictionaries: ReadonlySet<string>;
}

const none: PickleValue = { kind: "none" };

/** @throws DiagnosticError `pickle-refused` for what may not be there, `pickle-damaged` for what can't be */
export function readPickle(bytes: Uint8Array, rules: PickleRules): PickleValue {
  return new Machine(bytes, rules).run();
}

class Machine {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #rules: PickleRules;
  #at = 0;
  #stack: PickleValue[] = [];
  /** Stacks that were left behind at a mark. */
  readonly #marked: PickleValue[][] = [];
  readonly #memo = new Map<number, PickleValue>();

  constructor(bytes: Uint8Array, rules: PickleRules) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#rules = rules;
  }

  run(): PickleValue {
    for (;;) {
      const at = this.#at;
      const opcode = this.#byte();
      if (opcode === 0x2e) break;
      this.#step(opcode, at);
    }
    const value = this.#pop();
    if (this.#stack.length > 0 || this.#marked.length > 0) throw this.#damaged("values are left over");
    return value;
  }

  #step(opcode: number, at: number): void {
    switch (String.fromCharCode(opcode)) {
      case "\x80": // PROTO
        if (this.#byte() > 5) throw this.#damaged("it is of a protocol that is not known");
        break;
      case "\x95": // FRAME
        this.#take(8);
        break;
      case "N":
        this.#push(none);
        break;
      case "\x88":
        this.#push({ kind: "boolean", value: true });
        break;
      case "\x89":
        this.#push({ kind: "boolean", value: false });
        break;
      case "J":
        this.#number(this.#view.getInt32(this.#take(4), true));
        break;
      case "K":
        this.#number(this.#byte());
        break;
      case "M":
        this.#number(this.#view.getUint16(this.#take(2), true));
        break;
      case "\x8a":
        this.#number(this.#long(this.#byte()));
        break;
      case "G":
        this.#number(this.#view.getFloat64(this.#take(8), false));
        break;
      case "X":
        this.#text(this.#view.getUint32(this.#take(4), true));
        break;
      case "\x8c":
        this.#text(this.#byte());
        break;
      case ")":
        this.#push({ kind: "tuple", items: [] });
        break;
      case "]":
        this.#push({ kind: "list", items: [] });
        break;
      case "}":
        this.#push({ kind: "dict", entries: [] });
        break;
      case "(":
        this.#marked.push(this.#stack);
        this.#stack = [];
        break;
      case "t":
        this.#push({ kind: "tuple", items: this.#sinceMark() });
        break;
      case "\x85":
      case "\x86":
      case "\x87":
        this.#push({ kind: "tuple", items: this.#popMany(opcode - 0x84) });
        break;
      case "a":
        this.#append([this.#pop()]);
        break;
      case "e":
        this.#append(this.#sinceMark());
        break;
      case "s":
        this.#set(this.#popMany(2));
        break;
      case "u":
        this.#set(this.#sinceMark());
        break;
      case "q":
        this.#remember(this.#byte());
        break;
      case "r":
        this.#remember(this.#view.getUint32(this.#take(4), true));
        break;
      case "\x94":
        this.#remember(this.#memo.size);
        break;
      case "h":
        this.#recall(this.#byte());
        break;
      case "j":
        this.#recall(this.#view.getUint32(this.#take(4), true));
        break;
      case "c":
        this.#global(`${this.#line()}.${this.#line()}`);
        break;
      case "\x93": {
        const [module, name] = this.#popMany(2);
        if (module?.kind !== "text" || name?.kind !== "text") throw this.#damaged("a global has no name");
        this.#global(`${module.value}.${name.value}`);
        break;
      }
      case "Q":
        this.#push({ kind: "persistent", id: this.#pop() });
        break;
      case "R":
        this.#call();
        break;
      case "b":
        this.#build();
        break;
      default:
        throw this.#refused(
          `the opcode 0x${opcode.toString(16).padStart(2, "0")} at byte ${at} is none that weights need`,
        );
    }
  }

  // -------------------------------------------------------------- calls, described and never made

  #global(name: string): void {
    if (!this.#rules.globals.has(name)) throw this.#refused(`it names ${JSON.stringify(name)}`);
    this.#push({ kind: "global", name });
  }

  #call(): void {
    const [callee, given] = this.#popMany(2);
    if (callee?.kind !== "global" || given?.kind !== "tuple")
      throw this.#refused("it calls what is no global");
    const empty = this.#rules.dictionaries.has(callee.name) && given.items.length === 0;
    this.#push(
      empty ? { kind: "dict", entries: [] } : { kind: "call", name: callee.name, arguments: given.items },
    );
  }

  /** State of an object: an ordered dictionary of weights carries versions of its layers, which say nothing. */
  #build(): void {
    const [target, state] = this.#popMany(2);
    if (target?.kind !== "dict" || state?.kind !== "dict") throw this.#refused("it gives an object a state");
    this.#push(target);
  }

  // -------------------------------------------------------------- the stack and the memo

  #push(value: PickleValue): void {
    this.#stack.push(value);
  }

  #number(value: number): void {
    this.#push({ kind: "number", value });
  }

  #pop(): PickleValue {
    const value = this.#stack.pop();
    if (value === undefined) throw this.#damaged("a value is missing");
    return value;
  }

  #popMany(count: number): PickleValue[] {
    if (this.#stack.length < count) throw this.#damaged("a value is missing");
    return this.#stack.splice(this.#stack.length - count);
  }

  #sinceMark(): PickleValue[] {
    const before = this.#marked.pop();
    if (before === undefined) throw this.#damaged("a mark is missing");
    const items = this.#stack;
    this.#stack = before;
    return items;
  }

  #append(items: readonly PickleValue[]): void {
    const list = this.#stack.at(-1);
    if (list?.kind !== "list") throw this.#damaged("something is appended to what is no list");
    for (const item of items) list.items.push(item);
  }

  #set(items: readonly PickleValue[]): void {
    const dict = this.#stack.at(-1);
    if (dict?.kind !== "dict" || items.length % 2 !== 0) throw this.#damaged("an entry has no dictionary");
    for (let i = 0; i < items.length; i += 2) dict.entries.push([items[i] ?? none, items[i + 1] ?? none]);
  }

  #remember(place: number): void {
    const value = this.#stack.at(-1);
    if (value === undefined) throw this.#damaged("nothing is there to remember");
    this.#memo.set(place, value);
  }

  #recall(place: number): void {
    const value = this.#memo.get(place);
    if (value === undefined) throw this.#damaged(`nothing was remembered as ${place}`);
    this.#push(value);
  }

  // -------------------------------------------------------------- bytes

  #take(count: number): number {
    const start = this.#at;
    if (count > this.#bytes.length - start) throw this.#damaged("it ends too early");
    this.#at += count;
    return start;
  }

  #byte(): number {
    return this.#view.getUint8(this.#take(1));
  }

  #long(count: number): number {
    const start = this.#take(count);
    if (count > 8) throw this.#damaged("an integer is too large");
    let value = 0n;
    for (let i = count - 1; i >= 0; i--) value = value * 256n + BigInt(this.#bytes[start + i] ?? 0);
    const exact = Number(BigInt.asIntN(count * 8, value));
    if (!Number.isSafeInteger(exact)) throw this.#damaged("an integer is too large");
    return exact;
  }

  #text(length: number): void {
    const start = this.#take(length);
    this.#push({ kind: "text", value: this.#decode(start, start + length) });
  }

  #line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end < 0) throw this.#damaged("it ends too early");
    const start = this.#at;
    this.#at = end + 1;
    return this.#decode(start, end);
  }

  #decode(start: number, end: number): string {
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(this.#bytes.subarray(start, end));
    } catch {
      throw this.#damaged("a text is not UTF-8");
    }
  }

  #damaged(why: string): Error {
    return failure("pickle-damaged", `The pickle of ${this.#rules.label} is damaged: ${why}.`, {
      hint: "copy or download the checkpoint again",
    });
  }

  #refused(why: string): Error {
    return failure("pickle-refused", `${this.#rules.label} holds more than weights: ${why}.`, {
      notes: [
        "a pickle can run any program when Python loads it; here only descriptions of tensors are read",
      ],
      hint: "save the weights alone (a state_dict) with PyTorch, or as safetensors, where you trust the file",
    });
  }
}
