import { describe, expect, test } from "vitest";
import { phaseSchema } from "#shared/protocol/api.ts";
import { roundIdSchema } from "#shared/protocol/ids.ts";
import { roundViewOf, runViewOf, taskViewOf } from "#test/kit/web-views.ts";
import {
  actionsNote,
  askedLastSentence,
  broughtBy,
  EMPTY_RUNS,
  fewWarning,
  homeSentence,
  mergeEvents,
  newestAgainstBefore,
  noticeLine,
  roundLine,
  runSentence,
  runStatus,
  scoreSentence,
  trendSentence,
} from "#web/words/sentences.ts";

const NBSP = "\u00a0";
const DRAWINGS = { one: "drawing", many: "drawings" };
const collecting = (sent: number) =>
  roundViewOf({ phase: "collecting", opened: false, endedAt: null, survivors: null, sent, measures: null });

describe("the first page", () => {
  test("says so when there are no runs", () => {
    expect(homeSentence([], 2)).toBe(EMPTY_RUNS);
    expect(homeSentence([], 0)).toMatch(/^No runs yet, and no task to run\./);
  });
  test("counts active, waiting, paused and queued runs", () => {
    const going = runViewOf({ currentRound: collecting(5) });
    const waiting = runViewOf({ state: "waiting", roundsCommitted: 0 });
    const paused = runViewOf({ state: "paused" });
    expect(homeSentence([going, going, paused])).toBe("Two runs are active, one is paused.");
    expect(homeSentence([going, waiting])).toBe("One run is active, one waits for devices.");
    expect(homeSentence([waiting])).toBe("One run waits for devices.");
    expect(homeSentence([paused, paused])).toBe("Two runs are paused.");
    expect(homeSentence([runViewOf({ state: "queued" })])).toBe("One run is queued.");
  });
  test("names the run that ended last if no run is active", () => {
    const done = (number: number, endedAt: string) =>
      runViewOf({ state: "completed", number, endedAt, roundsCommitted: 15 });
    const runs = [
      done(1, "2026-07-08T10:00:00Z"),
      done(2, "2026-07-08T12:00:00Z"),
      done(3, "2026-07-08T11:00:00Z"),
    ];
    expect(homeSentence(runs)).toBe("No run is active. Digits, run 2 finished at 0.681 ± 0.008.");
  });
});

describe("a run", () => {
  test("counts down to the threshold and never says opened before it is", () => {
    const say = (sent: number) => runSentence(runViewOf({ currentRound: collecting(sent) }), DRAWINGS);
    expect(say(3)).toBe(
      "Round 3 is collecting. 3 masked updates are in. Three more are needed to open the sum.",
    );
    expect(say(1)).toContain("1 masked update is in.");
    expect(say(6)).toBe(
      "Round 3 is collecting. 6 masked updates are in. That is enough to open the sum. Nothing has been opened yet.",
    );
  });
  test("after an opened round gives the accuracy, its data and its uncertainty", () => {
    const run = runViewOf({ currentRound: roundViewOf() });
    expect(runSentence(run, DRAWINGS)).toBe(
      `Round 3 is done. 7 voices, one sum: the model of round 3 is right for 68.1${NBSP}% of drawings it has never seen, ± 0.8${NBSP}points.`,
    );
  });
  test("that was stopped is not called finished", () => {
    const stopped = runViewOf({ state: "completed", code: "ABORTED_BY_OPERATOR" });
    expect(runSentence(stopped, DRAWINGS)).toMatch(/^Stopped, 3 of 15 rounds committed\./);
  });
  test("between two rounds does not claim that there was none", () => {
    expect(roundLine(runViewOf())).toBe("3 of 15 rounds committed; the next one opens.");
    expect(homeSentence([runViewOf()])).toBe("One run is active.");
    expect(roundLine(runViewOf({ roundsCommitted: 0 }))).toBe("The first round has not begun.");
    expect(roundLine(runViewOf({ roundsCommitted: 0, newestRound: 2 }))).toBe(
      "0 of 15 rounds committed; the next one opens.",
    );
  });
  test("has a status with what was requested before it takes effect", () => {
    expect(runStatus(runViewOf({ pausing: true }))).toBe(
      "running, 3 of 15 rounds committed, pauses after this round",
    );
    expect(runStatus(runViewOf({ secondsLeft: 2_280 }))).toBe(
      `running, 3 of 15 rounds committed, about 38${NBSP}min left`,
    );
    expect(runStatus(runViewOf({ secondsLeft: null }))).toBe("running, 3 of 15 rounds committed");
  });
  test("that waits for a file, a disk or a database says so in lists, in one sentence", () => {
    const noticed = (message: string) => noticeLine(runViewOf({ notice: { code: "FILE_LOST", message } }));
    expect(noticed("The stored file ab is gone. Restore it as blobs/ab/ab in the data folder.")).toBe(
      "The stored file ab is gone.",
    );
    expect(noticed("Version 1.5 is missing. Make room.")).toBe("Version 1.5 is missing.");
    expect(noticed("One sentence.")).toBe("One sentence.");
    expect(noticed("no full stop")).toBe("no full stop");
    expect([noticeLine(runViewOf({ notice: null })), noticeLine(runViewOf())]).toEqual([null, null]);
  });

  test("says why a button is off", () => {
    for (const state of ["queued", "evaluating"]) {
      expect(actionsNote(runViewOf({ state }))).toMatch(/so there is nothing to pause\. Stopping it /);
    }
    expect(actionsNote(runViewOf({ state: "stopping" }))).toBe("The run stops as soon as its round allows.");
    for (const state of ["running", "waiting", "paused"]) {
      expect(actionsNote(runViewOf({ state }))).toBeNull();
    }
  });

  test("has a line for every phase, and claims a sum only if it is opened", () => {
    for (const phase of phaseSchema.options) {
      const opened = phase === "committed";
      const line = roundLine(
        runViewOf({ currentRound: roundViewOf({ phase, opened, code: "U3_BELOW_T", threshold: null }) }),
      );
      expect(line, phase).toMatch(/\.$/);
      expect(/voices, one sum/.test(line), phase).toBe(opened);
    }
  });
});

test("two versions are compared only as far as their intervals allow", () => {
  const loss = { value: 1, halfWidth95: 0.1, count: 100 };
  const entry = (round: number, value: number) => ({
    round,
    measures: { accuracy: { value, halfWidth95: 0.02, count: 100 }, loss },
  });
  const against = (...history: unknown[]) => newestAgainstBefore(runViewOf({ history }));
  expect(against(entry(0, 0.1))).toBeNull();
  expect(against(entry(0, 0.1), entry(1, 0.5))).toBe(
    "the model of round 1 is better than the untrained model",
  );
  expect(against(entry(1, 0.5), entry(2, 0.53))).toBe(
    "the model of round 2 and that of round 1: too close to tell",
  );
  expect(against(entry(2, 0.53), entry(3, 0.4))).toBe("the model of round 3 is worse than that of round 2");
  const on = (measuredOn: string, round: number) => ({
    ...entry(round, 0.5),
    measuredOn: measuredOn.repeat(64),
  });
  expect(against(on("a", 2), on("b", 3))).toBeNull();
});

test("the sentence of a score has every count that the picture shows", () => {
  expect(scoreSentence(roundViewOf())).toBe(
    "Round 3 after 12 seconds: 8 devices joined, 7 trained, 7 sent a masked update, 1 left; the sum of 7 was opened.",
  );
  expect(scoreSentence(collecting(3))).toContain("; 6 are needed to open the sum.");
});

test("a trend gives its start and end, and does not call a standstill a rise", () => {
  const measure = (value: number) => ({ value, halfWidth95: 0.008 });
  expect(trendSentence("Accuracy", [measure(0.507), measure(0.6), measure(0.679)])).toBe(
    "Accuracy rose from 0.507 to 0.679 plus or minus 0.008 over 2 rounds.",
  );
  expect(trendSentence("Loss", [measure(0.7), measure(0.6)])).toContain("fell");
  expect(trendSentence("Loss", [measure(0.7), measure(0.7001)])).toContain("stayed at 0.700");
  expect(trendSentence("Loss", [])).toBe("Loss: no figures.");
});

test("[R30] devices that are asked last are counted, with the reason; without any there is no sentence", () => {
  expect(askedLastSentence(null)).toBeNull();
  expect(askedLastSentence(roundViewOf({}))).toBeNull();
  const askedLast = { devices: 3, departures: 3, minutes: 10 };
  expect(askedLastSentence({ askedLast })).toContain("left at least 3 rounds in the last 10 minutes");
  expect(askedLastSentence({ askedLast })).toMatch(/^3 devices are asked last: /);
});

test("a demo of fewer than ten devices warns, ten do not", () => {
  expect(fewWarning(8)).toBe("8 devices: too few to hide anyone, for trying out only.");
  expect(fewWarning(10)).toBeNull();
});

test("what people bring: pictures with their size, tables with their number of columns, the label included", () => {
  expect(broughtBy(taskViewOf().task)).toBe("drawings, 8 × 8");
});

test("events are newest first and without duplicates, even from two rounds", () => {
  const event = (sequence: number, round: string | null = null, second = 0) => ({
    sequence,
    at: `2026-07-08T10:00:0${second}Z`,
    roundId: round === null ? null : roundIdSchema.parse(round.repeat(32)),
    kind: "k",
    sentence: "s",
    details: {},
  });
  expect(mergeEvents([event(2), event(1)], [event(3), event(2)]).map(({ sequence }) => sequence)).toEqual([
    3, 2, 1,
  ]);
  const merged = mergeEvents([event(9, "a", 1), event(4, null, 1)], [event(9, "b", 3), event(10, "b", 2)]);
  expect(merged.map(({ roundId, sequence }) => `${roundId?.[0] ?? "run"}${sequence}`)).toEqual([
    "b9",
    "b10",
    "a9",
    "run4",
  ]);
});
