import { expect, test, vi } from "vitest";
import { allOpen, gateSchema, judgeGates, needsOf, promotionRulesSchema } from "#shared/task/gates/index.ts";
import { NOTHING_KNOWN } from "./evidence.ts";

/* A kind of gate takes one file and one entry in the list. */

vi.mock("#shared/task/gates/list.ts", async (original) => {
  const { GATES } = await original<typeof import("#shared/task/gates/list.ts")>();
  const { quiet } = await import("#test/kit/dummies/quiet.ts");
  return { GATES: [...GATES, quiet] };
});

test("[G5] a gate added to the list is a setting, is asked for, and decides", () => {
  const [night, day] = [true, false].map((isNight) => gateSchema.parse({ kind: "quiet", isNight }));
  const rules = promotionRulesSchema.parse({ gates: [night, day], promoteByItself: true });
  expect([...needsOf(rules.gates)]).toEqual(["size"]);
  const results = judgeGates(rules.gates, NOTHING_KNOWN);
  expect(results.map(({ kind, title, state, reason }) => [kind, title, state, reason])).toEqual([
    ["quiet", "quiet", "open", "It is night."],
    ["quiet", "quiet", "shut", "It is day."],
  ]);
  expect([allOpen(results), allOpen(results.slice(0, 1))]).toEqual([false, true]);
});
