/**
 * The catalogue of what the checker says, one function per situation, gathered from three files by
 * subject. Syntax has its own (syntax-messages.ts).
 */
export * from "./messages/names.ts";
export * from "./messages/plans.ts";
export * from "./messages/shapes.ts";
export * from "./messages/values.ts";
export * from "./messages/warnings.ts";
