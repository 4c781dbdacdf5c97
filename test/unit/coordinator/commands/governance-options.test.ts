import { expect, test } from "vitest";
import { governanceOptions } from "#coordinator/commands/governance-options.ts";

test("[A84] what the operator says fills the blanks; what is not said stays one", () => {
  expect(governanceOptions({ operator: "Clinic North", "keep-ended-days": "7" })).toEqual({
    ok: true,
    value: {
      endedRowsDays: 7,
      operator: { name: "Clinic North", contact: null, protectionContact: null, legalGround: null },
    },
  });
});

test.each([
  [{ "keep-ended-days": "0" }, /--keep-ended-days is a whole number from 1/],
  [{ "keep-ended-days": "1e3" }, /--keep-ended-days is a whole number/],
  [{ "keep-ended-days": "__proto__" }, /--keep-ended-days is a whole number/],
  [{ "legal-ground": "x".repeat(401) }, /400 characters at most/],
])("%j is refused in a sentence", (values, sentence) => {
  const read = governanceOptions(values);
  expect(read.ok ? "" : read.error).toMatch(sentence);
});
