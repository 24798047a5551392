/**
 * Codes of warnings: programs that mean something, but hardly what was intended. Each can be
 * silenced by its code.
 */
import type { CodeTable } from "./code.ts";

export const warningCodes = {
  "unused-parameter": {
    severity: "warning",
    cause: "text",
    summary: "A static parameter is never used.",
    explanation:
      "Whatever value the parameter is given, nothing changes, which is rarely what the reader of a call expects. Use it, or remove it. To keep it, write `// ossicle: allow unused-parameter` on its line.",
  },
  "unused-let": {
    severity: "warning",
    cause: "text",
    summary: "A value is named and never used.",
    explanation:
      "Nothing reads the name after it is set. Often a later line was meant to use it. Remove the `let`, or write `_` for the part of a result that is not needed. A value that offers a site is never reported: policies may use it.",
  },
  "unused-member": {
    severity: "warning",
    cause: "text",
    summary: "A part or a learned tensor is never used.",
    explanation:
      "The block declares a part or a `param` that none of its computations uses, so no entry's graph contains it. Often a step of `forward` is missing.",
  },
  "unused-import": {
    severity: "warning",
    cause: "text",
    summary: "An imported name is never used.",
    explanation: "Nothing in the file uses the name. Remove it from the import.",
  },
  "policy-changes-nothing": {
    severity: "warning",
    cause: "text",
    summary: "An installed policy leaves every site as it is.",
    explanation:
      "The policy's handlers ran, and each gave back exactly the value that it was given, because of the arguments it was installed with: pruning that keeps 100 %, for example. Remove the `with`, or change the arguments. A policy whose arguments come from parameters of the model is not reported, since they are meant to vary.",
  },
  "unknown-allowance": {
    severity: "warning",
    cause: "text",
    summary: "A comment or option allows something that is not a warning.",
    explanation:
      "`// ossicle: allow CODE` silences the warning CODE on its own line or on the next line that holds more than comments; `--allow CODE` silences it everywhere. The code must be one of a warning. Errors can't be silenced.",
  },
} satisfies CodeTable;
