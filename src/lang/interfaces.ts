/**
 * What each kind of block promises.
 *
 * Owns: the interfaces of encoder, frontend, policy, connector, decoder, adapter and model. What can be
 * seen in the text is checked there; ranks of tensors are checked when a block is applied.
 */
import { adapterTarget } from "./adapters.ts";
import type { BlockDeclaration, BlockKind, ForwardMember, Member } from "./ast.ts";
import type { Diagnostic } from "./diagnostic.ts";
import * as messages from "./messages.ts";
import type { Span } from "./source.ts";
import type { Value } from "./value.ts";

interface Interface {
  /** Members of other kinds that a block of this kind can't have, with what to say instead. */
  readonly forward: "required" | "forbidden" | "free";
  readonly handlers: "required" | "forbidden";
  readonly entries: "required" | "forbidden";
  /** Ranks of what `forward` takes first and gives. */
  readonly takes?: number;
  readonly gives?: number;
  /** A sentence for the reader. */
  readonly promise: string;
}

const tokens = "tokens [batch, tokens, width]";
const computes = { handlers: "forbidden", entries: "forbidden" } as const;

const interfaces: Readonly<Record<BlockKind, Interface>> = {
  block: { ...computes, forward: "free", promise: "a block computes with `forward`" },
  encoder: { ...computes, forward: "required", gives: 3, promise: `an encoder gives ${tokens}` },
  frontend: { ...computes, forward: "required", promise: "a frontend turns a waveform into features" },
  connector: {
    ...computes,
    forward: "required",
    takes: 3,
    gives: 3,
    promise: `a connector takes and gives ${tokens}`,
  },
  decoder: {
    ...computes,
    forward: "required",
    takes: 3,
    gives: 3,
    promise: `a decoder takes and gives ${tokens}`,
  },
  adapter: {
    ...computes,
    forward: "required",
    promise: "an adapter has a `forward`, or says how weights are `stored`, and a parameter `on`",
  },
  policy: {
    forward: "forbidden",
    handlers: "required",
    entries: "forbidden",
    promise: "a policy acts at sites, with `on`",
  },
  model: {
    forward: "free",
    handlers: "forbidden",
    entries: "required",
    promise: "a model has inputs and entries",
  },
};

/** Holds a declaration to what its kind promises, as far as the text shows. */
export function checkInterface(declaration: BlockDeclaration): Diagnostic[] {
  // A variant has what its base has, and is checked by being made.
  if (declaration.value !== undefined || declaration.base !== undefined) return [];
  const { blockKind, name } = declaration;
  const { forward, handlers, entries, promise } = interfaces[blockKind];
  const members = flatten(declaration.members);
  const found: Diagnostic[] = [];
  const broken = (span: Span, what: string): void => {
    found.push(messages.brokenInterface(declaration, span, what, promise));
  };
  const forwards = members.find((member): member is ForwardMember => member.kind === "forward");
  // Such an adapter leaves what its part computes as it is.
  const isStoring = blockKind === "adapter" && members.some((member) => member.kind === "stored");
  if (forward === "required" && forwards === undefined && !isStoring)
    broken(name.span, "it has no `forward`");
  if (forward === "forbidden" && forwards !== undefined)
    broken(firstLine(forwards.span), "it has a `forward`");
  const handler = members.find((member) => member.kind === "handler");
  // A `forward` in its place is the same mistake, and reported.
  const isMistaken = forward === "forbidden" && forwards !== undefined;
  if (handlers === "required" && handler === undefined && !isMistaken) broken(name.span, "it has no `on`");
  if (handlers === "forbidden" && handler !== undefined) broken(firstLine(handler.span), "it has an `on`");
  const entry = members.find((member) => member.kind === "entry");
  if (entries === "required" && entry === undefined) broken(name.span, "it has no entry");
  const outside = members.find((member) =>
    ["entry", "input", "generate", "sweep", "budget"].includes(member.kind),
  );
  if (entries === "forbidden" && outside !== undefined)
    broken(firstLine(outside.span), `it has a member \`${outside.kind}\``);
  if (blockKind === "adapter" && !declaration.parameters.some((p) => p.name.name === adapterTarget)) {
    broken(name.span, `it has no parameter \`${adapterTarget}: [string]\``);
  }
  return found;
}

/** Holds what `forward` took and gave to the ranks that its kind promises. */
export function checkRanks(
  declaration: BlockDeclaration,
  taken: Value | undefined,
  given: Value,
  span: Span,
): Diagnostic | undefined {
  const { takes, gives, promise } = interfaces[declaration.blockKind];
  if (takes !== undefined && taken?.kind === "tensor" && taken.type.shape.length !== takes) {
    return messages.brokenInterface(
      declaration,
      span,
      `it takes ${taken.type.shape.length} dimensions`,
      promise,
    );
  }
  if (gives !== undefined && given.kind === "tensor" && given.type.shape.length !== gives) {
    return messages.brokenInterface(
      declaration,
      span,
      `it gives ${given.type.shape.length} dimensions`,
      promise,
    );
  }
  return undefined;
}

function flatten(members: readonly Member[]): Member[] {
  return members.flatMap((member) =>
    member.kind === "conditional" ? [...flatten(member.consequent), ...flatten(member.alternate)] : [member],
  );
}

/** Long members are marked by their first line. */
function firstLine(span: Span): Span {
  const end = span.file.text.indexOf("\n", span.start);
  return end < 0 || end > span.end ? span : { ...span, end };
}
