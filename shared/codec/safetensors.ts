import { assert } from "../kernel/assert.ts";
import { type Bytes, utf8, utf8ToText } from "../kernel/bytes.ts";
import { err, ok, type Result } from "../kernel/result.ts";
import { elementCount } from "../kernel/shape.ts";
import { canonicalJson, type Json } from "./canonical-json.ts";
import { bytesToFloats, floatsToBytes } from "./vector-bytes.ts";

/*
 * safetensors, float32 only. Source: the format description of the safetensors project (huggingface/safetensors).
 *
 * | bytes | content                                                                                   |
 * | ----- | ----------------------------------------------------------------------------------------- |
 * | 8     | N, u64 little-endian                                                                      |
 * | N     | JSON object: name -> { dtype, shape, data_offsets: [begin, end] }, "__metadata__" -> texts |
 * | ...   | the tensors, little-endian, without gaps                                                  |
 *
 * This writer is canonical: keys and data are sorted by name, and spaces pad the JSON to a multiple of 8. The same tensors
 * and metadata give the same bytes in whatever order they came. By hand, because models are named by the hash of these
 * bytes: the writer must be canonical, and the reader must refuse gaps, overlaps and bytes that no tensor has.
 */

export interface FloatTensor {
  readonly shape: readonly number[];
  /** Row-major. */
  readonly data: Float32Array<ArrayBuffer>;
}

export interface SafetensorsFile {
  readonly tensors: ReadonlyMap<string, FloatTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

const METADATA_KEY = "__metadata__";
/** Bound the parser's work on a stranger's file. */
const HEADER_BYTES_MAX = 1024 * 1024;
const TENSOR_COUNT_MAX = 4096;
const RANK_MAX = 8;

type HeaderEntry = {
  readonly dtype: "F32";
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
};

/** @throws AssertionFault if a tensor's data does not fit its shape. */
export function encodeSafetensors(file: SafetensorsFile): Bytes {
  const { names, json, headerBytes, dataBytes } = headerOf(file);
  for (const [name, { shape, data }] of file.tensors) {
    assert(data.length === elementCount(shape), `${name}: the data does not fit the shape`);
  }
  const bytes = new Uint8Array(8 + headerBytes + dataBytes);
  new DataView(bytes.buffer).setUint32(0, headerBytes, true);
  bytes.set(json, 8);
  bytes.fill(0x20, 8 + json.length, 8 + headerBytes);
  let offset = 8 + headerBytes;
  for (const name of names) {
    const data = floatsToBytes((file.tensors.get(name) as FloatTensor).data);
    bytes.set(data, offset);
    offset += data.length;
  }
  return bytes;
}

/** Bytes of the file that `encodeSafetensors` makes of tensors of these shapes. */
export function safetensorsByteCount(file: HeaderSource): number {
  const { headerBytes, dataBytes } = headerOf(file);
  return 8 + headerBytes + dataBytes;
}

type HeaderSource = Pick<SafetensorsFile, "metadata"> & {
  readonly tensors: ReadonlyMap<string, Pick<FloatTensor, "shape">>;
};

function headerOf({ tensors, metadata }: HeaderSource) {
  const names = [...tensors.keys()].sort();
  assert(!names.includes(METADATA_KEY) && names.length <= TENSOR_COUNT_MAX, "tensor names");
  const entries: [string, HeaderEntry | Readonly<Record<string, string>>][] = [];
  let dataBytes = 0;
  for (const name of names) {
    const { shape } = tensors.get(name) as FloatTensor;
    const end = dataBytes + 4 * elementCount(shape);
    entries.push([name, { dtype: "F32", shape, data_offsets: [dataBytes, end] }]);
    dataBytes = end;
  }
  if (Object.keys(metadata).length > 0) entries.push([METADATA_KEY, metadata]);

  // `fromEntries` instead of assignments: a tensor may be called __proto__.
  const json = utf8(canonicalJson(Object.fromEntries(entries) as { readonly [key: string]: Json }));
  const headerBytes = Math.ceil(json.length / 8) * 8;
  assert(headerBytes <= HEADER_BYTES_MAX, "a header that our own parser would refuse");
  return { names, json, headerBytes, dataBytes };
}

/**
 * Reads a stranger's file within bounds. Tensors are views of `bytes` if alignment allows.
 *
 * Stricter than the format: float32 only, every dimension at least 1, and the header exactly as `JSON.stringify` prints
 * it. That also excludes repeated names and, if they are out of order, names that are integers.
 * Errors: the fault, with the tensor's name if it concerns one.
 */
export function decodeSafetensors(bytes: Bytes): Result<SafetensorsFile, SafetensorsError> {
  if (bytes.length < 8) return err({ type: "too-short" });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerBytes = view.getUint32(0, true);
  if (view.getUint32(4, true) !== 0 || headerBytes > HEADER_BYTES_MAX)
    return err({ type: "header-too-large" });
  if (8 + headerBytes > bytes.length) return err({ type: "too-short" });
  const header = parseHeader(bytes.subarray(8, 8 + headerBytes));
  if (header === undefined) return err({ type: "header-not-canonical" });

  const { [METADATA_KEY]: metadata = {}, ...entries } = header;
  if (!isTextRecord(metadata)) return err({ type: "bad-metadata" });
  const names = Object.keys(entries);
  if (names.length > TENSOR_COUNT_MAX) return err({ type: "too-many-tensors" });
  const placed: { readonly name: string; readonly entry: HeaderEntry }[] = [];
  for (const name of names) {
    const entry = entries[name];
    if (!isEntry(entry)) return err({ type: "bad-tensor", name });
    placed.push({ name, entry });
  }
  placed.sort((left, right) => left.entry.data_offsets[0] - right.entry.data_offsets[0]);

  const data = bytes.subarray(8 + headerBytes);
  const tensors = new Map<string, FloatTensor>();
  let end = 0;
  for (const { name, entry } of placed) {
    const [from, to] = entry.data_offsets;
    if (from < end) return err({ type: "overlap", name });
    if (from > end) return err({ type: "gap", name });
    if (to > data.length) return err({ type: "too-short" });
    tensors.set(name, { shape: entry.shape, data: bytesToFloats(data.subarray(from, to)) });
    end = to;
  }
  if (end !== data.length) return err({ type: "trailing-bytes" });
  return ok({ tensors, metadata });
}

export type SafetensorsError =
  | { readonly type: "too-short" }
  | { readonly type: "header-too-large" }
  | { readonly type: "header-not-canonical" }
  | { readonly type: "bad-metadata" }
  | { readonly type: "too-many-tensors" }
  | { readonly type: "bad-tensor"; readonly name: string }
  | { readonly type: "overlap"; readonly name: string }
  | { readonly type: "gap"; readonly name: string }
  | { readonly type: "trailing-bytes" };

function parseHeader(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  const text = utf8ToText(bytes);
  if (text === undefined || !text.startsWith("{")) return undefined;
  const json = text.replace(/ +$/, "");
  try {
    const header: unknown = JSON.parse(json);
    // Printing it again must give the same text. JSON.parse silently drops repeated keys, so they fail here.
    return JSON.stringify(header) === json ? (header as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}

function isTextRecord(value: unknown): value is Readonly<Record<string, string>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((text) => typeof text === "string");
}

function isEntry(value: unknown): value is HeaderEntry {
  if (typeof value !== "object" || value === null || Object.keys(value).length !== 3) return false;
  if (!("dtype" in value && "shape" in value && "data_offsets" in value)) return false;
  const { dtype, shape, data_offsets: offsets } = value;
  if (dtype !== "F32" || !isCountList(shape) || !isCountList(offsets)) return false;
  if (shape.length > RANK_MAX || shape.includes(0) || offsets.length !== 2) return false;
  const elements = shape.reduce((product, size) => product * size, 1);
  // If the product overflows, it is not a safe integer and matches no byte length.
  return (
    Number.isSafeInteger(4 * elements) && (offsets[1] as number) - (offsets[0] as number) === 4 * elements
  );
}

function isCountList(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}
