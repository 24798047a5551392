/**
 * Dimensions from text: the inverse of print.ts.
 *
 * Owns: the grammar below, and refusing text that is malformed, nested too deep or too costly.
 *
 *     sum     = term { ("+" | "-") term }
 *     term    = { "-" } power { ("*" | "%") power }
 *     power   = primary [ "^" integer ]
 *     primary = integer | name | "(" sum ")" | ("min" | "max") "(" sum { "," sum } ")"
 *             | ("floor" | "ceil") "(" term "/" power ")"
 *             | ("floor" | "ceil" | "round") "(" (real | name) "*" term ")"
 *
 * A real has a decimal point or an exponent; that alone tells `ceil(2.0*N)` from an integer product.
 */
import { extreme, scaled, symbol } from "./atoms.ts";
import { ceilDivide, floorDivide } from "./division.ts";
import {
  constant,
  DimError,
  multiply,
  negate,
  type Polynomial,
  power,
  type RealFactor,
  type Rounding,
  subtract,
  sum,
} from "./polynomial.ts";

const maximumNesting = 200;
const maximumLength = 1_000_000;
/** Terms handled in all; far above what print.ts writes within `maximumLength`. */
const maximumWork = 2_000_000;

type Token =
  | { readonly kind: "integer"; readonly value: bigint }
  | { readonly kind: "real"; readonly value: number }
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "mark"; readonly mark: string };

const tokenPattern =
  /\s*(?:(\d+(?:\.\d+(?:[eE][+-]?\d+)?|[eE][+-]?\d+))|(\d+)|([\p{L}_$#][\p{L}\p{N}_.$#]*)|([-+*%/^(),]))/uy;

/** Thrown inside this file only. */
class Malformed extends Error {}

export function parse(text: string): Polynomial | undefined {
  if (text.length > maximumLength) return undefined;
  const tokens = tokenize(text);
  if (tokens === undefined) return undefined;
  try {
    return new Parser(tokens).parse();
  } catch (error) {
    if (error instanceof Malformed || error instanceof DimError) return undefined;
    throw error;
  }
}

function tokenize(text: string): Token[] | undefined {
  const source = text.trim();
  const tokens: Token[] = [];
  const pattern = new RegExp(tokenPattern);
  while (pattern.lastIndex < source.length) {
    const match = pattern.exec(source);
    if (match === null) return undefined;
    const [, real, integer, name, mark] = match;
    if (real !== undefined) tokens.push({ kind: "real", value: Number(real) });
    else if (integer !== undefined) {
      if (integer.length > 1300) return undefined;
      tokens.push({ kind: "integer", value: BigInt(integer) });
    } else if (name !== undefined) tokens.push({ kind: "name", name });
    else if (mark !== undefined) tokens.push({ kind: "mark", mark });
  }
  return tokens;
}

/** For each "(" the number of "/" directly inside it: what tells a division from a scaled product. */
function countDivisions(tokens: readonly Token[]): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  const open: number[] = [];
  for (const [index, token] of tokens.entries()) {
    if (token.kind !== "mark") continue;
    const innermost = open.at(-1);
    if (token.mark === "(") open.push(index);
    else if (token.mark === ")") open.pop();
    else if (token.mark === "/" && innermost !== undefined) {
      counts.set(innermost, (counts.get(innermost) ?? 0) + 1);
    }
  }
  return counts;
}

class Parser {
  readonly #tokens: readonly Token[];
  readonly #divisions: ReadonlyMap<number, number>;
  #index = 0;
  #nesting = 0;
  #work = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
    this.#divisions = countDivisions(tokens);
  }

  parse(): Polynomial {
    const result = this.#sum();
    if (this.#index < this.#tokens.length) throw new Malformed();
    return result;
  }

  #sum(): Polynomial {
    this.#nesting += 1;
    if (this.#nesting > maximumNesting) throw new Malformed();
    const terms = [this.#term()];
    for (;;) {
      if (this.#accept("+")) terms.push(this.#term());
      else if (this.#accept("-")) terms.push(negate(this.#term()));
      else break;
    }
    this.#nesting -= 1;
    return terms.length === 1 && terms[0] !== undefined ? terms[0] : this.#spend(sum(terms));
  }

  #term(): Polynomial {
    let negative = false;
    while (this.#accept("-")) negative = !negative;
    let result = this.#power();
    for (;;) {
      if (this.#accept("*")) {
        result = this.#spend(multiply(result, this.#power()));
      } else if (this.#accept("%")) {
        const divisor = this.#power();
        result = this.#spend(subtract(result, multiply(divisor, floorDivide(result, divisor))));
      } else {
        break;
      }
    }
    return negative ? negate(result) : result;
  }

  #power(): Polynomial {
    const base = this.#primary();
    if (!this.#accept("^")) return base;
    const exponent = this.#next();
    if (exponent.kind !== "integer" || exponent.value > 1000n) throw new Malformed();
    const raised = power(base, Number(exponent.value));
    if (base.terms.length > 1) this.#work += raised.terms.length * Number(exponent.value);
    return this.#spend(raised);
  }

  #primary(): Polynomial {
    const token = this.#next();
    switch (token.kind) {
      case "integer":
        return this.#spend(constant(token.value));
      case "name":
        if (this.#peekMark() === "(") return this.#call(token.name);
        return this.#spend(symbol(token.name));
      case "mark": {
        if (token.mark !== "(") throw new Malformed();
        const inner = this.#sum();
        this.#expect(")");
        return inner;
      }
      case "real":
        throw new Malformed();
    }
  }

  #call(name: string): Polynomial {
    const divisions = this.#divisions.get(this.#index) ?? 0;
    this.#expect("(");
    this.#nesting += 1;
    if (this.#nesting > maximumNesting) throw new Malformed();
    const result = this.#arguments(name, divisions);
    this.#nesting -= 1;
    this.#expect(")");
    return this.#spend(result);
  }

  #arguments(name: string, divisions: number): Polynomial {
    switch (name) {
      case "min":
      case "max": {
        const items = [this.#sum()];
        while (this.#accept(",")) items.push(this.#sum());
        return extreme(name, items);
      }
      case "floor":
      case "ceil":
        return divisions > 0 ? this.#division(name) : this.#scaled(name);
      case "round":
        return this.#scaled(name);
      default:
        throw new Malformed();
    }
  }

  #division(name: "floor" | "ceil"): Polynomial {
    const numerator = this.#term();
    this.#expect("/");
    const divisor = this.#power();
    return name === "floor" ? floorDivide(numerator, divisor) : ceilDivide(numerator, divisor);
  }

  #scaled(mode: Rounding): Polynomial {
    const negative = this.#accept("-");
    const token = this.#next();
    let factor: RealFactor;
    if (token.kind === "real") factor = negative ? -token.value : token.value;
    else if (token.kind === "name" && !negative) factor = token.name;
    else throw new Malformed();
    this.#expect("*");
    return scaled(mode, factor, this.#term());
  }

  #spend(result: Polynomial): Polynomial {
    this.#work += 1 + result.terms.length;
    if (this.#work > maximumWork) throw new Malformed();
    return result;
  }

  #next(): Token {
    const token = this.#tokens[this.#index];
    if (token === undefined) throw new Malformed();
    this.#index += 1;
    return token;
  }

  #peekMark(): string | undefined {
    const token = this.#tokens[this.#index];
    return token?.kind === "mark" ? token.mark : undefined;
  }

  #accept(mark: string): boolean {
    if (this.#peekMark() !== mark) return false;
    this.#index += 1;
    return true;
  }

  #expect(mark: string): void {
    if (!this.#accept(mark)) throw new Malformed();
  }
}
