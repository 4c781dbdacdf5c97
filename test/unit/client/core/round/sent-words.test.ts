import { expect, test } from "vitest";
import { sentWords } from "#client/core/round/sent-words.ts";

test("[W22] says that nothing was sent only if nothing was", () => {
  expect(sentWords({ anythingLeft: false, listLeft: false })).toBe("Nothing was sent.");
  expect(sentWords({ anythingLeft: true, listLeft: false })).toMatch(/^Only keys and signatures were sent/);
  expect(sentWords({ anythingLeft: true, listLeft: true })).toMatch(/^Your masked list had been sent/);
});
