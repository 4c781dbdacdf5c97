import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { VersionedMap } from "#shared/kernel/versioned-map.ts";

describe("a map in versions", () => {
  const change = fc.record({
    /** The version to change: any so far, most often the newest. */
    from: fc.double({ min: 0, max: 1, noNaN: true }),
    key: fc.constantFrom("a", "b", "c", "d", "e", "f"),
    value: fc.integer({ min: 0, max: 9 }),
  });

  test("every version equals a copied Map in content and order, whatever the order in which versions are read", () => {
    fc.assert(
      fc.property(
        fc.array(change, { maxLength: 60 }),
        fc.array(fc.nat(), { maxLength: 60 }),
        (changes, reads) => {
          const versions = [
            { map: VersionedMap.from<string, number>([["z", 1]]), oracle: new Map([["z", 1]]) },
          ];
          for (const { from, key, value } of changes) {
            const newest = versions.length - 1;
            const at = from < 0.7 ? newest : Math.round(from * newest);
            const { map, oracle } = versions[at] as (typeof versions)[number];
            versions.push({ map: map.set(key, value), oracle: new Map(oracle).set(key, value) });
          }
          for (const read of [...reads, ...versions.keys()]) {
            const { map, oracle } = versions[read % versions.length] as (typeof versions)[number];
            expect([...map]).toEqual([...oracle]);
            expect(map.size).toBe(oracle.size);
            expect([map.get("a"), map.has("b")]).toEqual([oracle.get("a"), oracle.has("b")]);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  test("an iterator walks its own version, whatever is read in between", () => {
    const before = VersionedMap.from([[1, "one"]]);
    const after = before.set(2, "two").set(1, "uno");
    const seen: string[] = [];
    for (const [, value] of after) {
      seen.push(value);
      expect([...before.values()]).toEqual(["one"]);
    }
    expect(seen).toEqual(["uno", "two"]);
  });
});
