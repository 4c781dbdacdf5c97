import { expect, test } from "vitest";
import type { RunView } from "#shared/protocol/api.ts";
import { runViewOf, taskViewOf } from "#test/kit/web-views.ts";
import { beginningsOf, formFor, launchOf } from "#web/features/home/launch.ts";
import { beginningWords, costSentence, launchNote, nextNumber, planWords } from "#web/words/launch.ts";
import { modelNote } from "#web/words/model.ts";
import { NO_NOISE } from "#web/words/sentences.ts";

const NBSP = "\u00a0";

test("the cost of a run says what was measured, what was computed, and what is missing", () => {
  const cost = {
    upByteCount: 9_764,
    downByteCount: 9_960,
    measured: true,
    secondsPerRound: 10,
    seconds: 300,
  };
  expect(costSentence(cost, 30)).toBe(
    `A device sends 9.8${NBSP}kB a round and fetches 10.0${NBSP}kB. 30 rounds take about 5${NBSP}min, at the pace of the newest run. ${NO_NOISE}`,
  );
  expect(costSentence({ ...cost, measured: false }, 30)).toContain("keys on top");
  expect(costSentence({ ...cost, secondsPerRound: null, seconds: null }, 30)).toContain(
    "No round of this task has been timed.",
  );
  // Not a number of rounds: nothing is said of time.
  expect(costSentence({ ...cost, seconds: null }, Number.NaN)).not.toMatch(/take|NaN/);
});

test("[X91] the next run's number is said before a launch only if the task's newest run is known", () => {
  const runs = [
    { task: "hmda", number: 10 },
    { task: "digits", number: 3 },
    { task: "hmda", number: 9 },
  ] as RunView[];
  expect(nextNumber("hmda", runs, true)).toBe(11);
  expect(nextNumber("emoji", runs, false)).toBe(1);
  expect(nextNumber("emoji", runs, true)).toBe("…");
});

test("a launch says whether it would wait: for its turn, for devices, or not", () => {
  const view = taskViewOf({ deviceCount: 3 });
  expect(launchNote(view, { number: 8, task: view.task.slug, state: "waiting" })).toBe(
    "Run 8 of digits waits for devices; this one would wait its turn.",
  );
  expect(launchNote(view, null)).toBe(
    "3 devices of digits are connected, and a round needs 5. The run waits until they have come.",
  );
  expect(launchNote(taskViewOf({ deviceCount: 8 }), null)).toContain("The first round opens as soon as");
});

test("the closed line of the plan says what is in it", () => {
  const plan = { strategy: "fedavg", epochs: "5", learningRate: "0.2" } as const;
  expect(planWords(plan)).toBe("The rest of the plan: FedAvg, 5 passes, rate 0.2");
  expect(planWords({ ...plan, epochs: "1" })).toContain("1 pass,");
});

test("the model that is used is named by its version if that is known", () => {
  expect(modelNote({ round: 9 }, { kind: "image" })).toMatch(
    /^The model of round 9, in this browser.* What you draw here/,
  );
  expect(modelNote({ round: null }, { kind: "tabular" })).toMatch(
    /^The newest model of the run,.* enter here/,
  );
});

test("[R51] a run can begin with the model in use, or with the newest of a run of the same task", () => {
  const runId = runViewOf().runId;
  const inUse = { version: 15, taskVersion: 1, runId, runNumber: 6, round: 15, modelHash: "ab".repeat(32) };
  const view = taskViewOf({ inUse: { ...inUse, measures: null, alias: "champion" } });
  const of = (number: number, candidate: number | null, task = "digits") =>
    runViewOf({ number, candidate, task });
  const runs = [of(8, null), of(7, 18), of(6, 15), of(5, 9, "hmda"), of(4, 7)];
  const beginnings = beginningsOf(view, runs);
  expect(beginnings.map(beginningWords)).toEqual([
    "version 15, run 6, in use",
    "version 18, run 7",
    "version 7, run 4",
  ]);
  expect(beginningsOf(taskViewOf(), [of(8, null), runViewOf({ number: 1 })])).toEqual([]);
  expect(launchOf({ ...formFor(view), beginWith: "18" }, view, 0)).toMatchObject({
    value: { task: "digits", beginWith: 18 },
  });
});
