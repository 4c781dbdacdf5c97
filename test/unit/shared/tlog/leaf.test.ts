import { describe, expect, test } from "vitest";
import { utf8, utf8ToText } from "#shared/kernel/bytes.ts";
import { encodeLeaf, parseLeaf } from "#shared/tlog/leaf.ts";

const hash = "ab".repeat(32);
const body = { version: 1, slug: "digits", taskVersion: 2, taskHash: hash, configHash: hash };
const AT = 1_700_000_000_000;

describe("[A31] a leaf", () => {
  test("is canonical JSON with version, kind and time", () => {
    const bytes = encodeLeaf("task.published", AT, body);
    expect(utf8ToText(bytes)).toBe(
      `{"at":${AT},"configHash":"${hash}","kind":"task.published","slug":"digits","taskHash":"${hash}","taskVersion":2,"version":1}`,
    );
    expect(parseLeaf(bytes)).toEqual({
      ok: true,
      value: {
        kind: "task.published",
        at: AT,
        facts: { slug: "digits", taskVersion: 2, taskHash: hash, configHash: hash },
      },
    });
  });

  test("from before leaves had a time and a configHash is read", () => {
    const { configHash: _, ...earlier } = body;
    expect(parseLeaf(encodeLeaf("task.published", null, earlier))).toMatchObject({
      ok: true,
      value: { at: null, facts: { slug: "digits" } },
    });
  });

  test("of a later kind is told apart from one that is malformed", () => {
    expect(parseLeaf(encodeLeaf("moon.landed", AT, { version: 1 }))).toEqual({
      ok: false,
      error: { type: "unknown-kind", kind: "moon.landed" },
    });
    for (const kind of ["__proto__", "constructor", "toString", ""])
      expect(parseLeaf(encodeLeaf(kind, AT, { version: 1 }))).toMatchObject({
        ok: false,
        error: { type: "unknown-kind" },
      });
  });

  const text = utf8ToText(encodeLeaf("task.published", AT, body)) ?? "";
  test.each([
    ["white space", text.replace(",", ", ")],
    ["another order", `{"kind":"task.archived","at":${AT},"version":1}`],
    ["a number written otherwise", text.replace(`${AT}`, `${AT}.0`)],
    ["a number that is none", text.replace(`${AT}`, "1e400")],
    ["a key twice", text.replace("{", `{"at":${AT},`)],
    ["a reserved key", text.replace("{", '{"__proto__":1,')],
    ["a field that its kind does not have", text.replace("{", '{"a":"alice",')],
    ["a later version", text.replace('"version":1', '"version":2')],
    ["no time", text.replace(`${AT}`, '"now"')],
    ["a negative time", text.replace(`${AT}`, "-1")],
    ["a hash in capitals", text.replaceAll(hash, hash.toUpperCase())],
    ["a list", "[]"],
    ["nothing", ""],
    ["deep nesting", "[".repeat(60_000)],
  ])("with %s is refused", (_, bad) => {
    expect(bad).not.toBe(text);
    expect(parseLeaf(utf8(bad))).toMatchObject({ ok: false, error: { type: "bad-leaf" } });
  });

  test("is at most 65,535 bytes, and UTF-8", () => {
    expect(parseLeaf(new Uint8Array(65_536).fill(0x20))).toMatchObject({
      ok: false,
      error: { type: "bad-leaf" },
    });
    expect(parseLeaf(Uint8Array.of(0xff))).toMatchObject({ ok: false, error: { type: "bad-leaf" } });
    expect(() => encodeLeaf("x", AT, { version: 1, long: "x".repeat(65_536) })).toThrow("bytes");
    expect(() => encodeLeaf("x", AT, { version: 1, kind: "y" })).toThrow("kind");
  });
});
