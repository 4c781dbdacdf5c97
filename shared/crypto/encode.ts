import { assert } from "../kernel/assert.ts";
import { type Bytes, u32be, utf8 } from "../kernel/bytes.ts";
import type { Domain } from "./domains.ts";

/** Bytes are encoded as they are, text as UTF-8, a number as a big-endian u32. */
export type EncodeItem = Uint8Array | string | number;

/**
 * The only encoding that is hashed, signed or used to derive keys. Each item is u32be(length) and its bytes; the domain
 * comes first. Different lists of items never encode alike, because every length is written out.
 *
 * | bytes | content                       |
 * | ----- | ----------------------------- |
 * | 4     | length of the item, big-endian |
 * | ...   | the item                      |
 *
 * @throws AssertionFault on a number that is not a u32 and on text with a lone surrogate.
 * Source: the notation of the protocol; the same idea as TupleHash of SP 800-185, with fixed-width lengths.
 * Does not encode types: text and its UTF-8 bytes are the same item. So each message's table fixes the number and kind of
 * items under its domain.
 */
export function E(domain: Domain, ...items: readonly EncodeItem[]): Bytes {
  const parts = [domainBytes(domain), ...items.map(itemToBytes)];
  let byteCount = 0;
  for (const part of parts) byteCount += 4 + part.length;
  assert(byteCount < 2 ** 31, "an encoding is far shorter than its length fields can say");
  const encoded = new Uint8Array(byteCount);
  let offset = 0;
  for (const part of parts) {
    encoded.set(u32be(part.length), offset);
    encoded.set(part, offset + 4);
    offset += 4 + part.length;
  }
  return encoded;
}

const bytesByDomain = new Map<Domain, Bytes>();

/** Cached, because a few dozen domains are each encoded thousands of times. Do not write to the result. */
function domainBytes(domain: Domain): Bytes {
  const known = bytesByDomain.get(domain) ?? utf8(domain);
  bytesByDomain.set(domain, known);
  return known;
}

function itemToBytes(item: EncodeItem): Uint8Array {
  if (typeof item === "string") return utf8(item);
  if (typeof item === "number") return u32be(item);
  return item;
}
