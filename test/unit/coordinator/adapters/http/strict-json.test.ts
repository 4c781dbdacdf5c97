import { describe, expect, test } from "vitest";
import { parseStrictJson } from "#coordinator/adapters/http/strict-json.ts";

const BOUNDS = { entryCountMax: 1_000 };
const parse = (text: string, bounds = BOUNDS) => parseStrictJson(new TextEncoder().encode(text), bounds);

describe("strict JSON", () => {
  test("[W4] plain JSON gives the same as JSON.parse", () => {
    const texts = [
      "{}",
      "[]",
      "null",
      "1",
      '"x"',
      '{"a":{"a":1},"b":[{"a":1},{"a":2}]}',
      ' { "a\\"b" : "c:d" , "e" : "{[\\\\" } ',
      '{"a":"\\u00e9","b":"\\ud83d\\ude00","c":-1.5e3}',
      '["a","a"]',
      '{"a":["b:",{"b":1}],"c":"a"}',
    ];
    for (const text of texts) expect(parse(text)).toEqual({ ok: true, value: JSON.parse(text) });
  });

  test("[W4] refuses a duplicate key, at any depth and however it is escaped", () => {
    for (const text of [
      '{"a":1,"a":1}',
      '[[{"b":{"a":1,"a":2}}]]',
      '{"a":1,"\\u0061":2}',
      '{"a" :1,\n"a"\t:2}',
      '{"a":{"a":1},"a":2}',
    ]) {
      expect(parse(text)).toMatchObject({
        ok: false,
        error: { sentence: "A key appears twice in one object." },
      });
    }
  });

  test("[W4] refuses prototype keys, control characters, lone surrogates, broken UTF-8 and a byte order mark", () => {
    const texts = [
      '{"__proto__":1}',
      '{"a":{"constructor":1}}',
      '{"\\u0070rototype":1}',
      '"a\\u0000"',
      '"a\\n"',
      '{"a\\u0007":1}',
      '["\\ud800"]',
      '"\\udc00x"',
      "\ufeff1",
    ];
    for (const text of texts) expect(parse(text).ok, text).toBe(false);
    expect(parseStrictJson(Uint8Array.of(0x22, 0xc3, 0x28, 0x22), BOUNDS).ok).toBe(false);
  });

  test("[W3] nesting is allowed up to the limit only", () => {
    expect(parse(`${"[".repeat(32)}${"]".repeat(32)}`).ok).toBe(true);
    expect(parse(`${"[".repeat(33)}${"]".repeat(33)}`).ok).toBe(false);
    expect(parse(`"${"[".repeat(500)}"`).ok).toBe(true);
  });

  test("[W3] values are counted, including keys and containers, but not inside text", () => {
    for (const [text, count] of [
      ["1", 1],
      ["[1,2]", 3],
      ['{"a":1}', 3],
      ['{"a":[{"b":1},2]}', 7],
      ['["{[,:","a"]', 3],
    ] as const) {
      expect(parse(text, { entryCountMax: count }).ok, text).toBe(true);
      expect(parse(text, { entryCountMax: count - 1 }), text).toMatchObject({
        error: { sentence: `The body holds more than ${count - 1} values.` },
      });
    }
  });

  test("anything that is not JSON is refused", () => {
    for (const text of ["", "{", "{]", "NaN", "{'a':1}", '{"a":1,}', "1 2", '"', '"\\', "undefined"])
      expect(parse(text).ok, text).toBe(false);
  });
});
