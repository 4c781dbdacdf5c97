import { expect, test } from "vitest";
import {
  leftSentence,
  masksWords,
  ownScoreNote,
  ringLabel,
  roundChoice,
  wentNote,
} from "#web/words/contribution.ts";

const parts = {
  maskedListByteCount: 9_764,
  keySharesByteCount: 1_000,
  keysAndSignaturesByteCount: 200,
  openingByteCount: 36,
};

test("says if no masked list left", () => {
  expect(leftSentence(parts)).toBe("11,000 bytes, in four parts. Here they are.");
  expect(leftSentence({ ...parts, maskedListByteCount: 0 })).toBe(
    "1,236 bytes: keys, shares and signatures. No masked list was among them.",
  );
});

test("masks are agreed with the others of the roster", () => {
  expect(masksWords(8)).toBe("Agreed with 7 other devices; they cancel in the sum.");
  expect(masksWords(null)).toContain("0 other devices");
});

test("a chart is called flat only if it was found to be", () => {
  expect(ringLabel("what left", 32, true)).toBe("Histogram of what left, over all values of 32 bits: flat.");
  expect(ringLabel("the masks", 16, false)).toBe("Histogram of the masks, over all values of 16 bits.");
});

test("a round is chosen by its number, and by its attempt from the second on", () => {
  expect(roundChoice({ round: 9, attempt: 1 })).toBe("9");
  expect(roundChoice({ round: 9, attempt: 2 })).toBe("9, attempt 2");
});

test("the coloured line is explained only if there is one", () => {
  expect(wentNote(4, true)).toMatch(/^Round 4\. The coloured line is you\./);
  expect(wentNote(4, false)).toBe("Round 4.");
  expect(ownScoreNote(4, false)).toMatch(/^Round 4, as it happens\. /);
  expect(ownScoreNote(4, true)).toMatch(/^Round 4\. /);
});
