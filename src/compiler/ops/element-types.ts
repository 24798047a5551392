/**
 * The rules for element types, each written once.
 *
 * Owns: which dtypes an op takes together and which it gives. There is no promotion: a program that
 * mixes f32 and f16 says so with a cast.
 */
import type { Attributes, OpProblem } from "../../lang/catalog.ts";
import { type DType, isFloat, type TensorType } from "../../lang/types.ts";
import { refuse } from "./match.ts";

/** The dtype of every result; refuses operands it does not take. */
export type ElementTypeRule = (operands: readonly NamedType[], attributes: Attributes) => readonly DType[];

export interface NamedType {
  readonly name: string;
  readonly type: TensorType;
}

export const isInteger = (dtype: DType): boolean => dtype === "i64" || dtype === "i32";
export const isNumber = (dtype: DType): boolean => isFloat(dtype) || isInteger(dtype);

function refuseType(message: string, operand: number, hint?: string): never {
  const problem: Omit<OpProblem, "operands"> = { message, ...(hint === undefined ? {} : { hint }) };
  refuse({ ...problem, operands: [{ operand, axis: 0 }] });
}

/** Operand number `index` must be of a kind of dtype; `words` names the kind. */
function need(
  operands: readonly NamedType[],
  index: number,
  takes: (d: DType) => boolean,
  words: string,
): DType {
  const operand = operands[index];
  if (!operand) throw new Error(`there is no operand ${index}`);
  const { dtype } = operand.type;
  if (!takes(dtype)) refuseType(`\`${operand.name}\` must be ${words}, not ${dtype}`, index);
  return dtype;
}

/** All operands from `start` on have one dtype. */
function needSame(operands: readonly NamedType[], start = 0): DType {
  const first = operands[start];
  if (!first) throw new Error(`there is no operand ${start}`);
  operands.forEach((operand, index) => {
    if (index <= start || operand.type.dtype === first.type.dtype) return;
    refuseType(
      `\`${first.name}\` is ${first.type.dtype} and \`${operand.name}\` is ${operand.type.dtype}; they must be the same`,
      index,
      "Convert one of them with `cast`.",
    );
  });
  return first.type.dtype;
}

/** Every operand a float of one dtype; the result too. */
export const floats: ElementTypeRule = (operands) => {
  need(operands, 0, isFloat, "a float");
  return [needSame(operands)];
};

/** Every operand a float or an integer of one dtype; the result too. */
export const numbers: ElementTypeRule = (operands) => {
  need(operands, 0, isNumber, "a number");
  return [needSame(operands)];
};

/** Every operand an integer of one dtype; the result too. */
export const integers: ElementTypeRule = (operands) => {
  need(operands, 0, isInteger, "an integer");
  return [needSame(operands)];
};

/** Anything of one dtype; the result too. */
export const anything: ElementTypeRule = (operands) => [needSame(operands)];

/** Truth values in, truth values out. */
export const truths: ElementTypeRule = (operands) => {
  operands.forEach((_, index) => {
    need(operands, index, (dtype) => dtype === "bool", "bool");
  });
  return ["bool"];
};

/** Numbers of one dtype give a truth value. */
export const comparison: ElementTypeRule = (operands) => {
  numbers(operands, {});
  return ["bool"];
};

/** A truth value chooses between two of one dtype. */
export const choice: ElementTypeRule = (operands) => {
  need(operands, 0, (dtype) => dtype === "bool", "bool");
  return [needSame(operands, 1)];
};

/** Numbers give themselves in another order, and i64 indices. */
export const ordering: ElementTypeRule = (operands) => [need(operands, 0, isNumber, "a number"), "i64"];

/** Numbers give an i64 index. */
export const indexOfNumber: ElementTypeRule = (operands) => {
  need(operands, 0, isNumber, "a number");
  return ["i64"];
};

/** The first operand's elements, chosen by i64 indices in the second. */
export const indexed: ElementTypeRule = (operands) => {
  need(operands, 1, (dtype) => dtype === "i64", "i64 indices");
  return [need(operands, 0, () => true, "anything")];
};
