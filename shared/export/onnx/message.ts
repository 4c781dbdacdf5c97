import { PbfWriter } from "pbf";
import { floatsToBytes } from "../../codec/vector-bytes.ts";
import { assert } from "../../kernel/assert.ts";
import type { Bytes } from "../../kernel/bytes.ts";
import { elementCount } from "../../kernel/shape.ts";

/*
 * The bytes of an ONNX model. Source: onnx.proto3 of the ONNX project, IR version 8. Only what our graphs use:
 *
 * | message     | fields (number)                                                                               |
 * | ----------- | --------------------------------------------------------------------------------------------- |
 * | Model       | ir_version 1, producer_name 2, doc_string 6, graph 7, opset_import 8, metadata_props 14         |
 * | Graph       | node 1, name 2, initializer 5, doc_string 10, input 11, output 12                               |
 * | Node        | input 1, output 2, name 3, op_type 4, attribute 5, domain 7                                     |
 * | Attribute   | name 1, f 2, i 3, s 4, floats 7, ints 8, strings 9, type 20                                     |
 * | Tensor      | dims 1, data_type 2, string_data 6, name 8, raw_data 9                                          |
 * | ValueInfo   | name 1, type 2 (tensor_type 1: elem_type 1, shape 2: dim 1: dim_value 1, dim_param 2)          |
 */

const IR_VERSION = 8;

/** Types of elements by their number in TensorProto.DataType. */
const ELEMENT_TYPES = { float: 1, int8: 3, uint8: 2, int64: 7, string: 8, double: 11 } as const;
export type ElementType = keyof typeof ELEMENT_TYPES;

/** A constant tensor of the graph, row-major. */
export type OnnxTensor = { readonly name: string; readonly dims: readonly number[] } & (
  | { readonly type: "float"; readonly data: Float32Array }
  | { readonly type: "double"; readonly data: Float64Array }
  | { readonly type: "int64"; readonly data: readonly number[] }
  | { readonly type: "int8"; readonly data: Int8Array }
  | { readonly type: "uint8"; readonly data: Uint8Array }
);

export type OnnxAttribute =
  | { readonly float: number }
  | { readonly int: number }
  | { readonly string: string }
  | { readonly floats: readonly number[] }
  | { readonly ints: readonly number[] }
  | { readonly strings: readonly string[] };

export interface OnnxNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
  /** "" for the operators of ONNX itself. */
  readonly domain: "" | "ai.onnx.ml";
}

/** An input or output of the graph. */
export interface OnnxValueInfo {
  readonly name: string;
  readonly type: ElementType;
  /** Lengths of its axes; a text names a length that is open. Null if even the number of axes is open. */
  readonly dims: readonly (number | string)[] | null;
  /** What people read of it. */
  readonly about: string;
}

export interface OnnxModel {
  readonly name: string;
  readonly about: string;
  readonly opsets: readonly { readonly domain: string; readonly version: number }[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly inputs: readonly OnnxValueInfo[];
  readonly outputs: readonly OnnxValueInfo[];
  readonly nodes: readonly OnnxNode[];
  readonly tensors: readonly OnnxTensor[];
}

/** The same model gives the same bytes. @throws AssertionFault if a tensor's data does not fit its dims. */
export function encodeOnnx(model: OnnxModel): Bytes {
  const writer = new PbfWriter();
  writer.writeVarintField(1, IR_VERSION);
  writer.writeStringField(2, "chorus");
  writer.writeStringField(6, model.about);
  writer.writeMessage(7, writeGraph, model);
  for (const opset of model.opsets) {
    writer.writeMessage(
      8,
      ({ domain, version }, part) => {
        part.writeStringField(1, domain);
        part.writeVarintField(2, version);
      },
      opset,
    );
  }
  for (const [key, value] of Object.entries(model.metadata).toSorted(([left], [right]) =>
    left < right ? -1 : 1,
  )) {
    writer.writeMessage(
      14,
      (_, part) => {
        part.writeStringField(1, key);
        part.writeStringField(2, value);
      },
      null,
    );
  }
  return new Uint8Array(writer.finish());
}

function writeGraph(model: OnnxModel, writer: PbfWriter): void {
  for (const [index, node] of model.nodes.entries()) {
    writer.writeMessage(1, (value, part) => writeNode(value, index, part), node);
  }
  writer.writeStringField(2, model.name);
  for (const tensor of model.tensors) writer.writeMessage(5, writeTensor, tensor);
  writer.writeStringField(10, model.about);
  for (const input of model.inputs) writer.writeMessage(11, writeValueInfo, input);
  for (const output of model.outputs) writer.writeMessage(12, writeValueInfo, output);
}

function writeNode(node: OnnxNode, index: number, writer: PbfWriter): void {
  for (const input of node.inputs) writer.writeStringField(1, input);
  for (const output of node.outputs) writer.writeStringField(2, output);
  writer.writeStringField(3, `${index}_${node.op}`);
  writer.writeStringField(4, node.op);
  for (const [name, attribute] of Object.entries(node.attributes)) {
    writer.writeMessage(5, (value, part) => writeAttribute(name, value, part), attribute);
  }
  if (node.domain !== "") writer.writeStringField(7, node.domain);
}

function writeAttribute(name: string, attribute: OnnxAttribute, writer: PbfWriter): void {
  writer.writeStringField(1, name);
  const kind = (number: number) => writer.writeVarintField(20, number);
  if ("float" in attribute) {
    writer.writeFloatField(2, attribute.float);
    kind(1);
  } else if ("int" in attribute) {
    writer.writeVarintField(3, attribute.int);
    kind(2);
  } else if ("string" in attribute) {
    writer.writeStringField(4, attribute.string);
    kind(3);
  } else if ("floats" in attribute) {
    for (const value of attribute.floats) writer.writeFloatField(7, value);
    kind(6);
  } else if ("ints" in attribute) {
    for (const value of attribute.ints) writer.writeVarintField(8, value);
    kind(7);
  } else {
    for (const value of attribute.strings) writer.writeStringField(9, value);
    kind(8);
  }
}

function writeTensor(tensor: OnnxTensor, writer: PbfWriter): void {
  assert(tensor.data.length === elementCount(tensor.dims), `${tensor.name}: the data does not fit the shape`);
  for (const dim of tensor.dims) writer.writeVarintField(1, dim);
  writer.writeVarintField(2, ELEMENT_TYPES[tensor.type]);
  writer.writeStringField(8, tensor.name);
  writer.writeBytesField(9, rawData(tensor));
}

/** Little-endian, as ONNX wants it on every machine. */
function rawData(tensor: OnnxTensor): Uint8Array {
  if (tensor.type === "float") return floatsToBytes(new Float32Array(tensor.data));
  if (tensor.type === "int8") return new Uint8Array(Int8Array.from(tensor.data).buffer);
  if (tensor.type === "uint8") return tensor.data;
  const view = new DataView(new ArrayBuffer(8 * tensor.data.length));
  for (const [index, value] of tensor.data.entries()) {
    if (tensor.type === "double") view.setFloat64(8 * index, value, true);
    else view.setBigInt64(8 * index, BigInt(value), true);
  }
  return new Uint8Array(view.buffer);
}

function writeValueInfo({ name, type, dims, about }: OnnxValueInfo, writer: PbfWriter): void {
  writer.writeStringField(1, name);
  writer.writeMessage(
    2,
    (_, typePart) =>
      typePart.writeMessage(
        1,
        (__, tensorPart) => {
          tensorPart.writeVarintField(1, ELEMENT_TYPES[type]);
          if (dims !== null) tensorPart.writeMessage(2, writeDims, dims);
        },
        null,
      ),
    null,
  );
  if (about !== "") writer.writeStringField(3, about);
}

function writeDims(dims: readonly (number | string)[], writer: PbfWriter): void {
  for (const dim of dims) {
    writer.writeMessage(
      1,
      (value, part) => {
        if (typeof value === "number") part.writeVarintField(1, value);
        else part.writeStringField(2, value);
      },
      dim,
    );
  }
}
