import { expect, test } from "vitest";
import { cannotBeShown, failureWords } from "#web/words/failure.ts";

test("another try is offered unless the coordinator rules it out", () => {
  expect(failureWords({ code: "NOT_FOUND", retry: "never" }).mayRetry).toBe(false);
  expect(failureWords({ code: "RATE_LIMITED", retry: "later" }).mayRetry).toBe(true);
  expect(failureWords(null)).toEqual({ meaning: undefined, code: undefined, mayRetry: true });
});

test("only silence is said not to affect runs: any other answer may be about them", () => {
  expect(failureWords({ code: "NO_ANSWER", retry: "later" }).meaning).toContain("not affected");
  expect(failureWords({ code: "BAD_ANSWER", retry: "later" }).meaning).toBeUndefined();
});

test("a page without its subject names it", () => {
  expect(cannotBeShown("run")).toBe("This run cannot be shown");
});
