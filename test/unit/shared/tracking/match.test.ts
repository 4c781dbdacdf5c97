import fc from "fast-check";
import { expect, test } from "vitest";
import { isLike } from "#shared/tracking/match.ts";
import { parseFilter, RUNS } from "#shared/tracking/search-text.ts";

test("[L3] LIKE has two signs, and everything else stands for itself", () => {
  expect(isLike("accuracy", "acc%")).toBe(true);
  expect(isLike("accuracy", "%c_")).toBe(true);
  expect(isLike("accuracy", "%cc%c%")).toBe(true);
  expect(isLike("accuracy", "acc")).toBe(false);
  expect(isLike("a.c", "a_c")).toBe(true);
  expect(isLike("abc", "a.c")).toBe(false);
  expect(isLike("", "%%")).toBe(true);
  expect(isLike("", "_")).toBe(false);
  expect(isLike("100%", "100%")).toBe(true);
  expect(isLike("😀b", "_b")).toBe(true);
});

/** By its definition, which takes exponential time. */
function isLikeSlowly(text: string, pattern: string): boolean {
  if (pattern === "") return text === "";
  const rest = pattern.slice(1);
  if (pattern.startsWith("%"))
    return isLikeSlowly(text, rest) || (text !== "" && isLikeSlowly(text.slice(1), pattern));
  return text !== "" && (pattern[0] === "_" || pattern[0] === text[0]) && isLikeSlowly(text.slice(1), rest);
}

test("[L3] LIKE is what its definition says", () => {
  const of = (signs: string, maxLength: number) =>
    fc.array(fc.constantFrom(...signs), { maxLength }).map((parts) => parts.join(""));
  fc.assert(
    fc.property(of("ab", 9), of("ab%_", 7), (text, pattern) => {
      expect(isLike(text, pattern)).toBe(isLikeSlowly(text, pattern));
    }),
    { numRuns: 2_000 },
  );
});

test("[L3] no pattern and no filter takes long", () => {
  const beganMs = performance.now();
  expect(isLike("a".repeat(8_000), `${"%a".repeat(100)}%b`)).toBe(false);
  expect(parseFilter(`metrics.a > ${"9".repeat(9_900)}x`, RUNS).ok).toBe(false);
  expect(performance.now() - beganMs).toBeLessThan(500);
});
