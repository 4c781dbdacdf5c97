import { expect, test } from "vitest";
import { runViewOf, taskSliceOf, taskViewOf } from "#test/kit/web-views.ts";
import { type Fact, runRules, taskFacts } from "#web/words/facts.ts";

const valueUnder = (facts: readonly Fact[], term: string) => facts.find(([name]) => name === term)?.[1];

test("what consent binds to is in the terms: the least sum, the noise, the fingerprint", () => {
  const slice = taskSliceOf(8);
  const facts = taskFacts(slice);
  const { cohortSizeMin, clipNormL2 } = slice.task.aggregation;
  expect(valueUnder(facts, "At least in a sum")).toBe(`${cohortSizeMin} devices, you among them`);
  expect(valueUnder(facts, "Change of the model, at most")).toBe(`L2 norm ${clipNormL2}`);
  expect(valueUnder(facts, "Noise")).toBe("none");
  expect(valueUnder(facts, "Fingerprint of all this")?.replaceAll(" ", "")).toBe(slice.taskHash.slice(0, 12));
});

test("rounding to 16 bits is said only of tasks that do it", () => {
  const slice = taskSliceOf(8);
  const { aggregation } = slice.task;
  const on16 = { ...slice, task: { ...slice.task, aggregation: { ...aggregation, ring: 16 as const } } };
  const bits = "Bits of it per number of the model";
  expect(valueUnder(taskFacts(on16), bits)).toContain("rounded to 16");
  expect(valueUnder(taskFacts(slice), bits)).not.toContain("rounded");
});

test("a run's rules stand before its task is known, and gain the task's terms with it", () => {
  const run = runViewOf({});
  const view = taskViewOf();
  const without = runRules(run, null);
  expect(valueUnder(without, "Rounds planned")).toBe(String(run.roundsPlanned));
  expect(valueUnder(without, "Needed to open")).toBeUndefined();
  const { securityModel } = view.task.aggregation;
  expect(valueUnder(runRules(run, view), "Needed to open")).toBe(
    securityModel === "active" ? "more than ⅔ of the cohort" : "more than half of the cohort",
  );
});
