import { expect, test } from "vitest";
import { bundledTask } from "#coordinator/data/tasks.ts";
import { targetOf } from "#shared/task/target.ts";
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

test("[K9] what is asked for and how a device trains are in the terms, as the task says them", () => {
  const slice = taskSliceOf(8);
  const { training } = slice.task;
  const weighted = {
    ...training,
    proximalMu: 0.1,
    classWeights: slice.task.features.classes?.map(() => 2) ?? [],
  };
  const sgd = { kind: "sgd", learningRate: 0.05, momentum: 0.9 } as const;
  const facts = taskFacts({ ...slice, task: { ...slice.task, training: { ...weighted, optimizer: sgd } } });
  expect(valueUnder(facts, "Asked for")).toMatch(/^Drawings, as grey pictures of 8 by 8 pixels/);
  expect(valueUnder(facts, "Training, each round")).toContain("SGD at 0.05, momentum 0.9");
  expect(valueUnder(facts, "Loss")).toBe("cross-entropy");
  expect(valueUnder(facts, "How much a row of each class counts")).toMatch(/^0 2, 1 2, /);
  expect(valueUnder(facts, "Pull towards the round's model (μ)")).toBe("0.1");
  const pay = bundledTask("cps1998", 8, 1);
  const huber = { ...pay.training, loss: { kind: "huber", delta: 0.5 } as const };
  const target = targetOf(pay.features);
  expect(valueUnder(taskFacts({ ...slice, task: { ...pay, training: huber } }), "Loss")).toBe(
    `Huber's, straight beyond 0.5 of the scaled ${target.kind === "number" ? target.title : ""}`,
  );
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
