import { describe, expect, test } from "vitest";
import { roundViewOf, runViewOf } from "#test/kit/web-views.ts";
import { endingOf } from "#web/words/endings.ts";
import { curveOf, newestFigures } from "#web/words/run-curve.ts";
import { homeSentence, roundLine, runSentence, runStatus } from "#web/words/sentences.ts";
import {
  evaluatingSentence,
  missingFigures,
  noFigureWords,
  queueSentence,
  roundModel,
  roundModelTitle,
  waitingFacts,
  waitingNote,
  waitingPlaces,
  waitingSentence,
} from "#web/words/waiting.ts";

const DRAWINGS = { one: "drawing", many: "drawings" };
const since = "2026-07-08T13:46:00.000Z";
const waits = (ready: number, needed = 16, change = {}) =>
  runViewOf({ state: "waiting", roundsPlanned: 40, waiting: { since, ready, needed }, ...change });

describe("[R25] a run that waits", () => {
  test("says how many are here and how many a round needs", () => {
    expect(waitingSentence(waits(12))).toBe("Waiting for devices: 12 are here, a round needs 16.");
    expect(waitingSentence(waits(1))).toBe("Waiting for devices: 1 is here, a round needs 16.");
    expect(waitingSentence(waits(0))).toBe("Waiting for devices: none is here, a round needs 16.");
    expect(runSentence(waits(12), DRAWINGS)).toBe(waitingSentence(waits(12)));
    expect(roundLine(waits(12))).toBe(waitingSentence(waits(12)));
    expect(runStatus(waits(12))).toBe("waiting for devices");
  });
  test("says what opens the next round, and that no device is asked for anything until then", () => {
    expect(waitingNote(waits(12))).toBe(
      "The next round opens as soon as four more are ready. Until then no device is asked for anything.",
    );
    expect(waitingNote(waits(15))).toContain("as soon as one more is ready.");
  });
  test("says that the next round opens now only if nothing holds it up", () => {
    const notice = { code: "STORAGE_FULL", message: "The coordinator's disk is full. Make room." };
    expect(waitingNote(waits(16))).toBe("The next round opens now.");
    expect(waitingNote(waits(16, 16, { notice }))).toBe(
      "The next round opens as soon as nothing holds it up. Until then no device is asked for anything.",
    );
    expect(waitingNote(waits(15, 16, { notice }))).toContain(
      "as soon as one more is ready and nothing holds it up.",
    );
  });
  test("says since when, how much of the plan is done, and until when", () => {
    const now = Date.parse("2026-07-08T14:00:00.000Z");
    expect(waitingFacts(waits(12), now)).toEqual([
      "since today, 13:46 UTC",
      "3 of 40 rounds committed",
      "waits as long as it takes",
    ]);
    const until = waits(12, 16, { waitUntil: "2026-07-08T18:00:00.000Z" });
    expect(waitingFacts(until, now)[2]).toBe("waits until today, 18:00 UTC");
    expect(endingOf(runViewOf({ state: "failed", code: "WAIT_EXPIRED" })).words).toBe("too few came in time");
  });
  test("has a place for each device that is here and for each that is missing", () => {
    expect(waitingPlaces(waits(12))).toMatchObject({ phase: "recruiting", joined: 12, goal: 16 });
  });
});

describe("[R20] a run in the queue", () => {
  test("says behind which run, and what that run is doing", () => {
    const behind = (state: string) =>
      queueSentence(
        runViewOf({ state: "queued", queuedBehind: { runId: "0".repeat(32), number: 3, state } }),
      );
    expect(behind("waiting")).toBe("Queued behind run 3, which waits for devices.");
    expect(behind("running")).toBe("Queued behind run 3, which is running.");
    expect(queueSentence(runViewOf({ state: "queued" }))).toBe("Queued: one run of a task at a time.");
  });
});

describe("[E3] pending figures", () => {
  test("are waited for at the end, and the run says so", () => {
    const run = runViewOf({ state: "evaluating", roundsCommitted: 15, evaluating: 17 });
    expect(evaluatingSentence(run)).toBe("All 15 rounds are done. The model of round 17 is being evaluated.");
    expect(runSentence(run, DRAWINGS)).toMatch(
      /^All 15 rounds are done\. The model of round 17 is being evaluated\./,
    );
    const cut = runViewOf({ state: "evaluating", evaluating: 4 });
    expect(evaluatingSentence(cut)).toBe(
      "The rounds are over, 3 of 15 rounds committed. The model of round 4 is being evaluated.",
    );
    expect(evaluatingSentence({ ...run, roundsPlanned: 1, roundsCommitted: 1 })).toMatch(
      /^Its only round is done\./,
    );
    expect(runStatus(run)).toBe("evaluating");
    expect(homeSentence([run])).toBe("One run is active.");
  });
  test("delay the next round, and the run says that too", () => {
    expect(roundLine(runViewOf({ evaluating: 2 }))).toBe(
      "3 of 15 rounds committed; the next one opens when the model of round 2 has been evaluated.",
    );
    expect(roundLine(runViewOf({ roundsCommitted: 0, evaluating: 0 }))).toBe(
      "The untrained model is being evaluated; then the first round opens.",
    );
  });
  test("of only the newest model delay nothing, and nothing says that they do", () => {
    for (const evaluating of [3, 4])
      expect(roundLine(runViewOf({ evaluating }))).toBe(
        `3 of 15 rounds committed; the model of round ${evaluating} is being evaluated.`,
      );
  });
  test("that never came are not replaced by another model's", () => {
    expect(missingFigures(roundViewOf({ notEvaluated: "ABORTED_BY_OPERATOR" }))).toBe("not evaluated");
    expect(missingFigures(roundViewOf())).toBe("being evaluated");
    const [initial] = runViewOf().history;
    expect(newestFigures(runViewOf({ history: [initial] }))).toBeNull();
    expect(newestFigures(runViewOf())?.round).toBe(3);
    expect(noFigureWords(runViewOf())).toBe("no figures yet");
    expect(noFigureWords(runViewOf({ roundsCommitted: 0 }))).toBe("no round committed yet");
  });
});

describe("[E20] a run's figures", () => {
  const [initial, newest] = runViewOf().history;

  test("are those on held-out rows, and only of the newest set", () => {
    const set = (measuredOn: string, round: number) => ({
      ...newest,
      round,
      measuredOn: measuredOn.repeat(64),
    });
    const run = runViewOf({ history: [set("a", 1), set("a", 2), set("b", 3)], deviceHistory: [initial] });
    expect(curveOf(run)).toMatchObject({ points: [{ round: 3 }], on: "held out" });
  });
  test("are those on devices if devices alone judge its models, and say so", () => {
    const run = runViewOf({ history: [], deviceHistory: [initial, newest] });
    expect(curveOf(run)).toMatchObject({ points: [{ round: 0 }, { round: 3 }], on: "on devices" });
    expect(newestFigures(run)?.round).toBe(3);
    expect(homeSentence([run])).toBe("One run is active.");
    const over = { ...run, state: "completed" as const, roundsCommitted: 15 };
    expect(homeSentence([over])).toContain("finished at 0.681");
  });
});

describe("[R16] rounds that were given up", () => {
  test("never count towards the planned ones", () => {
    const state = ["running", "paused", "stopping", "waiting", "evaluating", "failed", "completed"] as const;
    for (const one of state) {
      for (const phase of ["recruiting", "training", "collecting", "committed", "failed"] as const) {
        const currentRound = roundViewOf({ round: 4, phase, threshold: null });
        const run = runViewOf({ state: one, roundsPlanned: 3, roundsCommitted: 2, currentRound });
        for (const said of [runSentence(run, DRAWINGS), roundLine(run), runStatus(run), homeSentence([run])])
          expect(said).not.toMatch(/4 of 3/);
      }
    }
  });
});

test("[V7] a round's model has its number among those of the task, or its round while that is not known", () => {
  expect([roundModel({ version: 12, round: 3 }), roundModelTitle({ version: 12, round: 3 })]).toEqual([
    "version 12",
    "version 12",
  ]);
  expect([roundModel({ round: 3 }), roundModelTitle({ round: 3 })]).toEqual([
    "the model of round 3",
    "model of round 3",
  ]);
});
