import { err, ok, type Result } from "../kernel/result.ts";

/** Bounds on one MessagePack value. */
export interface ScanBounds {
  /** Values of any kind. A container, each of its keys and each of its values count as one. */
  readonly entryCountMax: number;
  /** Depth of nested containers. */
  readonly nestingDepthMax: number;
}

export interface Scan {
  readonly entryCount: number;
  /** The text under the key "type" of the outermost map; null if there is none of at most 31 bytes. */
  readonly type: string | null;
}

export type ScanError =
  /** Truncated, more than one value, an extension, the unused prefix, or nested too deeply. */
  { readonly type: "malformed" } | { readonly type: "too-many" };

const TYPE_KEY = [0xa4, 0x74, 0x79, 0x70, 0x65] as const; // fixstr "type"
const FIXSTR = { prefix: 0xa0, lengthMax: 31 } as const;
/** Number of bytes after the prefixes 0xca to 0xd3: float 32 and 64, uint 8 to 64, int 8 to 64. */
const NUMBER_BYTE_COUNTS = [4, 8, 1, 2, 4, 8, 1, 2, 4, 8] as const;

/**
 * Checks a MessagePack value before it is decoded. Walks over the prefixes and does not allocate what they claim: a decoder
 * makes an array as long as its prefix says, and a map of 150,000 keys keeps it busy for 0.4 s (W3).
 *
 * By hand, because the decoder's own limits bound each length by itself, but neither depth nor the number of all values.
 *
 * @param bytes  Whatever a peer sent.
 * Source: the MessagePack specification, "Formats".
 */
export function scanMessagePack(bytes: Uint8Array, bounds: ScanBounds): Result<Scan, ScanError> {
  // Number of values still to come in each open container. The first entry stands for the value itself.
  const open: number[] = [1];
  let offset = 0;
  let entryCount = 1;
  let type: string | null = null;
  let isTypeNext = false;
  while (open.length > 0) {
    const left = open[open.length - 1] as number;
    if (left === 0) {
      open.pop();
      continue;
    }
    open[open.length - 1] = left - 1;
    const form = formAt(bytes, offset);
    if (form === null) return err({ type: "malformed" });
    // Keys and values of a map alternate, so before each key an even number is left.
    const isOutermostKey = open.length === 2 && bytes[0] !== undefined && isMap(bytes[0]) && left % 2 === 0;
    if (isTypeNext) type = textAt(bytes, offset);
    isTypeNext = isOutermostKey && TYPE_KEY.every((byte, index) => bytes[offset + index] === byte);
    offset += form.byteCount;
    entryCount += form.childCount;
    if (offset > bytes.length || form.childCount > bytes.length - offset) return err({ type: "malformed" });
    if (entryCount > bounds.entryCountMax) return err({ type: "too-many" });
    if (form.childCount > 0) open.push(form.childCount);
    if (open.length > bounds.nestingDepthMax) return err({ type: "malformed" });
  }
  return offset === bytes.length ? ok({ entryCount, type }) : err({ type: "malformed" });
}

/**
 * Number of values in a decoded value, counted as `scanMessagePack` counts them. If a key came twice, it is smaller than the
 * scan's, because the decoder keeps only the last value.
 */
export function entryCountOf(value: unknown): number {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return 1;
  let count = 1;
  if (Array.isArray(value)) for (const inner of value) count += entryCountOf(inner);
  else for (const inner of Object.values(value)) count += 1 + entryCountOf(inner);
  return count;
}

interface Form {
  /** Prefix, length and, unless it is a container, content. */
  readonly byteCount: number;
  /** Values inside: twice the entries of a map. */
  readonly childCount: number;
}

/** The form of the value at `offset`; null if a frame must not contain it. */
function formAt(bytes: Uint8Array, offset: number): Form | null {
  const prefix = bytes[offset];
  if (prefix === undefined) return null;
  const leaf = (byteCount: number): Form => ({ byteCount, childCount: 0 });
  const length = (byteCount: number) => bigEndian(bytes, offset + 1, byteCount);
  if (prefix < 0x80 || prefix >= 0xe0) return leaf(1);
  if (prefix < 0x90) return { byteCount: 1, childCount: 2 * (prefix & 15) };
  if (prefix < 0xa0) return { byteCount: 1, childCount: prefix & 15 };
  if (prefix < 0xc0) return leaf(1 + (prefix & 31));
  if (prefix >= 0xca && prefix <= 0xd3) return leaf(1 + (NUMBER_BYTE_COUNTS[prefix - 0xca] as number));
  switch (prefix) {
    case 0xc0: // nil, false, true
    case 0xc2:
    case 0xc3:
      return leaf(1);
    case 0xc4: // bin 8, str 8
    case 0xd9:
      return leaf(2 + length(1));
    case 0xc5: // bin 16, str 16
    case 0xda:
      return leaf(3 + length(2));
    case 0xc6: // bin 32, str 32
    case 0xdb:
      return leaf(5 + length(4));
    case 0xdc: // array 16, array 32
      return { byteCount: 3, childCount: length(2) };
    case 0xdd:
      return { byteCount: 5, childCount: length(4) };
    case 0xde: // map 16, map 32
      return { byteCount: 3, childCount: 2 * length(2) };
    case 0xdf:
      return { byteCount: 5, childCount: 2 * length(4) };
    default: // never used, or an extension
      return null;
  }
}

function isMap(prefix: number): boolean {
  return (prefix >= 0x80 && prefix <= 0x8f) || prefix === 0xde || prefix === 0xdf;
}

/** The text at `offset` if it is short; null for anything else. */
function textAt(bytes: Uint8Array, offset: number): string | null {
  const length = (bytes[offset] ?? 0) - FIXSTR.prefix;
  if (length < 0 || length > FIXSTR.lengthMax) return null;
  return String.fromCharCode(...bytes.subarray(offset + 1, offset + 1 + length));
}

/** Missing bytes count as zeros. The value then still ends beyond the input, so the scan refuses it. */
function bigEndian(bytes: Uint8Array, offset: number, byteCount: number): number {
  let value = 0;
  for (let index = 0; index < byteCount; index++) value = value * 256 + (bytes[offset + index] ?? 0);
  return value;
}
