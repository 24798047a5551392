/**
 * An ONNX model as text, for people: inputs, weights and nodes, one a line.
 */
import type { OnnxAttribute } from "./context.ts";
import type { OnnxInitializer, OnnxModel, OnnxValueInfo } from "./model.ts";

export function printOnnxModel(model: OnnxModel): string {
  const lines = [`onnx ${model.name} (opset ${model.opsets[""] ?? 0})`];
  for (const input of model.inputs) lines.push(`input ${printPort(input)}`);
  for (const tensor of model.initializers) lines.push(`initializer ${printInitializer(tensor)}`);
  for (const node of model.nodes) {
    const attributes = Object.entries(node.attributes).map(
      ([name, value]) => `${name}: ${printAttribute(value)}`,
    );
    const suffix = attributes.length === 0 ? "" : ` {${attributes.join(", ")}}`;
    lines.push(`${node.outputs.join(", ")} = ${node.opType}(${node.inputs.join(", ")})${suffix}`);
  }
  for (const output of model.outputs) lines.push(`output ${printPort(output)}`);
  return `${lines.join("\n")}\n`;
}

function printPort(port: OnnxValueInfo): string {
  return `${port.name}: ${port.elementType}[${port.shape.join(", ")}]`;
}

function printInitializer(tensor: OnnxInitializer): string {
  return `${tensor.name}: ${tensor.elementType}[${tensor.shape.join(", ")}]`;
}

function printAttribute(attribute: OnnxAttribute): string {
  switch (attribute.kind) {
    case "ints":
    case "floats":
      return `[${attribute.values.join(", ")}]`;
    case "string":
      return JSON.stringify(attribute.value);
    case "int":
    case "float":
      return String(attribute.value);
  }
}
