/**
 * The grammar of what a model says about itself besides what it computes: checkpoint names, what is not
 * trained, how weights are stored, variants worth comparing, budgets, and how text is generated.
 *
 * Owns: one rule for each of these members. Meaning is given later; members that compute are
 * grammar.ts.
 */
import type {
  BudgetMember,
  FrozenMember,
  GenerateMember,
  NamedValue,
  StoredMember,
  SweepMember,
  WeightRename,
  WeightsMember,
} from "./ast.ts";
import type { Rule } from "./grammar-recovery.ts";
import { StatementParser } from "./grammar-statements.ts";
import {
  Arrow,
  Budget,
  Colon,
  From,
  Frozen,
  Generate,
  LeftBrace,
  RightBrace,
  Stored,
  Sweep,
  Then,
  Weights,
} from "./tokens.ts";

export abstract class PlanParser extends StatementParser {
  readonly weights: Rule<WeightsMember> = this.RULE("weights", (): WeightsMember => {
    const first = this.CONSUME(Weights);
    this.CONSUME(LeftBrace, { ERR_MSG: "`{` and renamings" });
    const renames = this.items(1, this.rename, "a renaming", () => undefined);
    this.CONSUME(RightBrace);
    return { kind: "weights", renames, span: this.spanFrom(first) };
  });

  readonly rename: Rule<WeightRename> = this.RULE("rename", (): WeightRename => {
    const first = this.next();
    const from = this.SUBRULE(this.string);
    this.CONSUME(Arrow, { ERR_MSG: "`->` and the model's name" });
    const to = this.SUBRULE2(this.string);
    return { from, to, span: this.spanFrom(first) };
  });

  readonly frozen: Rule<FrozenMember> = this.RULE("frozen", (): FrozenMember => {
    const first = this.CONSUME(Frozen);
    this.CONSUME(LeftBrace, { ERR_MSG: "`{` and paths" });
    const patterns = this.items(1, this.string, "a path", () => undefined);
    this.CONSUME(RightBrace);
    return { kind: "frozen", patterns, span: this.spanFrom(first) };
  });

  readonly stored: Rule<StoredMember> = this.RULE("stored", (): StoredMember => {
    const first = this.CONSUME(Stored);
    const options = this.SUBRULE(this.namedValues);
    return { kind: "stored", options, span: this.spanFrom(first) };
  });

  readonly sweep: Rule<SweepMember> = this.RULE("sweep", (): SweepMember => {
    const first = this.CONSUME(Sweep);
    const axes = this.SUBRULE(this.namedValues);
    return { kind: "sweep", axes, span: this.spanFrom(first) };
  });

  readonly budget: Rule<BudgetMember> = this.RULE("budget", (): BudgetMember => {
    const first = this.CONSUME(Budget);
    this.CONSUME(LeftBrace, { ERR_MSG: "`{` and limits" });
    const limits = this.items(1, this.expression, "a limit", () => undefined);
    this.CONSUME(RightBrace);
    return { kind: "budget", limits, span: this.spanFrom(first) };
  });

  readonly generate: Rule<GenerateMember> = this.RULE("generate", (): GenerateMember => {
    const start = this.CONSUME(Generate);
    const name = this.SUBRULE(this.name);
    this.CONSUME(From, { ERR_MSG: "`from` and the entry that comes first" });
    const first = this.SUBRULE2(this.name);
    this.CONSUME(Then, { ERR_MSG: "`then` and the entry that is repeated" });
    const next = this.SUBRULE3(this.name);
    const options = this.OPTION(() => this.SUBRULE(this.namedValues)) ?? [];
    return { kind: "generate", name, first, next, options, span: this.spanFrom(start) };
  });

  readonly namedValues: Rule<NamedValue[]> = this.RULE("namedValues", (): NamedValue[] => {
    this.CONSUME(LeftBrace, { ERR_MSG: "`{` and values" });
    const values = this.items(1, this.namedValue, "a value", () => undefined);
    this.CONSUME(RightBrace);
    return values;
  });

  readonly namedValue: Rule<NamedValue> = this.RULE("namedValue", (): NamedValue => {
    const first = this.next();
    const name = this.SUBRULE(this.name);
    this.CONSUME(Colon, { ERR_MSG: "`:` and a value" });
    const value = this.SUBRULE(this.expression);
    return { name, value, span: this.spanFrom(first) };
  });
}
