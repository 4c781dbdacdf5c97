import { assert } from "./assert.ts";

/** Bytes over an ordinary (unshared) buffer, as WebCrypto wants them. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** A copy of `parts` laid end to end. */
export function concatBytes(parts: readonly Uint8Array[]): Bytes {
  let byteCount = 0;
  for (const part of parts) byteCount += part.length;
  const joined = new Uint8Array(byteCount);
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/** Equality in time that depends on the lengths only. */
export function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  let difference = 0;
  for (let index = 0; index < left.length; index++) {
    difference |= (left[index] as number) ^ (right[index] as number);
  }
  return difference === 0;
}

/** Negative, zero or positive, as bytes are ordered (shorter first on a common prefix). */
export function compareBytes(left: Uint8Array, right: Uint8Array): number {
  const shared = Math.min(left.length, right.length);
  for (let index = 0; index < shared; index++) {
    const difference = (left[index] as number) - (right[index] as number);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** Four bytes, big-endian. @throws AssertionFault unless 0 <= value < 2^32 and whole. */
export function u32be(value: number): Bytes {
  assert(Number.isInteger(value) && value >= 0 && value < 2 ** 32, `not a u32: ${value}`);
  return Uint8Array.of(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);
}

const HEX_BY_BYTE = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Lower-case hexadecimal. */
export function bytesToHex(bytes: Uint8Array): string {
  let hex = "";
  for (let index = 0; index < bytes.length; index++) hex += HEX_BY_BYTE[bytes[index] as number] as string;
  return hex;
}

/** @throws AssertionFault unless `hex` is an even number of hexadecimal digits; check a peer's text by schema first. */
export function hexToBytes(hex: string): Bytes {
  assert(hex.length % 2 === 0, "not hexadecimal");
  const bytes = new Uint8Array(hex.length / 2);
  for (let index = 0; index < bytes.length; index++) {
    bytes[index] = 16 * digitAt(hex, 2 * index) + digitAt(hex, 2 * index + 1);
  }
  return bytes;
}

function digitAt(hex: string, index: number): number {
  const code = hex.charCodeAt(index);
  if (code >= 48 && code <= 57) return code - 48;
  // Without the bit that tells lower case from upper case.
  const letter = code & ~32;
  assert(letter >= 65 && letter <= 70, "not hexadecimal");
  return letter - 55;
}

/**
 * UTF-8 without a platform encoder (`shared/` has none).
 *
 * @throws AssertionFault on a lone surrogate, which has no UTF-8. Source: RFC 3629.
 */
export function utf8(text: string): Bytes {
  const ascii = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code >= 0x80) return manyByteUtf8(text);
    ascii[index] = code;
  }
  return ascii;
}

function manyByteUtf8(text: string): Bytes {
  const bytes: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0) as number;
    assert(code < 0xd800 || code > 0xdfff, "lone surrogate");
    if (code < 0x80) bytes.push(code);
    else if (code < 0x800) bytes.push(0xc0 | (code >> 6), 0x80 | (code & 63));
    else if (code < 0x10000) {
      bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    } else {
      bytes.push(
        0xf0 | (code >> 18),
        0x80 | ((code >> 12) & 63),
        0x80 | ((code >> 6) & 63),
        0x80 | (code & 63),
      );
    }
  }
  return Uint8Array.from(bytes);
}
