import { expect, test } from "vitest";
import { proofsOf } from "#web/words/contribution.ts";
import { receiptFileName, receiptWords } from "#web/words/receipt.ts";

const receipt = {
  origin: "chorus.example/1",
  logSize: 1_240,
  entryIndex: 1_202,
  at: Date.UTC(2026, 6, 8, 14, 36),
  roundId: "cd".repeat(16),
  sid: "5d".repeat(32),
  survivors: 21,
  inputRoot: "02".repeat(32),
  witnesses: [],
};
const unwitnessed = { witnesses: [], witnessesNeeded: 0 };

test("[A72] [V19] a receipt's words say what was checked where, what it does not prove, and how others check it", () => {
  const file = receiptFileName("digits", 3);
  expect(file).toBe("chorus-digits-round-3.tlog-proof");
  const words = receiptWords({ receipt, logKey: "chorus.example/1+0a0b0c0d+AQID", ...unwitnessed }, file);
  expect(words.proves).toBe(
    "Checked on this device: your list was one of 21 that were sealed at 8 July 2026, 14:36 UTC, under entry 1,203 of the public log chorus.example/1, which had 1,240 entries. The log goes on from what this device saw before.",
  );
  expect(words.not).toMatch(/^It does not prove that the sum was computed/);
  // [V19] Nobody checked the key for a first visit.
  expect(words.not).toContain("compare it with what others were shown");
  expect(words.check).toBe(`npm run log -- verify ${file} --key chorus.example/1+0a0b0c0d+AQID`);
});

test("[A72] an entry without a time gets none", () => {
  const words = receiptWords(
    { receipt: { ...receipt, at: null, logSize: 1, entryIndex: 0 }, logKey: "", ...unwitnessed },
    "x",
  );
  expect(words.proves).toContain(
    "that were sealed, under entry 1 of the public log chorus.example/1, which had 1 entry.",
  );
});

test("[A95] the words name who signed the same log, and the command demands it", () => {
  const witnesses = ["w1.example+00000001+BA", "w2.example+00000002+BA"];
  const words = receiptWords(
    { receipt: { ...receipt, witnesses: ["w1.example"] }, logKey: "log+0+A", witnesses, witnessesNeeded: 1 },
    "x",
  );
  expect(words.proves).toContain("w1.example signed the same log.");
  expect(words.check).toBe(
    `npm run log -- verify x --key log+0+A --witness ${witnesses[0]} --witness ${witnesses[1]} --witnesses-needed 1`,
  );
});

test("[A7] that others see the same page is left to the receipt where there is a log, and to nobody else without one", () => {
  const outcome = {
    kind: "committed",
    survivorCount: 21,
    modelHash: "ab".repeat(32),
    included: true,
    proof: { inputsRoot: "ab".repeat(32), leafIndex: 0, path: [] },
    at: 0,
  } as const;
  const evidenceOf = (logged: boolean) =>
    proofsOf(outcome, { needed: null, helped: false, logged, shown: "shown" })[1]?.evidence;
  expect(evidenceOf(true)).toContain("The receipt shows that the public log has it.");
  expect(evidenceOf(false)).toContain("Only a public log could show");
});
