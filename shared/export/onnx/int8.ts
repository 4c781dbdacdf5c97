import type { Graph } from "./graph.ts";

/*
 * Weights in 8 bits, with one scale for each output.
 *
 * A product with a weight is one of integers: DynamicQuantizeLinear finds the range of what comes in, over all rows that are asked
 * together, so no data are needed to calibrate, and the answer for a row depends a little on the rows beside it. The filters of
 * a convolution are kept in 8 bits and computed with as floats, because ONNX's ConvInteger knows one scale for all filters.
 * Weights of products use 7 of the 8 bits: processors without VNNI add two products in 16 bits, which cut off at 32,767, and
 * 2 x 255 x 63 = 32,130 stays below.
 * Biases and the preprocessing stay floats.
 */

export type Precision = "float" | "int8";

/** Largest whole number of a weight in a product, and of one in a filter; the smallest is its negative. */
const PRODUCT_MOST = 63;
const FILTER_MOST = 127;
const FLOAT = 1;

interface Quantized {
  readonly numbers: Int8Array;
  /** What 1 stands for, one for each output. */
  readonly scales: Float32Array;
}

/** A matrix [inputs, outputs] or filters [outputs, ...] as whole numbers times a scale of each output. */
function quantized(
  data: Float32Array,
  outputCount: number,
  outputOf: (index: number) => number,
  most: number,
): Quantized {
  const largest = new Float32Array(outputCount);
  for (const [index, value] of data.entries()) {
    const output = outputOf(index);
    largest[output] = Math.max(largest[output] as number, Math.abs(value));
  }
  // An output whose weights are all 0 may have any scale.
  const scales = largest.map((value) => (value === 0 ? 1 : value / most));
  const numbers = Int8Array.from(data, (value, index) =>
    Math.max(-most, Math.min(most, Math.round(value / (scales[outputOf(index)] as number)))),
  );
  return { numbers, scales };
}

/** @param left  [rows, inputs]. @param weight  [inputs, outputs], row-major. @returns The product, floats. */
export function integerProduct(
  graph: Graph,
  left: string,
  weight: { readonly name: string; readonly shape: readonly number[]; readonly data: Float32Array },
): string {
  const [inputs = 0, outputs = 0] = weight.shape;
  const { numbers, scales } = quantized(weight.data, outputs, (index) => index % outputs, PRODUCT_MOST);
  const right = graph.constant({
    name: `${weight.name}.int8`,
    type: "int8",
    dims: [inputs, outputs],
    data: numbers,
  });
  const own = graph.constant({ name: `${weight.name}.scales`, type: "float", dims: [outputs], data: scales });
  const [whole = "", scale = "", zero = ""] = graph.outputs("DynamicQuantizeLinear", [left], 3);
  const product = graph.node("MatMulInteger", [whole, right, zero]);
  const scaled = graph.node("Mul", [graph.node("Cast", [product], { to: { int: FLOAT } }), scale]);
  return graph.node("Mul", [scaled, own]);
}

/** Filters [outputs, ...] in 8 bits, read as floats. */
export function dequantizedFilters(
  graph: Graph,
  filters: { readonly name: string; readonly dims: readonly number[]; readonly data: Float32Array },
): string {
  const [outputs = 1] = filters.dims;
  const each = filters.data.length / outputs;
  const { numbers, scales } = quantized(
    filters.data,
    outputs,
    (index) => Math.floor(index / each),
    FILTER_MOST,
  );
  const whole = graph.constant({
    name: `${filters.name}.int8`,
    type: "int8",
    dims: filters.dims,
    data: numbers,
  });
  const own = graph.constant({
    name: `${filters.name}.scales`,
    type: "float",
    dims: [outputs],
    data: scales,
  });
  return graph.node("DequantizeLinear", [whole, own], { axis: { int: 0 } });
}

/**
 * Takes rows out that the preprocessing refused: they are NaN, and one of them would spoil the range of all.
 *
 * @param encoded  [rows, ...], any shape.
 * @returns The rows without NaN, and a function that puts NaN back into the answers [rows, n].
 */
export function withoutRefused(
  graph: Graph,
  encoded: string,
): { readonly rows: string; readonly restored: (answers: string) => string } {
  const isMissing = graph.node("IsNaN", [encoded]);
  const rows = graph.node("Where", [isMissing, graph.scalar("float", 0), encoded]);
  const flat = graph.node("Flatten", [graph.node("Cast", [isMissing], { to: { int: FLOAT } })], {
    axis: { int: 1 },
  });
  // Above 0 for a row with a NaN, [rows, 1].
  const some = graph.node("ReduceMax", [flat], { axes: { ints: [1] }, keepdims: { int: 1 } });
  const isRefused = graph.node("Greater", [some, graph.scalar("float", 0)]);
  const nothing = graph.constant({
    name: "nothing",
    type: "float",
    dims: [],
    data: Float32Array.of(Number.NaN),
  });
  return { rows, restored: (answers) => graph.node("Where", [isRefused, nothing, answers]) };
}
