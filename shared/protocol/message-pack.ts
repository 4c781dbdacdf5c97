import { err, ok, type Result } from "../kernel/result.ts";

/** What one MessagePack value may hold. */
export interface ScanBounds {
  /** Values of any kind: a container, each key and each value in it count one. */
  readonly entryCountMax: number;
  /** Containers in one another. */
  readonly nestingDepthMax: number;
}

export interface Scan {
  readonly entryCount: number;
  /** The text under the key "type" of the outermost map; null where there is none of at most 31 bytes. */
  readonly type: string | null;
}

export type ScanError =
  /** Cut short, longer than one value, an extension, the byte that is never used, or nested too deep. */
  { readonly type: "malformed" } | { readonly type: "too-many" };

const TYPE_KEY = [0xa4, 0x74, 0x79, 0x70, 0x65] as const; // fixstr "type"
const FIXSTR = { prefix: 0xa0, lengthMax: 31 } as const;
/** Bytes after the prefixes 0xca to 0xd3: float 32 and 64, uint 8 to 64, int 8 to 64. */
const NUMBER_BYTE_COUNTS = [4, 8, 1, 2, 4, 8, 1, 2, 4, 8] as const;

/**
 * Judges a MessagePack value before it is decoded: a walk over its prefixes that allocates nothing of what they claim.
 * A decoder makes an array as long as a prefix says, and a map of 150,000 keys keeps it busy for 0.4 s (W3).
 *
 * @param bytes  Whatever a peer sent.
 * Source: the MessagePack specification, "Formats".
 */
export function scanMessagePack(bytes: Uint8Array, bounds: ScanBounds): Result<Scan, ScanError> {
  // Values that are still to come, of each open container; the first stands for the value itself.
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
    // In a map keys and values take turns, so an even number is left before each key.
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

interface Form {
  /** Prefix, length and, where it is no container, content. */
  readonly byteCount: number;
  /** Values inside: twice the entries of a map. */
  readonly childCount: number;
}

/** What stands at `offset`; null where it is nothing that a frame may hold. */
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

/** A short text whose bytes are all there; null for anything else. */
function textAt(bytes: Uint8Array, offset: number): string | null {
  const length = (bytes[offset] ?? 0) - FIXSTR.prefix;
  if (length < 0 || length > FIXSTR.lengthMax) return null;
  return String.fromCharCode(...bytes.subarray(offset + 1, offset + 1 + length));
}

/** Zeros where the bytes end early: what is claimed then ends beyond them, too. */
function bigEndian(bytes: Uint8Array, offset: number, byteCount: number): number {
  let value = 0;
  for (let index = 0; index < byteCount; index++) value = value * 256 + (bytes[offset + index] ?? 0);
  return value;
}
