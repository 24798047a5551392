/**
 * Graphs from text; the grammar stands in graph-text.ts.
 *
 * Owns: what each line means. The parser builds what the text says, no more: it merges nothing and
 * drops nothing, and whether the result is legal is the verifier's to say (verify.ts).
 */
import type { AttributeSpec, Attributes, AttributeValue, Requirement } from "../lang/catalog.ts";
import { SourceFile } from "../lang/source.ts";
import { printType, type TensorType } from "../lang/types.ts";
import { normalizeAttributes } from "./attribute-form.ts";
import type {
  Graph,
  GraphInitializer,
  GraphInput,
  GraphOutput,
  GraphSymbol,
  Guard,
  Node,
  Parameter,
  Provenance,
  Value,
} from "./graph.ts";
import { makeNode } from "./graph-builder.ts";
import { GraphScanner } from "./graph-scanner.ts";
import { allocate, elementCount, type HostTensor } from "./host-tensor.ts";
import type { OpDefinition } from "./ops/op.ts";

export interface GraphParseOptions {
  /** Where ops are found by name. */
  readonly ops: { find(name: string): OpDefinition | undefined };
  /** Constants that the text names by hash only. */
  readonly tensors?: (hash: string) => HostTensor | undefined;
  /** What to call the text in messages. */
  readonly path?: string;
}

/** The name of a value and its place in the text. */
interface Name {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** Throws a DiagnosticError with the place of the first fault in the text. */
export function parseGraph(text: string, options: GraphParseOptions): Graph {
  return new GraphParser(new SourceFile(options.path ?? "graph", text), options).run();
}

class GraphParser {
  readonly #scanner: GraphScanner;
  readonly #options: GraphParseOptions;
  readonly #values = new Map<string, Value>();
  readonly #inputs: GraphInput[] = [];
  readonly #parameters: Value[] = [];
  readonly #nodes: Node[] = [];
  readonly #guards: Guard[] = [];
  readonly #outputs: GraphOutput[] = [];

  constructor(file: SourceFile, options: GraphParseOptions) {
    this.#scanner = new GraphScanner(file);
    this.#options = options;
  }

  run(): Graph {
    const scanner = this.#scanner;
    if (scanner.atEnd) throw scanner.unexpected("`graph`");
    scanner.expect("graph");
    const name = scanner.name("the name of the graph");
    const symbols = scanner.take("(") ? scanner.list(")", () => this.#symbol()) : [];
    scanner.endOfLine();
    while (!scanner.atEnd) this.#line();
    return {
      name,
      symbols,
      inputs: this.#inputs,
      parameters: this.#parameters,
      nodes: this.#nodes,
      outputs: this.#outputs,
      guards: this.#guards,
    };
  }

  #symbol(): GraphSymbol {
    const name = this.#scanner.match("[A-Za-z_][A-Za-z0-9_.]*", "the name of a symbol");
    this.#scanner.expect(">=");
    return { name, minimum: this.#scanner.number("a minimum") };
  }

  #line(): void {
    const scanner = this.#scanner;
    if (scanner.take("input")) this.#input();
    else if (scanner.take("const")) this.#constant();
    else if (scanner.take("guard")) this.#guard();
    else if (scanner.take("output")) this.#output();
    else {
      const initial = scanner.take("initial");
      if (scanner.take("param")) this.#parameter(initial);
      else this.#node(initial);
    }
  }

  #input(): void {
    const name = this.#name();
    const type = this.#typeOf();
    const sampleRate = this.#scanner.take("@") ? this.#scanner.number("a sample rate") : undefined;
    const state = this.#state();
    const value: Value = { type, source: { kind: "input", name: name.text } };
    this.#scanner.endOfLine();
    this.#define(name, value);
    this.#inputs.push({ name: name.text, value, sampleRate, ...state });
  }

  #constant(): void {
    const scanner = this.#scanner;
    const name = this.#name();
    const start = this.#scanner.position;
    const type = this.#typeOf();
    const shape = type.shape.map((dim) => dim.constant).filter((size) => size !== undefined);
    if (shape.length < type.shape.length) {
      throw scanner.fail(`a constant cannot have the type ${printType(type)}`, start);
    }
    scanner.expect("=");
    const tensor = scanner.take("#") ? this.#hashed(type, shape) : this.#listed(type, shape);
    scanner.endOfLine();
    this.#define(name, { type, source: { kind: "constant", tensor } });
  }

  #listed(type: TensorType, shape: readonly number[]): HostTensor {
    const start = this.#scanner.position;
    this.#scanner.expect("[");
    const values = this.#scanner.list("]", () => this.#scanner.number("a number"));
    if (values.length !== elementCount(shape)) {
      const message = `${printType(type)} holds ${elementCount(shape)} elements; ${values.length} are listed`;
      throw this.#scanner.fail(message, start);
    }
    const tensor = allocate(type.dtype, shape);
    tensor.data.set(values);
    return tensor;
  }

  #hashed(type: TensorType, shape: readonly number[]): HostTensor {
    const start = this.#scanner.position;
    const hash = this.#scanner.match("[0-9a-f]{16}", "16 hexadecimal digits");
    const tensor = this.#options.tensors?.(hash);
    if (tensor === undefined) {
      const hint = "Give the tensors that belong to the text.";
      throw this.#scanner.fail(`there is no tensor with the hash ${hash}`, start, undefined, hint);
    }
    const fits = tensor.dtype === type.dtype && tensor.shape.join() === shape.join();
    if (fits) return tensor;
    const found = `${tensor.dtype}[${tensor.shape.join(", ")}]`;
    throw this.#scanner.fail(`the tensor with the hash ${hash} is ${found}, not ${printType(type)}`, start);
  }

  #parameter(initial: boolean): void {
    const name = this.#name();
    const type = this.#typeOf();
    this.#scanner.expect("=");
    const begin = this.#initializer();
    const parameter: Parameter = { path: name.text, type, initial: begin, provenance: this.#provenance() };
    const value: Value = { type, source: { kind: "parameter", parameter } };
    this.#define(name, value);
    if (!initial) this.#parameters.push(value);
  }

  #initializer(): GraphInitializer {
    const scanner = this.#scanner;
    if (scanner.take("zeros")) return { kind: "zeros" };
    if (scanner.take("ones")) return { kind: "ones" };
    if (scanner.take("value")) return { kind: "value", value: this.#use() };
    if (scanner.take("normal")) {
      const [mean, std] = this.#pair("a mean", "a standard deviation");
      return { kind: "normal", mean, std };
    }
    if (scanner.take("uniform")) {
      const [low, high] = this.#pair("a lower end", "an upper end");
      return { kind: "uniform", low, high };
    }
    if (!scanner.take("truncated-normal")) throw scanner.unexpected("how the parameter starts");
    scanner.expect("(");
    const std = scanner.number("a standard deviation");
    scanner.expect(")");
    return { kind: "truncated-normal", std };
  }

  #pair(first: string, second: string): readonly [number, number] {
    this.#scanner.expect("(");
    const left = this.#scanner.number(first);
    this.#scanner.expect(",");
    const right = this.#scanner.number(second);
    this.#scanner.expect(")");
    return [left, right];
  }

  #node(initial: boolean): void {
    const scanner = this.#scanner;
    const names = [this.#name()];
    while (scanner.take(",")) names.push(this.#name());
    const start = scanner.position;
    const types = [this.#typeOf()];
    while (scanner.take(",")) types.push(scanner.type());
    if (types.length !== names.length)
      throw scanner.fail(`${names.length} names have ${types.length} types`, start);
    scanner.expect("=");
    const op = this.#op();
    scanner.expect("(");
    const operands = scanner.list(")", () => this.#use());
    const attributes = this.#attributes(op);
    const node = makeNode(op, operands, attributes, types, this.#provenance());
    node.results.forEach((value, index) => {
      const name = names[index];
      if (name !== undefined) this.#define(name, value);
    });
    if (!initial) this.#nodes.push(node);
  }

  #op(): OpDefinition {
    const start = this.#scanner.position;
    const name = this.#scanner.match("[A-Za-z_][A-Za-z0-9_.-]*", "an op");
    const op = this.#options.ops.find(name);
    if (op === undefined) throw this.#scanner.fail(`there is no op \`${name}\``, start);
    return op;
  }

  #attributes(op: OpDefinition): Attributes {
    const scanner = this.#scanner;
    const found: Record<string, AttributeValue> = {};
    if (scanner.take("{")) {
      scanner.list("}", () => {
        const start = scanner.position;
        const name = scanner.match("[A-Za-z_][A-Za-z0-9_]*", "an attribute");
        const spec = Object.hasOwn(op.attributes, name) ? op.attributes[name] : undefined;
        if (spec === undefined) throw scanner.fail(`\`${op.name}\` has no attribute \`${name}\``, start);
        scanner.expect(":");
        found[name] = this.#attribute(spec);
      });
    }
    return normalizeAttributes(op, found);
  }

  #attribute(spec: AttributeSpec): AttributeValue {
    const scanner = this.#scanner;
    switch (spec.kind) {
      case "integer":
      case "real":
        return scanner.number("a number");
      case "integers":
        scanner.expect("[");
        return scanner.list("]", () => scanner.number("a number"));
      case "dim":
        return scanner.dim([",", "}"]);
      case "dims":
        scanner.expect("[");
        return scanner.list("]", () => scanner.dim([",", "]"]));
      case "boolean":
        return scanner.match("true|false", "true or false") === "true";
      case "string":
      case "dtype":
        return scanner.string("a string");
    }
  }

  #guard(): void {
    const scanner = this.#scanner;
    const left = scanner.dim([" == ", " <= ", " divides "]);
    const kind = this.#relation();
    const right = scanner.dim(['"']);
    const reason = scanner.string("a reason in quotes");
    this.#guards.push({ requirement: { kind, left, right, reason }, provenance: this.#provenance() });
  }

  #relation(): Requirement["kind"] {
    if (this.#scanner.take("==")) return "equal";
    if (this.#scanner.take("<=")) return "at-most";
    if (this.#scanner.take("divides")) return "divides";
    throw this.#scanner.unexpected("`==`, `<=` or `divides`");
  }

  #output(): void {
    const name = this.#scanner.name("the name of an output");
    this.#scanner.expect("=");
    const value = this.#use();
    const state = this.#state();
    this.#scanner.endOfLine();
    this.#outputs.push({ name, value, ...state });
  }

  /** `state decoder.layers.0.ssm_state`, where an input or output carries one. */
  #state(): { state?: string } {
    return this.#scanner.take("state") ? { state: this.#scanner.name("the name of a state") } : {};
  }

  #provenance(): Provenance {
    return { path: this.#scanner.endOfLine(), span: undefined };
  }

  #typeOf(): TensorType {
    this.#scanner.expect(":");
    return this.#scanner.type();
  }

  #name(): Name {
    this.#scanner.expect("%");
    const start = this.#scanner.position - 1;
    const text = this.#scanner.name("a name");
    return { text, start, end: this.#scanner.position };
  }

  #define(name: Name, value: Value): void {
    if (this.#values.has(name.text)) {
      throw this.#scanner.fail(`%${name.text} is defined twice`, name.start, name.end);
    }
    this.#values.set(name.text, value);
  }

  #use(): Value {
    const { text, start } = this.#name();
    const value = this.#values.get(text);
    if (value === undefined) throw this.#scanner.fail(`%${text} is not defined before this line`, start);
    return value;
  }
}
