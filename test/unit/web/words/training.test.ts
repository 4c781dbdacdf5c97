import { expect, test } from "vitest";
import { budgetWords, lossSentence, speedSentence, stepTime } from "#web/words/training.ts";

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

test("this device's own limit", () => {
  expect(budgetWords({ used: 8, limit: 15 })).toBe("8 of 15 rounds used");
  expect(budgetWords({ used: 1, limit: 1 })).toBe("1 of 1 round used");
});
