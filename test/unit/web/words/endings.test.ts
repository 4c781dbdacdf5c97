import { describe, expect, test } from "vitest";
import { ERROR_CODES } from "#shared/protocol/errors.ts";
import { roundViewOf, runViewOf } from "#test/kit/web-views.ts";
import { endingOf, endSentence, givenUp, markOf, roundEnding } from "#web/words/endings.ts";
import {
  homeSentence,
  roundLine,
  roundSentence,
  runSentence,
  runStatus,
  scoreSentence,
} from "#web/words/sentences.ts";

const DRAWINGS = { one: "drawing", many: "drawings" };
const STOPPED = {
  state: "failed",
  code: "ABORTED_BY_OPERATOR",
  endedAt: "2026-07-08T15:00:00.000Z",
} as const;

describe("[V8] a run that a person ended", () => {
  test("names who stopped it, as the account is written, or someone if nobody is named", () => {
    const stopped = runViewOf({ ...STOPPED, endedBy: "k7f2" });
    expect(endingOf(stopped)).toEqual({ mark: "stopped", words: "k7f2 stopped it" });
    expect(endSentence(stopped)).toBe("k7f2 stopped it.");
    expect(runSentence(stopped, DRAWINGS)).toMatch(
      /^The run ended, 3 of 15 rounds committed\. k7f2 stopped it\. /,
    );
    expect(endingOf(runViewOf(STOPPED)).words).toBe("someone stopped it");
    expect(endSentence(runViewOf(STOPPED))).toBe("Someone stopped it.");
    const archived = runViewOf({ state: "failed", code: "TASK_ARCHIVED", endedBy: "k7f2" });
    expect(endingOf(archived)).toEqual({ mark: "stopped", words: "k7f2 archived its task" });
    expect(endSentence(archived)).toBe("k7f2 archived its task.");
    expect(endingOf({ ...archived, endedBy: null }).words).toBe("its task was archived");
  });

  test("that was completed is finished, and one that was cut short is not", () => {
    expect(endingOf(runViewOf({ state: "completed", roundsCommitted: 15 }))).toEqual({
      mark: "done",
      words: "finished",
    });
    expect(endingOf(runViewOf({ state: "completed" })).mark).toBe("stopped");
  });

  test("gives its name to the round that ended with it, in every sentence about it", () => {
    const round = roundViewOf({
      phase: "failed",
      opened: false,
      code: "ABORTED_BY_OPERATOR",
      sent: 4,
      survivors: null,
    });
    const said = "Round 3 was given up: k7f2 stopped the run. Nothing was opened and nothing was learnt.";
    expect(givenUp(round, "k7f2")).toBe(said);
    expect(roundSentence(round, DRAWINGS, "k7f2")).toBe(said);
    expect(roundLine(runViewOf({ state: "stopping", endedBy: "k7f2", currentRound: round }))).toBe(said);
    expect(roundEnding(round, "k7f2")).toEqual({ mark: "stopped", words: "never opened, k7f2 ended it" });
    expect(scoreSentence(round, "k7f2")).toMatch(/; not opened, k7f2 ended it\.$/);
    expect(givenUp(round)).toContain("someone stopped the run");
  });
});

describe("[V8] a run that is over", () => {
  const endings = ERROR_CODES.flatMap((code) =>
    (["failed", "completed"] as const).map((state) => runViewOf({ state, code, newestRound: 5 })),
  );

  test("with committed rounds never says that nothing was opened or begun, whatever ended it", () => {
    for (const run of endings) {
      const all = [runSentence(run, DRAWINGS), roundLine(run), runStatus(run), homeSentence([run])].join(" ");
      expect(all, `${run.state} ${run.code}`).not.toMatch(
        /nothing (?:was|is) (?:opened|learnt|sent)|not begun|first round|next one opens|starts over/i,
      );
    }
    // Positive control: the search finds the words where they are true.
    expect(roundLine(runViewOf({ roundsCommitted: 0 }))).toMatch(/not begun/);
  });

  test("by rounds that were given up says how many in a row, and what the last one lacked", () => {
    const run = runViewOf({ state: "failed", code: "U2_BELOW_T" });
    expect(endSentence(run)).toBe(
      "Eight rounds in a row were given up; in the last one, too few devices shared keys.",
    );
    expect(endingOf(run).words).toBe("eight rounds in a row were given up: too few devices shared keys");
    expect(endSentence(runViewOf({ state: "failed", code: "REPLAY" }))).toMatch(/^Its devices refused: /);
    expect(endSentence(runViewOf({ state: "failed" }))).toBeNull();
  });
});

describe("[V9] a run's state", () => {
  test("has one mark, and words that agree with it", () => {
    const recruiting = roundViewOf({ phase: "recruiting", opened: false, endedAt: null, joined: 3 });
    const gathers = runViewOf({ currentRound: recruiting });
    expect(markOf(gathers)).toBe("running");
    expect(homeSentence([gathers])).toBe("One run is active.");
    expect(runStatus(gathers)).toMatch(/^running/);
    expect(roundLine(gathers)).toBe("Round 3 gathers devices: 3 have joined, 8 are wanted.");
    expect(markOf(runViewOf())).toBe("running");
    for (const state of ["queued", "waiting", "paused"] as const) {
      const run = runViewOf({ state });
      expect(markOf(run)).toBe("waiting");
      const word = { queued: "queued", waiting: "waiting for devices", paused: "paused" }[state];
      expect(runStatus(run)).toContain(word);
      expect(homeSentence([run])).toMatch(/^One run (?:is queued|waits for devices|is paused)\.$/);
    }
    expect(markOf(runViewOf(STOPPED))).toBe("stopped");
    expect(runStatus(runViewOf(STOPPED))).toBe("someone stopped it");
  });
});

describe("a round that was given up", () => {
  test("says how many arrived of how many, and that nothing was opened", () => {
    const round = roundViewOf({ phase: "failed", opened: false, sent: 4, code: "U3_BELOW_T" });
    expect(givenUp(round)).toBe(
      "Round 3 was given up. 4 of the 6 needed arrived in time, so nothing was opened and nothing was learnt.",
    );
  });
  test("with a discarded sum is not called unopened", () => {
    const words = roundSentence(roundViewOf({ phase: "voided", opened: true, code: "SENTINEL" }), DRAWINGS);
    expect(words).toContain("discarded");
    expect(words).not.toContain("Nothing was opened");
  });
  test("with too few devices does not mention a threshold that never existed", () => {
    const round = roundViewOf({
      phase: "failed",
      opened: false,
      threshold: null,
      code: "COHORT_TOO_SMALL",
      // A round that fails ends its phase, as recruiting here.
      phaseEndsS: { recruiting: 30 },
      joined: 4,
      sent: 0,
    });
    expect(givenUp(round)).toBe("Round 3 was given up: 4 devices came, too few. Nothing was sent.");
    expect(givenUp({ ...round, code: "ABORTED_BY_OPERATOR" })).not.toContain("too few");
  });
  test("says why as it was of that round, not what a device should do", () => {
    const round = roundViewOf({ phase: "failed", opened: false, code: "U2_BELOW_T", threshold: null });
    expect(givenUp(round)).toBe(
      "Round 3 was given up: too few devices shared keys. Nothing was opened and nothing was learnt.",
    );
  });
});

test("only a round whose sum was opened is said to have discarded one", () => {
  const ending = (phase: string, opened: boolean) => roundEnding(roundViewOf({ phase, opened }));
  expect(ending("committed", true)).toEqual({ mark: "done", words: "opened once, as a sum" });
  expect(ending("voided", true)).toEqual({ mark: "given-up", words: "given up, the sum was discarded" });
  expect(ending("voided", false)).toEqual({ mark: "given-up", words: "given up, never opened" });
  expect(ending("failed", false)).toEqual({ mark: "given-up", words: "given up, never opened" });
  expect(ending("collecting", false)).toEqual({ mark: "running", words: "going on" });
});
