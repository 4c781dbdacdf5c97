import { describe, expect, test } from "vitest";
import { taskSlice } from "#client/core/participant/task-slice.ts";
import { bundledTask } from "#coordinator/data/tasks.ts";
import { thresholds } from "#shared/cohort/threshold.ts";
import { proposedRules } from "#shared/sample/draft.ts";
import { taskOfDraft } from "#shared/sample/draft-task.ts";
import { EMPTY_FIELDS, proposeColumns } from "#shared/sample/propose-columns.ts";
import { TableProfiler } from "#shared/sample/table-profiler.ts";
import { TEMPLATE_DRAFTS } from "#shared/sample/template-drafts.ts";
import { triedKey } from "#shared/sample/tried.ts";
import { consentWords } from "#web/words/join.ts";
import { cardOf } from "#web/words/tasks.ts";
import {
  dockWords,
  foldedWords,
  leftOutWords,
  rareAndPublic,
  spelledWords,
  workshopLead,
} from "#web/words/workshop.ts";
import { rangeNote } from "#web/words/workshop-columns.ts";
import { askedForSentence } from "#web/words/workshop-preview.ts";
import { invitedSentence, plannedRound, planSentence, weightSentence } from "#web/words/workshop-rules.ts";
import { sampleNote } from "#web/words/workshop-sample.ts";
import { balanced, trialSentence } from "#web/words/workshop-trial.ts";
import { trialChart } from "#web/words/workshop-trial-charts.ts";

describe("[K7] the plan of a round has the numbers that each device computes", () => {
  test.each([3, 4, 16, 24, 60, 96])("for a goal of %i", (goal) => {
    const rules = { ...proposedRules("trying-out"), goal: String(goal), overSelection: "1.3" };
    const plan = plannedRound(rules);
    expect(plan?.needed).toBe(thresholds(goal, "active", 3).q);
    for (const { agreed, needed } of plan?.table ?? []) {
      const { q } = thresholds(agreed, "active", 3);
      expect(needed).toBe(q <= agreed ? q : null);
    }
  });

  test("in words, and not at all if the numbers make no round", () => {
    const plan = plannedRound(proposedRules("in-earnest"));
    if (plan === null) throw new Error("no plan");
    expect(planSentence(plan)).toBe(
      "Planned round. 16 must join within 30 s, 24 are wanted; of 24 who agree on keys, 17 must send by 150 s.",
    );
    expect(plannedRound({ ...proposedRules("in-earnest"), goal: "many" })).toBeNull();
    expect(plannedRound({ ...proposedRules("in-earnest"), cohortSizeMin: "30" })).toBeNull();
  });

  test("a large round is planned by its groups", () => {
    const plan = plannedRound({ ...proposedRules("in-earnest"), goal: "960", overSelection: "1" });
    expect(plan?.groups).toBe(10);
    expect(plan?.goal).toBe(96);
  });

  test("groups that are not full are planned with what each has", () => {
    const plan = plannedRound({
      ...proposedRules("in-earnest"),
      ...{ goal: "500", overSelection: "1", cohortSizeMin: "64" },
    });
    // 500 in groups of at most 96 are six groups of 84.
    expect(plan).toMatchObject({ groups: 6, invited: 84, goal: 84 });
    const graph = { kind: "shards", size: 96, count: 6 } as const;
    expect(plan?.needed).toBe(thresholds(84, "active", 64, graph).q);
  });
});

test("what is missing is named, up to seven, each a link", () => {
  const draft = (TEMPLATE_DRAFTS[0] as (typeof TEMPLATE_DRAFTS)[0]).create();
  const { problems } = taskOfDraft(draft);
  const words = dockWords(draft, problems);
  expect(words.start).toBe("Five things are missing:");
  expect(words.links.map(({ words: name }) => name)).toContain("what the model is not for");
  expect(workshopLead(draft, problems.slice(0, 1), 1)).toBe(
    "A draft without a sample. One thing is missing before you can publish: what the model is for.",
  );
  expect(dockWords(draft, []).start).toBe("Nothing is missing.");
});

test("columns are spoken of by what they hold", () => {
  const profiler = new TableProfiler(["ref", "admission", "hba1c"]);
  for (let index = 0; index < 400; index++) {
    const admission = index < 3 ? "transfer" : index % 2 === 0 ? "planned" : "emergency";
    profiler.add([`P${100_000 + index}`, admission, index % 5 === 0 ? "" : String(5 + (index % 40) / 10)]);
  }
  const { columns } = profiler.profile();
  const [ref, admission, hba1c] = proposeColumns(profiler.profile());
  const profileOf = (name: string) => columns.find((column) => column.name === name) ?? null;
  expect(leftOutWords("person-numbers", profileOf("ref"))).toBe(
    "400 values in 400 rows: it looks like a number given to each person.",
  );
  expect(ref?.leftOutBecause).toBe("person-numbers");
  expect(admission && foldedWords("admission", admission.fields, profileOf("admission"))).toBe(
    "In admission, “transfer” has only 3 rows and could point to someone, so it is folded into “other”.",
  );
  const note = hba1c && rangeNote({ ...hba1c.fields, use: "input", missing: "middle" }, profileOf("hba1c"));
  expect(note).toContain("Half of the known values are below");
  expect(note).toContain("stands for 80 missing values");
  // Half of the values are below 1,000 of a million: the range's middle is close to its end on the logarithm.
  const stay = new TableProfiler(["stay"]);
  for (let index = 0; index < 99; index++)
    stay.add([index % 9 === 0 ? "" : String(index % 2 === 0 ? 900 : 1_100)]);
  const [profile = null] = stay.profile().columns;
  const scaled = { ...EMPTY_FIELDS, from: "0", to: "1000000", missing: "middle", scaling: "log1p" } as const;
  expect(rangeNote(scaled, profile)).toContain(
    "it lies at 0.95 of the range, and half of the values below 0.5",
  );
  expect(rangeNote({ ...scaled, scaling: "range" }, profile)).toContain("would put the middle near");
});

test("pictures are said to be looked at as far as they were", () => {
  const classes = [
    { name: "owl", count: 40_000 },
    { name: "robin", count: 20_000 },
  ];
  const pictures = { classes, withoutClass: 0, otherFiles: 0, sizes: [], withColour: 0, lookedAt: 200 };
  const view = { state: "read", notes: [], byteCount: 1, readByteCount: 1, elapsedMs: 1_200, pictures };
  expect(sampleNote(view as never)).toBe(
    "Size and colours follow from 200 of 60,000 pictures, looked at in 1.2\u00a0s.",
  );
  expect(sampleNote({ ...view, pictures: { ...pictures, lookedAt: 60_000 } } as never)).toContain(
    "follow from 60,000 pictures",
  );
  expect(sampleNote({ ...view, state: "reading", readByteCount: 0 } as never)).not.toContain("Ranges");
  expect(sampleNote({ ...view, pictures: null } as never)).toContain(
    "Ranges are final: the whole sample was read",
  );
});

test("[K2] rare classes and spellings of one word are said, and classes that were kept are warned of", () => {
  const profiler = new TableProfiler(["age", "back"]);
  for (let index = 0; index < 100; index++) {
    const back = index === 7 ? "hit by tram" : index % 10 === 0 ? "YES" : index % 3 === 0 ? "yes" : "no";
    profiler.add([String(index % 30), back]);
  }
  const profile = profiler.profile();
  const [, column] = profile.columns;
  const [, proposed] = proposeColumns(profile);
  if (column === undefined || proposed === undefined) throw new Error("two columns");
  expect(foldedWords("back", proposed.fields, column)).toBe(
    "In back, “hit by tram” has only 1 row and could point to someone, so rows that say so are left out.",
  );
  expect(spelledWords("back", proposed.fields, column)).toBe(
    "In back, “YES” is read as “yes”, as devices read them.",
  );
  expect(rareAndPublic(proposed.fields, column)).toEqual([]);
  const kept = { ...proposed.fields, categories: ["no", "yes", "hit by tram"] };
  expect(rareAndPublic(kept, column)).toEqual(["hit by tram"]);
  expect(leftOutWords("many-values", column)).toContain("More than 50 are not proposed; up to 256");
});

test("rules are said with their numbers", () => {
  expect(invitedSentence({ goal: "24", overSelection: "1.3" })).toBe(
    "32 are invited to have 24, since some leave on the way.",
  );
  const rows = new Map([
    ["no", 600],
    ["yes", 100],
  ]);
  expect(weightSentence("yes", rows)).toBe(
    "One row in 7 is “yes”. At 6, it counts as much as the most frequent class.",
  );
  expect(weightSentence("no", rows)).toMatch(/no more weight than 1/);
});

test("[K8] a trial is said in cases, beside guessing, or is too close to tell", () => {
  const task = bundledTask("hmda", 8, 1);
  const point = (confusion: number[][]) => ({
    pass: 1,
    trainLoss: 0.6,
    kept: { count: 240, lossSum: 150, correct: 180 },
    confusion,
    updateNormL2: 1,
  });
  const view = {
    ...{
      state: "done",
      problem: null,
      backend: "cpu",
      trainCount: 960,
      keptCount: 240,
      keptByClass: [206, 34],
    },
    ...{ passes: 1, stepsDone: 1, stepCount: 1, msLeft: 0, before: null },
  } as const;
  const found = [
    [146, 60],
    [12, 22],
  ];
  expect(trialSentence({ ...view, points: [point(found)] } as never, task)).toBe(
    "It finds 22 of the 34 applications that are “yes”, and wrongly says so of 60 of the 206 that are not. That is better than guessing.",
  );
  const guessed = [
    [103, 103],
    [17, 17],
  ];
  expect(trialSentence({ ...view, points: [point(guessed)] } as never, task)).toContain(
    "too close to tell from guessing",
  );
});

test("[K8] a trial that is judged on two rows cannot be told from guessing", () => {
  const two = balanced([
    [1, 0],
    [0, 1],
  ]);
  // Wilson's half width for 1 of 1 is 1.96 / (1 + 1.96^2) * sqrt(1.96^2 / 4) = 0.397, and of two over the root of 2: 0.280.
  expect(two?.value).toBe(1);
  expect(two?.halfWidth).toBeCloseTo(0.2805, 3);
  const four = balanced([
    [2, 0],
    [1, 1],
  ]);
  expect((four?.value ?? 0) - (four?.halfWidth ?? 0)).toBeLessThan(0.5);
});

test("[K8] figures of a trial are old once the model, the training or the numbers are others", () => {
  const task = bundledTask("hmda", 8, 1);
  const { features } = task;
  if (features.kind !== "tabular") throw new Error("a table");
  const [first, ...others] = features.columns;
  if (first === undefined) throw new Error("a column");
  const key = triedKey(task);
  const words = { ...features, columns: [{ ...first, title: "Another", protected: true }, ...others] };
  expect(triedKey({ ...task, purpose: "Another.", features: words })).toBe(key);
  expect(triedKey({ ...task, aggregation: { ...task.aggregation, goal: 9 } })).toBe(key);
  for (const other of [
    { ...task, training: { ...task.training, epochs: 9 } },
    { ...task, model: { ...task.model, layers: task.model.layers.slice(1) } },
    { ...task, features: { ...features, columns: others } },
    { ...task, features: { ...features, columns: [{ ...first, input: !first.input }, ...others] } },
    { ...task, features: { ...features, classes: ["yes", "no"] } },
  ]) {
    expect(triedKey(other)).not.toBe(key);
  }
});

test("[K8] the trial of a number is drawn and said in the label's unit, beside always saying the mean", () => {
  const task = bundledTask("cps1998", 12, 1);
  const { range, unit } = task.features.kind === "tabular" ? task.features.label : {};
  if (range === undefined || unit === undefined) throw new Error("the label is a number with a unit");
  const [from, to] = range;
  // 400 rows whose answers are off by 2, 1, 3 and 2 units, by hand.
  const rows = Array.from({ length: 100 }, () => [
    [10, 12],
    [20, 19],
    [30, 33],
    [40, 38],
  ]).flat() as [number, number][];
  const sums = { count: 400, lossSum: 1, errorSum: 0, errorSquareSum: 0, labelSum: 0, labelSquareSum: 0 };
  for (const [label, answer] of rows) {
    const [error, y] = [Math.abs(answer - label) / (to - from), (2 * (label - from)) / (to - from) - 1];
    sums.errorSum += error;
    sums.errorSquareSum += error ** 2;
    sums.labelSum += y;
    sums.labelSquareSum += y ** 2;
  }
  const point = { pass: 1, trainLoss: 0.6, kept: sums, confusion: null, updateNormL2: 1 };
  const view = { keptCount: 400, passes: 40, points: [point], problem: null, keptDeviation: 10 } as never;
  const chart = trialChart(view, task);
  expect(chart.series[0]?.points[0]?.y).toBeCloseTo(2, 6);
  expect(chart.references).toEqual([{ y: 10, label: "10.00 the mean" }]);
  expect(chart.yTitle).toBe(unit);
  // Errors of 1, 2, 2 and 3 have a deviation of 0.708 over 400 rows: 1.96 of it over the root is 0.07.
  expect(trialSentence(view, task)).toBe(
    `For 400 people that it did not see it is off by 2.00 ± 0.07\u00a0${unit} on average; always saying their mean is off by 10.00 ${unit}. That is better than guessing.`,
  );
});

test("[K9] what a model is for and not for is said before someone agrees", () => {
  const purpose = "To call those first who are likely to come back.";
  const aims = {
    purpose,
    intendedUse: "Choosing whom to call.",
    notFor: "Payment.",
    contact: "asks@clinics.example",
  };
  const task = { ...bundledTask("digits", 8, 1), ...aims, stage: "trying-out" as const };
  const words = consentWords(taskSlice(task, "0".repeat(64), task.invitation), null);
  expect(words.warnings.slice(0, 5)).toEqual([
    `Purpose: ${purpose}`,
    "Intended use: Choosing whom to call.",
    "Not for: Payment.",
    "This is for trying out. Its model is not meant to be used.",
    "Questions go to asks@clinics.example",
  ]);
});

test("[K9] why a column is asked for is said in the task's own words, and no reason that it does not give", () => {
  const hmda = bundledTask("hmda", 8, 1);
  if (hmda.features.kind !== "tabular") throw new Error("hmda is a table");
  const age = {
    type: "numeric" as const,
    range: [0, 100] as [number, number],
    protected: false,
    input: true,
  };
  const features = {
    ...hmda.features,
    columns: [
      { ...age, name: "age" },
      { ...age, name: "site", title: "Site", input: false },
      { ...age, name: "sex", title: "Sex", protected: true, input: false, why: "Because the law asks us to" },
      { ...age, name: "origin", protected: true, why: "To compare origins." },
    ],
  };
  expect(askedForSentence({ ...hmda, features })).toBe(
    "a CSV with age, origin, deny, Site and Sex. Site and Sex are not used to learn. Why Sex is asked for: Because the law asks us to. Why origin is asked for: To compare origins.",
  );
  const unsaid = { ...features, columns: features.columns.slice(0, 2) };
  expect(askedForSentence({ ...hmda, features: unsaid })).toBe(
    "a CSV with age, deny and Site. Site is not used to learn.",
  );
  const [, asked] = cardOf({ ...hmda, features });
  expect(asked.filter(({ term }) => /^(?:Asked|Protected)/.test(term))).toEqual([
    { term: "Asked for", text: "age, Site (not learnt from), Sex (not learnt from), origin" },
    { term: "Protected: Sex", text: "never an input; Because the law asks us to" },
    { term: "Protected: origin", text: "also an input; To compare origins." },
  ]);
  expect(cardOf({ ...hmda, features: unsaid })[1]).toContainEqual({ term: "Protected", text: "nothing" });
});
