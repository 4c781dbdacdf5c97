import { expect, test } from "vitest";
import { heldOutSetSchema } from "#shared/task/held-out.ts";
import { measuresFrom, measuresOf } from "#shared/task/measures/index.ts";
import { runViewOf } from "#test/kit/web-views.ts";
import { guessLines } from "#web/words/measures.ts";
import { classSharesOf } from "#web/words/run-curve.ts";

/* What a model is compared with: the best that is possible without looking at a row. */

const HASH = "ab".repeat(32);
const target = { kind: "classes", classes: ["no", "yes"] } as const;
// 2,095 of the 2,380 rows of hmda are "no".
const set = heldOutSetSchema.parse({
  hash: HASH,
  format: "csv",
  byteCount: 1,
  rowCount: 2_380,
  balance: {
    kind: "classes",
    counts: [
      { name: "no", rows: 2_095 },
      { name: "yes", rows: 285 },
    ],
  },
  card: { source: "s", licence: "l", ground: "g", collected: "2026" },
  versions: [1],
  setAt: "2026-07-08T14:36:00.000Z",
  setBy: "ada",
});
const heldOut = { ...set, isUsed: true };
const measures = measuresFrom({ count: 2_380, correct: 2_095, lossSum: 900, lossSquareSum: 900 }, target);
const run = runViewOf({ history: [{ round: 1, measures, measuredOn: HASH }] });

const linesOf = (shares: readonly number[] | null) =>
  measuresOf(target).flatMap((spec) => guessLines(spec, target, shares).map(({ label }) => label));

test("a set that is 88 % “no” is compared with always saying so, and the loss with its entropy", () => {
  const shares = classSharesOf(run.history, heldOut);
  expect(shares).toEqual([2_095 / 2_380, 285 / 2_380]);
  // -0.88025 ln 0.88025 - 0.11975 ln 0.11975
  expect(linesOf(shares)).toEqual(["0.880 always the most frequent", "0.366 the classes' shares for all"]);
});

test("without the balance of the rows that were judged on, one of the classes is guessed", () => {
  expect(classSharesOf(run.history, { ...heldOut, hash: "cd".repeat(32) as never })).toBeNull();
  expect(classSharesOf(run.history, null)).toBeNull();
  expect(classSharesOf([], heldOut)).toBeNull();
  expect(linesOf(null)).toEqual(["0.500 guessing", "0.693 guessing"]);
});
