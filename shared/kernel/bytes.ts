import { base64, base64urlnopad, hex, utf8 as utf8Codec } from "@scure/base";
import { assert } from "./assert.ts";

/** Bytes over an ordinary (unshared) buffer, as WebCrypto wants them. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** A new array with `parts` end to end. */
export function concatBytes(parts: readonly Uint8Array[]): Bytes {
  return concatArrays((length) => new Uint8Array(length), parts);
}

/** What `make` returns, filled with `parts` end to end. */
export function concatArrays<
  Part extends ArrayLike<number>,
  Whole extends { set(part: Part, at: number): void },
>(make: (length: number) => Whole, parts: readonly Part[]): Whole {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = make(length);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** Compares in time that depends on the lengths only. */
export function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  let difference = 0;
  for (let index = 0; index < left.length; index++) {
    difference |= (left[index] as number) ^ (right[index] as number);
  }
  return difference === 0;
}

/** Lexicographic order, as a negative number, zero or a positive one. A prefix comes first. */
export function compareBytes(left: Uint8Array, right: Uint8Array): number {
  const shared = Math.min(left.length, right.length);
  for (let index = 0; index < shared; index++) {
    const difference = (left[index] as number) - (right[index] as number);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** Four bytes, big-endian. @throws AssertionFault unless `value` is an integer with 0 <= value < 2^32. */
export function u32be(value: number): Bytes {
  assert(Number.isInteger(value) && value >= 0 && value < 2 ** 32, `not a u32: ${value}`);
  return Uint8Array.of(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);
}

/** Eight bytes, big-endian. @throws AssertionFault unless `value` is a safe integer and not negative. */
export function u64be(value: number): Bytes {
  assert(Number.isSafeInteger(value) && value >= 0, `not a u64: ${value}`);
  return concatBytes([u32be(Math.floor(value / 2 ** 32)), u32be(value % 2 ** 32)]);
}

/** The big-endian u32 at `offset`. The caller has checked the length. */
export function readU32be(bytes: Uint8Array, offset: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(offset);
}

/** Lower-case hexadecimal. */
export function bytesToHex(bytes: Uint8Array): string {
  return hex.encode(bytes);
}

/** @throws AssertionFault unless `text` is an even number of hexadecimal digits. Check a peer's text by schema first. */
export function hexToBytes(text: string): Bytes {
  // The library's own error would quote a letter of the text, which may be a secret.
  assert(text.length % 2 === 0 && /^[0-9a-f]*$/i.test(text), "not hexadecimal");
  return hex.decode(text) as Bytes;
}

/** Base64 with padding, as `atob` reads it. Source: RFC 4648, section 4. */
export function bytesToBase64(bytes: Uint8Array): string {
  return base64.encode(bytes);
}

/** Returns undefined unless `text` is base64 with padding, in the one form that `bytesToBase64` gives. */
export function base64ToBytes(text: string): Bytes | undefined {
  try {
    return base64.decode(text) as Bytes;
  } catch {
    return undefined;
  }
}

/** Base64url without padding. Source: RFC 4648, section 5. */
export function bytesToBase64Url(bytes: Uint8Array): string {
  return base64urlnopad.encode(bytes);
}

/** Returns undefined if `bytes` are malformed. Replaces nothing and keeps a byte order mark. */
export function utf8ToText(bytes: Uint8Array): string | undefined {
  try {
    return utf8Codec.encode(bytes);
  } catch {
    return undefined;
  }
}

/** @throws AssertionFault on a lone surrogate, which UTF-8 cannot encode. Source: RFC 3629. */
export function utf8(text: string): Bytes {
  assert(!/\p{Surrogate}/u.test(text), "lone surrogate");
  return utf8Codec.decode(text) as Bytes;
}
