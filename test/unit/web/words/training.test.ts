import { expect, test } from "vitest";
import { budgetWords, lossSentence, ownFigures, speedSentence, stepTime } from "#web/words/training.ts";

test("the loss after one pass, and over several", () => {
  expect(lossSentence([0.5])).toBe("Your loss after one pass is 0.500.");
  expect(lossSentence([0.5, 0.4, 0.25])).toBe("Your loss went from 0.500 to 0.250 over 3 passes.");
});

test("says how many engines work, and counts only those with a time", () => {
  const wasm = { backend: "wasm", msPerStep: 4, note: null } as const;
  const none = { backend: "webgl", msPerStep: null, note: null } as const;
  expect(speedSentence({ calibrating: true, table: [] })).toBe("Being timed now.");
  expect(speedSentence({ calibrating: false, table: [wasm, none] })).toBe(
    "One engine works here; it is used.",
  );
  expect(speedSentence({ calibrating: false, table: [wasm, wasm] })).toBe(
    "Two engines were timed here; the fastest is used.",
  );
});

test("an engine's time, or why it has none", () => {
  expect(stepTime({ msPerStep: 4 })).toBe("4.0");
  expect(stepTime({ msPerStep: 1_234 })).toBe("1,234");
  expect(stepTime({ msPerStep: null })).toBe("not usable");
  expect(stepTime({ msPerStep: null, untimed: "lost" })).toBe("stopped");
});

test("what the models say of the rows kept back follows what the task learns", () => {
  const classes = { kind: "classes", classes: ["no", "yes"] } as const;
  const sums = (correct: number) => ({ count: 8, lossSum: 4, correct });
  expect(ownFigures(classes, { before: sums(6), after: sums(7) }, "drawings")).toBe(
    "Of the 8 drawings that you keep back, the round's model was right for 6, yours after training for 7.",
  );
  const number = {
    kind: "number",
    name: "earnings",
    title: "hourly earnings",
    unit: "dollars an hour",
    range: [0, 100],
  } as const;
  // Errors are summed in shares of the range: 0.372 of 12 people is 3.1 dollars each.
  const errors = (errorSum: number) => ({
    ...{ count: 12, lossSum: 1, errorSum, errorSquareSum: 0.02, labelSum: 2, labelSquareSum: 0.5 },
  });
  expect(ownFigures(number, { before: errors(0.372), after: errors(0.36) }, "people")).toBe(
    "On the 12 people that you keep back, the round's model was off by 3.10\u00a0dollars an hour on average, yours after training by 3.00.",
  );
  expect(ownFigures(classes, { before: { ...sums(0), count: 0 }, after: sums(0) }, "drawings")).toBeNull();
});

test("this device's own limit", () => {
  expect(budgetWords({ used: 8, limit: 15 })).toBe("8 of 15 rounds used");
  expect(budgetWords({ used: 1, limit: 1 })).toBe("1 of 1 round used");
});
