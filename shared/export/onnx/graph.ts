import type { OnnxAttribute, OnnxNode, OnnxTensor } from "./message.ts";

/** The nodes and constants of a graph while it is being built. */
export interface Graph {
  readonly nodes: readonly OnnxNode[];
  /** Those that a node takes. */
  readonly tensors: readonly OnnxTensor[];
  /** Adds a node with one output. @returns The output's name. */
  node(op: string, inputs: readonly string[], attributes?: Attributes, options?: NodeOptions): string;
  /** Adds a node with several outputs. @returns Their names. */
  outputs(op: string, inputs: readonly string[], count: number): readonly string[];
  /** Adds a constant. Constants of the same name are the same. @returns Its name in the graph. */
  constant(tensor: OnnxTensor): string;
  /** A scalar or vector of int64, such as the axes of a sum. @returns Its name. */
  integers(values: readonly number[]): string;
  /** A scalar. @returns Its name. */
  scalar(type: "float" | "double", value: number): string;
}

type Attributes = Readonly<Record<string, OnnxAttribute>>;
interface NodeOptions {
  readonly domain?: OnnxNode["domain"];
  /** Name of the output. Default: a name of the graph's own. */
  readonly output?: string;
}

/**
 * @param outside  Names of inputs and outputs, which a task chooses. Every name of the graph's own begins with so many dots
 *                 that none of them is alike.
 */
export function createGraph(outside: readonly string[]): Graph {
  let dots = ".";
  while (outside.some((name) => name.startsWith(dots))) dots += ".";
  const nodes: OnnxNode[] = [];
  const tensors = new Map<string, OnnxTensor>();
  const constant = (tensor: OnnxTensor) => {
    const name = `${dots}${tensor.name}`;
    if (!tensors.has(name)) tensors.set(name, { ...tensor, name });
    return name;
  };
  return {
    nodes,
    get tensors() {
      const used = new Set(nodes.flatMap(({ inputs }) => inputs));
      return [...tensors.values()].filter(({ name }) => used.has(name));
    },
    constant,
    node(op, inputs, attributes = {}, { domain = "", output = `${dots}${op}_${nodes.length}` } = {}) {
      nodes.push({ op, inputs, outputs: [output], attributes, domain });
      return output;
    },
    outputs(op, inputs, count) {
      const outputs = Array.from({ length: count }, (_, index) => `${dots}${op}_${nodes.length}_${index}`);
      nodes.push({ op, inputs, outputs, attributes: {}, domain: "" });
      return outputs;
    },
    integers: (values) =>
      constant({ name: `int64_${values.join("_")}`, type: "int64", dims: [values.length], data: values }),
    scalar: (type, value) =>
      type === "float"
        ? constant({ name: `float_${value}`, type, dims: [], data: Float32Array.of(value) })
        : constant({ name: `double_${value}`, type, dims: [], data: Float64Array.of(value) }),
  };
}
