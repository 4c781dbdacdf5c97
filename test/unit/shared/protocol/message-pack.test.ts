import { Decoder, Encoder } from "@msgpack/msgpack";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LIMITS } from "#shared/protocol/limits.ts";
import { scanMessagePack } from "#shared/protocol/message-pack.ts";

const BOUNDS = { entryCountMax: 1_000, nestingDepthMax: 8 };
const scan = (bytes: readonly number[] | Uint8Array, bounds = BOUNDS) =>
  scanMessagePack(Uint8Array.from(bytes), bounds);
const entries = (entryCount: number) => ({ ok: true, value: { entryCount, type: null } });
const MALFORMED = { ok: false, error: { type: "malformed" } };
const TOO_MANY = { ok: false, error: { type: "too-many" } };
const zeros = (count: number) => new Array<number>(count).fill(0);

/** Every format of the specification with its smallest and a larger content, and the number of values in it. */
const FORMS: readonly (readonly [string, readonly number[], number])[] = [
  ["positive fixint", [0x00], 1],
  ["positive fixint, largest", [0x7f], 1],
  ["negative fixint", [0xe0], 1],
  ["negative fixint, smallest", [0xff], 1],
  ["nil", [0xc0], 1],
  ["false", [0xc2], 1],
  ["true", [0xc3], 1],
  ["fixstr of none", [0xa0], 1],
  ["fixstr of 31", [0xbf, ...zeros(31)], 1],
  ["bin 8", [0xc4, 2, 0, 0], 1],
  ["bin 16", [0xc5, 1, 0, ...zeros(256)], 1],
  ["bin 32", [0xc6, 0, 1, 0, 0, ...zeros(65_536)], 1],
  ["float 32", [0xca, ...zeros(4)], 1],
  ["float 64", [0xcb, ...zeros(8)], 1],
  ["uint 8", [0xcc, 0], 1],
  ["uint 16", [0xcd, ...zeros(2)], 1],
  ["uint 32", [0xce, ...zeros(4)], 1],
  ["uint 64", [0xcf, ...zeros(8)], 1],
  ["int 8", [0xd0, 0], 1],
  ["int 16", [0xd1, ...zeros(2)], 1],
  ["int 32", [0xd2, ...zeros(4)], 1],
  ["int 64", [0xd3, ...zeros(8)], 1],
  ["str 8", [0xd9, 2, 0, 0], 1],
  ["str 16", [0xda, 1, 0, ...zeros(256)], 1],
  ["str 32", [0xdb, 0, 1, 0, 0, ...zeros(65_536)], 1],
  ["fixarray of none", [0x90], 1],
  ["fixarray of 15", [0x9f, ...zeros(15)], 16],
  ["array 16", [0xdc, 1, 0, ...zeros(256)], 257],
  ["array 32", [0xdd, 0, 0, 1, 0, ...zeros(256)], 257],
  ["fixmap of none", [0x80], 1],
  ["fixmap of 15", [0x8f, ...zeros(30)], 31],
  ["map 16", [0xde, 1, 0, ...zeros(512)], 513],
  ["map 32", [0xdf, 0, 0, 1, 0, ...zeros(512)], 513],
];

const REFUSED: readonly (readonly [string, readonly number[]])[] = [
  ["the byte that is never used", [0xc1]],
  ["ext 8", [0xc7, 1, 0, 0]],
  ["ext 16", [0xc8, 0, 1, 0, 0]],
  ["ext 32", [0xc9, 0, 0, 0, 1, 0, 0]],
  ["fixext 1", [0xd4, 0, 0]],
  ["fixext 2", [0xd5, 0, ...zeros(2)]],
  ["fixext 4", [0xd6, 0, ...zeros(4)]],
  ["fixext 8", [0xd7, 0, ...zeros(8)]],
  ["fixext 16", [0xd8, 0, ...zeros(16)]],
  ["a timestamp", [0xd6, 0xff, ...zeros(4)]],
];

describe("a scan of MessagePack", () => {
  test.each(FORMS)("[W3] %s: how many values it holds, alone and in an array", (_, bytes, count) => {
    expect(scan(bytes)).toEqual(entries(count));
    expect(scan([0x91, ...bytes])).toEqual(entries(count + 1));
  });

  test.each(FORMS)("[W3] %s: cut anywhere, or with a byte more, it is malformed", (_, bytes) => {
    // Every cut of the short ones; for the long ones those in the prefix, and the last byte.
    for (let length = 0; length < bytes.length; length = length < 600 ? length + 1 : bytes.length - 1) {
      expect(scan(bytes.slice(0, length)), `${length} bytes`).toEqual(MALFORMED);
      if (length === bytes.length - 1) break;
    }
    expect(scan([...bytes, 0])).toEqual(MALFORMED);
  });

  test.each(REFUSED)("[W3] %s is refused in a frame, even nested", (_, bytes) => {
    expect(scan(bytes)).toEqual(MALFORMED);
    expect(scan([0x92, 0, ...bytes])).toEqual(MALFORMED);
    expect(scan([0x81, 0, ...bytes])).toEqual(MALFORMED);
  });

  test("[W3] a claim of 2^32 - 1 entries, characters or bytes ends at once", () => {
    for (const prefix of [0xdd, 0xdf, 0xdb, 0xc6])
      expect(scan([prefix, 255, 255, 255, 255])).toEqual(MALFORMED);
    // As many bytes as a frame may have, so that the claim could be true.
    const full = new Uint8Array(LIMITS.frameByteCountMax);
    full.set([0xdf, 0, 2, 0x49, 0xf0]); // 150,000 keys
    expect(scan(full)).toEqual(TOO_MANY);
    full.set([0xdd, 0, 0x0e, 0, 0]);
    expect(scan(full)).toEqual(TOO_MANY);
  });

  test("[W3] counts up to the bound and no further, over all containers together", () => {
    const row = [0x94, 0, 0, 0, 0];
    const rows = (count: number) => [0xdc, count >> 8, count & 255, ...new Array(count).fill(row).flat()];
    expect(scan(rows(199))).toEqual(entries(996));
    expect(scan(rows(200))).toEqual(TOO_MANY);
    expect(scan(rows(200), { ...BOUNDS, entryCountMax: 1_001 })).toEqual(entries(1_001));
  });

  test("[W3] allows nesting up to the bound and no deeper, in arrays and in maps", () => {
    const nested = (opening: readonly number[], depth: number) => [
      ...new Array(depth).fill(opening).flat(),
      0xc0,
    ];
    for (const opening of [[0x91], [0x81, 0xa1, 0x61]]) {
      expect(scan(nested(opening, BOUNDS.nestingDepthMax - 1)).ok).toBe(true);
      expect(scan(nested(opening, BOUNDS.nestingDepthMax))).toEqual(MALFORMED);
      expect(scan(nested(opening, 100_000))).toEqual(MALFORMED);
    }
  });

  test("finds the outermost type, wherever it is", () => {
    const typeOf = (value: unknown) => {
      const found = scanMessagePack(new Encoder().encode(value), BOUNDS);
      return found.ok ? found.value.type : "malformed";
    };
    expect(typeOf({ type: "share", leaves: [{ type: "inner" }] })).toBe("share");
    expect(typeOf({ inner: { type: "inner" }, list: ["type", "x"], type: "leave" })).toBe("leave");
    expect(typeOf({ inner: { type: "inner" }, text: "type" })).toBe(null);
    expect(typeOf({ text: "type", after: "share" })).toBe(null);
    expect(typeOf({ type: 1 })).toBe(null);
    expect(typeOf({ type: "x".repeat(32) })).toBe(null);
    expect(typeOf(["type", "share"])).toBe(null);
    expect(typeOf("type")).toBe(null);
  });

  test("[W3] agrees with a decoder: what passes decodes, with as many values as were counted", () => {
    const valuesOf = (value: unknown): number => {
      if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + valuesOf(item), 1);
      if (typeof value !== "object" || value === null || value instanceof Uint8Array) return 1;
      return Object.values(value).reduce<number>((sum, item) => sum + 1 + valuesOf(item), 1);
    };
    const json = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.constant(null),
        fc.boolean(),
        fc.integer(),
        fc.double({ noNaN: true }),
        fc.string({ maxLength: 40 }),
        fc.uint8Array({ maxLength: 300 }),
        fc.array(tie("value"), { maxLength: 20 }),
        fc.dictionary(
          fc.string({ maxLength: 8 }).map((key) => `k${key}`),
          tie("value"),
          { maxKeys: 20 },
        ),
      ),
    })).value;
    const wide = { entryCountMax: 1e9, nestingDepthMax: 32 };
    fc.assert(
      fc.property(json, (value) => {
        const found = scanMessagePack(new Encoder().encode(value), wide);
        expect(found.ok && found.value.entryCount).toBe(valuesOf(value));
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        if (!scanMessagePack(bytes, wide).ok) return;
        // Only what a decoder refuses for other reasons: keys that are neither text nor number, invalid UTF-8.
        try {
          new Decoder().decode(bytes);
        } catch (error) {
          expect(error).not.toBeInstanceOf(RangeError);
        }
      }),
      { numRuns: 5_000 },
    );
  });
});
