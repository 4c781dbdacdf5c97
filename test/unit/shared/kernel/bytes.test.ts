import { expect, test } from "vitest";
import { AssertionFault } from "#shared/kernel/assert.ts";
import { bytesToBase64Url, bytesToHex, hexToBytes, utf8 } from "#shared/kernel/bytes.ts";

const all = Uint8Array.from({ length: 256 }, (_, byte) => byte);

test("hexadecimal is written in lower case and read in either case", () => {
  expect(bytesToHex(all)).toBe(Buffer.from(all).toString("hex"));
  expect(hexToBytes(bytesToHex(all).toUpperCase())).toEqual(all);
  expect(hexToBytes("")).toEqual(new Uint8Array(0));
});

test.each(["abc", "zz", "0x", "aé", "a\n"])("%j is a fault that does not quote the text", (text) => {
  expect(() => hexToBytes(text)).toThrow(new AssertionFault("not hexadecimal"));
});

test("base64url has neither padding nor characters that an address escapes", () => {
  for (const byteCount of [0, 1, 2, 3, 32, 256]) {
    const bytes = all.subarray(256 - byteCount);
    expect(bytesToBase64Url(bytes)).toBe(Buffer.from(bytes).toString("base64url"));
  }
});

test("UTF-8 equals the platform's encoding of a text; a lone surrogate has none", () => {
  for (const text of ["", "chorus", "é€😀", "\u0000\uffff"]) {
    expect(utf8(text)).toEqual(new TextEncoder().encode(text));
  }
  expect(() => utf8("a\ud800")).toThrow(AssertionFault);
});
