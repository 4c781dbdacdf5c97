import { describe, expect, test } from "vitest";
import { runViewOf } from "#test/kit/web-views.ts";
import { timesReading, timesSentence, voicesReading, voicesSentence } from "#web/words/charts.ts";
import {
  actionsOff,
  coordinatorSees,
  pauseLabel,
  runStateWords,
  scoreNote,
  stopSentence,
  trafficNote,
} from "#web/words/run.ts";

const NBSP = "\u00a0";

describe("a run's page", () => {
  const startedAt = "2026-07-08T14:36:20.000Z";

  test("says since when a run goes on, and when it ended", () => {
    const running = runViewOf({ state: "running", startedAt, endedAt: null });
    expect(runStateWords({ ...running, pausing: false })).toBe("running since 14:36:20 UTC");
    expect(runStateWords({ ...running, pausing: true })).toBe(
      "pauses after this round, running since 14:36:20 UTC",
    );
    expect(runStateWords({ ...running, state: "stopping" })).toBe(
      "stops after this round, started at 14:36:20 UTC",
    );
    expect(runStateWords({ ...running, state: "completed", endedAt: startedAt })).toBe(
      "ended at 14:36:20 UTC",
    );
  });

  test("the first button pauses or resumes, and says when it takes effect", () => {
    const label = (state: string, pausing = false) => pauseLabel(runViewOf({ state, pausing }));
    expect(label("running")).toBe("Pause after this round");
    expect(label("running", true)).toBe("Do not pause");
    expect(label("waiting")).toBe("Pause");
    expect(label("paused")).toBe("Resume");
    expect(actionsOff(startedAt)).toBe("Off since 14:36:20 UTC: these need the coordinator.");
  });

  test("stopping says which version stands, if there is one", () => {
    // Round 5 was given up, so the fourth committed round is round 5's successor.
    const stands = { roundsCommitted: 4, newestVersion: 6, history: [] };
    expect(stopSentence(stands)).toContain(" The model of round 6 stands. ");
    expect(stopSentence({ ...stands, candidate: 12 })).toContain(" Version 12 stands. ");
    expect(stopSentence({ roundsCommitted: 0, newestVersion: 0, history: [] })).not.toContain("Version");
  });

  test("what the coordinator opens, as far as it is known", () => {
    const task = { aggregation: { cohortSizeMin: 5 } };
    expect(coordinatorSees(null, null)).toMatch(/in each round\.$/);
    expect(coordinatorSees(task, { round: 3, threshold: null })).toMatch(
      /, never of fewer than 5 devices\.$/,
    );
    expect(coordinatorSees(task, { round: 3, threshold: 7 })).toMatch(
      /, never of fewer than 5 devices and in round 3 of no fewer than 7\.$/,
    );
  });

  test("how many lines become one, and over how many rounds bytes are counted", () => {
    expect(scoreNote({ threshold: null })).toContain("When enough are in,");
    expect(scoreNote({ threshold: 7 })).toContain("When at least 7 are in,");
    expect(trafficNote(1)).toMatch(/^Bytes per device and round\. /);
    expect(trafficNote(4)).toMatch(/^Bytes per device and round, median of 4 rounds\. /);
  });
});

describe("a chart in words", () => {
  test("devices: ended rounds as a span, a live round by what it has so far", () => {
    const ended = { round: 1, joined: 8, inSum: 7, needed: 6, live: false };
    const live = { round: 2, joined: 30, inSum: 2, needed: null, live: true };
    expect(voicesSentence([live])).toBe("Devices a round: no round has ended yet.");
    expect(voicesSentence([ended, { ...ended, joined: 10 }, live])).toBe(
      "Devices a round: 8 to 10 joined, 7 were in the sum.",
    );
    expect(voicesReading(ended)).toBe("Round 1: 8 joined, 7 in the sum, 6 needed.");
    expect(voicesReading(live)).toBe("Round 2: 30 joined, 2 sent so far.");
  });

  test("time: from the quickest round to the slowest, and one round by its parts", () => {
    const quick = { round: 1, seconds: { join: 0.5, train: 2, keys: 0.5, send: 1, open: 0 } };
    const slow = { round: 2, seconds: { ...quick.seconds, train: 10 } };
    expect(timesSentence([])).toBe("Time a round: no round has ended yet.");
    expect(timesSentence([slow, quick])).toBe(`A round takes 4${NBSP}s to 12${NBSP}s.`);
    expect(timesReading(quick)).toBe(
      `Round 1: join 0.5${NBSP}s, train 2${NBSP}s, keys 0.5${NBSP}s, send 1${NBSP}s, open 0${NBSP}s.`,
    );
  });
});
