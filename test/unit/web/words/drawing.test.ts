import { expect, test } from "vitest";
import { penSentence, undoneSentence } from "#web/words/drawing.ts";

test("the pen's place is counted from one", () => {
  const at = { column: 0, row: 8 };
  expect(penSentence("put down", at)).toBe("Pen down, column 1, row 9.");
  expect(penSentence("drawn", at)).toBe("Drawn to column 1, row 9.");
  expect(penSentence("moved", at)).toBe("Moved to column 1, row 9.");
  expect(penSentence("lifted", at)).toBe("Pen up, column 1, row 9.");
});

test("an empty pad has nothing to take back", () => {
  expect(undoneSentence(0)).toBe("Nothing to undo.");
  expect(undoneSentence(1)).toBe("Last line removed.");
});
