import { expect, test } from "vitest";
import { callFailure } from "#web/words/failure.ts";

const named = (name: string, message = "") => Object.assign(new Error(message), { name });

test("[W22] a call that failed is a sentence that says what to do", () => {
  expect(callFailure(named("QuotaExceededError"))).toContain("Free some space");
  expect(callFailure(named("NotReadableError"))).toContain("Choose it again");
  expect(callFailure(new Error("it broke"))).toBe(
    "That did not work (it broke). What was stored before stays. Try again, or reload the page.",
  );
  expect(callFailure("odd")).toContain("(odd)");
});
