import { describe, expect, test } from "vitest";
import { bundledTask } from "#coordinator/data/tasks.ts";
import type { GraphPlan } from "#shared/cohort/graph-plan.ts";
import { thresholds } from "#shared/cohort/threshold.ts";
import type { Task } from "#shared/task/task.ts";
import {
  type CohortFacts,
  cohortFacts,
  cohortRange,
  cohortSentence,
  learntLists,
  learntSentence,
  notProtected,
  pictureLabel,
  refusals,
  tableSizes,
  usualSize,
} from "#web/words/learnt.ts";

const task = bundledTask("digits", 8, 3);
const { cohortSizeMin } = task.aggregation;

describe("what follows from the size of a round", () => {
  test("equals what the device itself computes, at every size that the task allows", () => {
    const { from, to } = cohortRange(task);
    for (let size = from; size <= to; size++) {
      const { t, c, q } = thresholds(size, task.aggregation.securityModel, cohortSizeMin);
      expect(cohortFacts(task, size)).toEqual({
        rosterSize: size,
        whole: "round",
        sparse: null,
        confirming: t,
        colluding: c,
        honestInSum: t - c,
        mayLeave: size - q,
      });
    }
    expect(cohortFacts(task, from - 1)).toBeNull();
  });
  test("a round of 20: 14 confirm, 6 may work with the coordinator, 8 honest lists in whatever opens", () => {
    const facts = cohortFacts({ ...task, aggregation: { ...task.aggregation, cohortSizeMax: 100 } }, 20);
    expect(facts).toMatchObject({ confirming: 14, colluding: 6, honestInSum: 8 });
  });
  test("there are at least two honest devices, whatever the size: one alone would be a list, not a sum", () => {
    for (let size = 3; size <= 128; size++) {
      const facts = cohortFacts(task, size);
      if (facts !== null) expect(facts.honestInSum).toBeGreaterThanOrEqual(2);
    }
  });
  test("the table has each size once, from the smallest round to the largest", () => {
    const sizes = tableSizes(task);
    const { from, to } = cohortRange(task);
    expect(sizes.at(0)).toBe(from);
    expect(sizes.at(-1)).toBe(to);
    expect(sizes).toEqual([...new Set(sizes)].toSorted((a, b) => a - b));
  });
});

describe("larger rounds", () => {
  const withGraph = (graph: GraphPlan, change = {}) =>
    ({ ...task, aggregation: { ...task.aggregation, goal: 1_000, graph, ...change } }) as Task;
  test("that chance splits into groups: the numbers apply to a group, and the page says so", () => {
    const grouped = withGraph({ kind: "shards", size: 96 }, { cohortSizeMax: 128, overSelection: 1 });
    expect(cohortFacts(grouped, 96)).toMatchObject({ whole: "group", confirming: 67, colluding: 37 });
    expect(learntSentence(grouped)).toContain("one sum of each group");
    expect(cohortSentence(cohortFacts(grouped, 96) as CohortFacts)).toMatch(/^In a group of 96, 67 devices/);
    expect(notProtected(grouped, "public")[0]).toMatchObject({ title: "Who is in your group" });
    expect(notProtected(grouped, "public")[0]?.words).toContain("at most 10");
    expect(usualSize(grouped)).toBe(96);
  });
  test("over a sparse graph: neighbours hold the pieces, and all lists are in what opens", () => {
    const graph = { kind: "k-regular", corruptShare: 0.05, dropoutShare: 0.05 } as const;
    const sparse = withGraph(graph, { securityModel: "honest-but-curious", cohortSizeMax: 1_000 });
    expect(cohortFacts(sparse, 1_000)).toMatchObject({
      sparse: { neighbours: 34 },
      confirming: 18,
      honestInSum: null,
      mayLeave: 50,
    });
    expect(pictureLabel(cohortFacts(sparse, 1_000) as CohortFacts)).toMatch(/^35 devices/);
    expect(cohortSentence(cohortFacts(sparse, 1_000) as CohortFacts)).toContain("34 others hold pieces");
  });
});

describe("the words", () => {
  test("no, one and several colluding devices each have their own wording", () => {
    const facts = {
      rosterSize: 8,
      whole: "round",
      sparse: null,
      confirming: 6,
      colluding: 0,
      honestInSum: 6,
      mayLeave: 2,
    } as const;
    expect(cohortSentence(facts)).toContain("If none of the others works with the coordinator,");
    expect(cohortSentence({ ...facts, colluding: 1 })).toContain("Even if one of the others works");
    expect(cohortSentence({ ...facts, colluding: 2 })).toContain("Even if two of the others work");
    expect(pictureLabel(facts)).toBe(
      "8 devices, one of them yours; 6 must confirm, 0 may work with the coordinator.",
    );
  });
  test("the first sentence names the smallest sum of the task", () => {
    expect(learntSentence(task)).toContain(`at least ${cohortSizeMin} lists`);
  });
  test("the lists speak of the task's own examples", () => {
    expect(learntLists(task).cannot.join()).toContain(task.exampleNoun.many);
  });
  test("each refusal has its own code", () => {
    const codes = refusals(task).map(({ code }) => code);
    expect(new Set(codes).size).toBe(codes.length);
  });
  test("who could make up devices depends on who may join", () => {
    const words = (joining: "public" | "invitation") =>
      notProtected(task, joining).find(({ title }) => title === "Made-up devices")?.words;
    expect(words("public")).toContain("lets anyone join");
    expect(words("invitation")).not.toContain("anyone");
    expect(words("invitation")).toContain("joins this task with a token");
  });
  test("made-up devices come first among the limits; a task that assumes an honest coordinator says so before them", () => {
    expect(notProtected(task, "public")[0]?.title).toBe("Made-up devices");
    const curious = {
      ...task,
      aggregation: { ...task.aggregation, securityModel: "honest-but-curious" as const },
    };
    expect(notProtected(curious, "public").map(({ title }) => title)).toEqual([
      "A coordinator that breaks the rules",
      ...notProtected(task, "public").map(({ title }) => title),
    ]);
  });
});
