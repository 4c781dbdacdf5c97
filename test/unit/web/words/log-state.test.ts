import { expect, test } from "vitest";
import { logStateWords } from "#web/words/log-state.ts";

const NONE = { size: 0, checkpointAgeMs: null, sentence: null };

test("[V17] a log that signs is said with its entries and the age of its checkpoint, short and in full", () => {
  const said = (checkpointAgeMs: number | null) =>
    logStateWords({ state: "signing", size: 1_204, checkpointAgeMs, sentence: null });
  expect(said(900)).toEqual({
    short: "log 1,204",
    full: "log: 1,204 entries, checkpoint 1\u00a0s old",
    trouble: null,
  });
  expect([59_000, 250_000, 7_300_000, 200_000_000].map((ms) => said(ms)?.full.slice(20))).toEqual([
    "checkpoint 59\u00a0s old",
    "checkpoint 4\u00a0min old",
    "checkpoint 2\u00a0h old",
    "checkpoint 2\u00a0days old",
  ]);
  // Before the first checkpoint of this start, its age is not known.
  expect(said(null)?.full).toBe("log: 1,204 entries");
});

test("[V17] a log that waits or is halted says why on every page, and what that means", () => {
  const sentence = "The log waits: the disk is full. Make room.";
  expect(logStateWords({ ...NONE, state: "waiting", size: 7, sentence })).toEqual({
    short: "log waits",
    full: "log: waits at 7 entries",
    trouble: `${sentence} Until it signs again no round opens and no sum is opened.`,
  });
  expect(logStateWords({ ...NONE, state: "halted", sentence: "It is damaged." })?.trouble).toBe(
    "It is damaged. No round opens and no sum is opened.",
  );
  expect(logStateWords({ ...NONE, state: "none" })).toBeNull();
  expect(logStateWords({ ...NONE, state: "starting" })?.trouble).toBeNull();
});
