import { describe, expect, test } from "vitest";
import { canonicalJson } from "#shared/codec/canonical-json.ts";

describe("canonical JSON", () => {
  test("the example of RFC 8785 section 3.2.2 and its order of section 3.2.3", () => {
    const value = {
      numbers: [Number("333333333.33333329"), 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
      string: '\u20ac$\u000f\u000aA\'B"\\\\"/',
      literals: [null, true, false],
    };
    expect(canonicalJson(value)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
    const keys = { "\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\ud83d\ude00": 5, "\u0080": 6, "\u00f6": 7 };
    const order = [...canonicalJson(keys).matchAll(/:(\d)/g)].map((match) => match[1]).join("");
    expect(order).toBe("2467153");
  });

  test("the order of writing does not matter, and absent properties are left out", () => {
    expect(canonicalJson({ b: { y: 1, x: [{}] }, a: undefined })).toBe('{"b":{"x":[{}],"y":1}}');
    expect(canonicalJson(-0)).toBe("0");
  });

  test("a value that JSON cannot hold is a fault", () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => canonicalJson(value)).toThrow("no such number");
    }
    for (const value of ["\ud800", { "\udc00": 1 }])
      expect(() => canonicalJson(value)).toThrow("lone surrogate");
    expect(() => canonicalJson((() => 1) as never)).toThrow("not a JSON value");
  });
});
