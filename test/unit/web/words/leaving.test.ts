import { expect, test } from "vitest";
import type { Stage } from "#client/index.ts";
import { deleteWords, leaveWords } from "#web/words/leaving.ts";

test("leaving is offered to those who agreed and have not left", () => {
  const stages: readonly Stage[] = ["consent", "data", "ready", "waiting", "in-round", "paused", "left"];
  expect(stages.filter((stage) => !leaveWords(stage).mayLeave)).toEqual(["consent", "left"]);
  expect(leaveWords("left").sentence).toBe("You have left. Nothing is sent.");
  expect(leaveWords("in-round").sentence).toContain("the others finish without you");
});

test("deleting names the person's examples and says that it is final", () => {
  const words = deleteWords("drawings");
  expect(words.offer).toContain("Remove drawings, keys and receipts");
  expect(words.question).toMatch(/^Your drawings, .* cannot be undone\.$/);
});
