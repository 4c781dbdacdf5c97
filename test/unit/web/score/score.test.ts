import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Counts } from "#shared/protocol/api.ts";
import { wordsOf } from "#test/kit/score-words.ts";
import { roundViewOf } from "#test/kit/web-views.ts";
import { across } from "#web/score/across.ts";
import { down } from "#web/score/down.ts";
import { arrivalsS, countsAt, LINES_MAX, scoreOf, ticksS } from "#web/score/geometry.ts";
import { bendPath, mergedPlace, type PictureInput, runPath, segment } from "#web/score/projection.ts";

describe("arrivals", () => {
  test("line k starts within the second in which the count reaches k", () => {
    const rows: Counts[] = [
      { atS: 1, joined: 2, trained: 0, sent: 0, left: 0 },
      { atS: 5, joined: 3, trained: 0, sent: 0, left: 0 },
    ];
    expect(arrivalsS(rows, "joined")).toEqual([0.5, 1, 5]);
  });

  test("the arrivals reproduce the counts at every row, for any counts", () => {
    const steps = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(steps, (fresh) => {
        let joined = 0;
        const rows = fresh.map((count, index): Counts => {
          joined += count;
          return { atS: index, joined, trained: 0, sent: 0, left: 0 };
        });
        const arrivals = arrivalsS(rows, "joined");
        for (const row of rows) {
          expect(arrivals.filter((atS) => atS <= row.atS)).toHaveLength(row.joined);
        }
      }),
    );
  });

  test("arrivals stay within their phase, in order", () => {
    const row = (atS: number, sent: number): Counts => ({ atS, joined: 8, trained: 8, sent, left: 0 });
    const arrivals = arrivalsS([row(3, 1), row(4, 5)], "sent", 1, { fromS: 2.75, toS: 3.15 });
    expect(arrivals.map((atS) => Math.round(100 * atS))).toEqual([300, 304, 308, 311, 315]);
  });

  test("a count that was published too high and then corrected adds no line twice", () => {
    const row = (atS: number, joined: number): Counts => ({ atS, joined, trained: 0, sent: 0, left: 0 });
    expect(arrivalsS([row(1, 3), row(2, 2), row(3, 4)], "joined")).toHaveLength(4);
  });

  test("reading at a second gives the last row that is not later", () => {
    const { counts } = roundViewOf();
    expect(countsAt(counts, 7.9).sent).toBe(0);
    expect(countsAt(counts, 8).sent).toBe(5);
    expect(countsAt(counts, -1).joined).toBe(0);
  });
});

describe("the score of an opened round", () => {
  const score = scoreOf(roundViewOf());
  test("has one heavy line per survivor, at the bottom, and a ring for each device that left", () => {
    expect(score.state).toBe("committed");
    expect(score.voices.filter(({ sentS }) => sentS !== null).map(({ line }) => line)).toEqual([
      1, 2, 3, 4, 5, 6, 7,
    ]);
    expect(score.voices.filter(({ leftS }) => leftS !== null).map(({ line }) => line)).toEqual([8]);
  });
  test("ends at the closing; the opening is not on the axis", () => {
    expect(score.endS).toBe(10);
    expect(score.voices.every(({ endS }) => endS <= 10)).toBe(true);
  });
  test("keeps every line within the phases it belongs to", () => {
    for (const { startS, firmS, sentS, endS } of score.voices) {
      expect(startS).toBeLessThanOrEqual(2);
      expect(firmS).toBeGreaterThanOrEqual(startS);
      expect(endS).toBeGreaterThanOrEqual(firmS);
      if (sentS !== null) expect(sentS).toBeGreaterThanOrEqual(6);
    }
  });
  test("counts survivors, not devices that sent too late", () => {
    const late = scoreOf(roundViewOf({ sent: 7, survivors: 6 }));
    expect(late.sentLines).toBe(6);
    expect(late.facts.late).toBe(1);
  });
});

test("a device that leaves after sending stays in the sum: a heavy line with a ring", () => {
  const rows = [
    { atS: 2, joined: 3, trained: 0, sent: 0, left: 0 },
    { atS: 5, joined: 3, trained: 3, sent: 0, left: 0 },
    { atS: 8, joined: 3, trained: 3, sent: 3, left: 0 },
    { atS: 9, joined: 3, trained: 3, sent: 3, left: 1 },
  ];
  const score = scoreOf(
    roundViewOf({ counts: rows, joined: 3, trained: 3, sent: 3, survivors: 3, left: 1, goal: 3 }),
  );
  expect(score.sentLines).toBe(3);
  const top = score.voices.at(-1);
  expect(top?.sentS).not.toBeNull();
  expect(top?.leftS).toBe(9);
  expect(top?.endS).toBe(10);
});

describe("a live score", () => {
  const live = (change = {}) =>
    scoreOf(
      roundViewOf({
        phase: "collecting",
        opened: false,
        endedAt: null,
        nowS: 8,
        deadlineS: 40,
        survivors: null,
        sent: 5,
        phaseEndsS: { recruiting: 2, training: 3, advertising: 5, sharing: 6 },
        ...change,
      }),
    );
  test("leaves room after now, and more if an earlier round took longer", () => {
    expect(live().endS).toBe(10);
    expect(
      scoreOf(roundViewOf({ phase: "collecting", phaseEndsS: {}, nowS: 8 }), { expectedEndS: 75 }).endS,
    ).toBe(75);
  });
  test("draws nothing after now", () => {
    expect(live().voices.every(({ endS }) => endS <= 8)).toBe(true);
  });
  test("has no threshold line before the roster is fixed", () => {
    expect(live({ threshold: null }).thresholdLines).toBeNull();
  });
  test("keeps the wanted places free while devices join, so that the picture does not grow", () => {
    const recruiting = live({
      phase: "recruiting",
      joined: 2,
      phaseEndsS: {},
      counts: [{ atS: 1, joined: 2, trained: 0, sent: 0, left: 0 }],
    });
    expect(recruiting.voices).toHaveLength(2);
    expect(recruiting.places).toBe(8);
  });
});

test("a given-up round looks different from a live one, and its sum stays closed", () => {
  const score = scoreOf(roundViewOf({ phase: "failed", opened: false, sent: 4, survivors: null }));
  expect(score.state).toBe("given up");
  expect(score.opened).toBe(false);
  expect(scoreOf(roundViewOf({ phase: "voided", opened: true })).opened).toBe(true);
});

test("above 64 places one line stands for several devices, and says so", () => {
  const joined = 10_400;
  const counts = [{ atS: 2, joined, trained: joined, sent: 8_600, left: 0 }];
  const score = scoreOf(
    roundViewOf({ joined, goal: 8_000, threshold: 6_934, sent: 8_600, survivors: 8_600, counts }),
  );
  expect(score.devicesPerLine).toBe(163);
  expect(score.voices.length).toBeLessThanOrEqual(LINES_MAX);
  expect(score.sentLines).toBe(Math.floor(8_600 / 163));
  expect(scoreOf(roundViewOf({ joined: 64 })).devicesPerLine).toBe(1);
  expect(scoreOf(roundViewOf({ joined: 65 })).devicesPerLine).toBe(2);
});

test("an axis has at most seven ticks, from 0, on even steps", () => {
  fc.assert(
    fc.property(fc.double({ min: 0.5, max: 86_400, noNaN: true }), (endS) => {
      const ticks = ticksS(endS);
      expect(ticks[0]).toBe(0);
      expect(ticks.length).toBeLessThanOrEqual(7);
      expect(ticks.every((tick) => tick <= endS)).toBe(true);
    }),
  );
});

describe.each([
  ["across", across, 1_000],
  ["down", down, 360],
] as const)("a score that runs %s", (_, layout, width) => {
  const input = (change = {}, more: Partial<PictureInput> = {}): PictureInput => ({
    score: scoreOf(roundViewOf(change)),
    closesBy: null,
    you: null,
    result: null,
    ...more,
  });
  const { score } = input();
  const { frame } = layout(input(), width);
  const said = (change = {}, more = {}) =>
    wordsOf(layout(input(change, more), width)).map(({ text }) => text);

  test("puts the closing at the end of its axis, and the sum behind it", () => {
    expect(frame.time(0)).toBe(frame.timeStart);
    expect(frame.time(score.endS)).toBe(frame.timeEnd);
    expect(frame.timeEnd).toBeLessThan(frame.cut);
    expect(frame.cut).toBeLessThan(frame.merged);
    expect(frame.merged).toBeLessThan(frame.sum);
  });
  test("keeps the order of the count in the lines and in the sum, centred on the sum", () => {
    const lines = [1, 2, 3, 4, 5, 6, 7];
    const merged = lines.map((line) => mergedPlace(frame, score, line));
    for (const line of lines.slice(1)) {
      expect(Math.sign(frame.place(line) - frame.place(line - 1))).toBe(frame.placeSign);
      expect(Math.sign((merged[line - 1] ?? 0) - (merged[line - 2] ?? 0))).toBe(frame.placeSign);
    }
    expect(((merged[0] ?? 0) + (merged[6] ?? 0)) / 2).toBeCloseTo(frame.sumPlace, 1);
  });
  test("says how many joined, trained, agreed, sent, are needed and left", () => {
    const counts = ["8 joined", "7 trained", "7 agreed on keys", "7 sent", "6 needed", "1 left"];
    expect(said()).toEqual(expect.arrayContaining(counts));
  });
  test("says that all are needed if one missing device is one too many", () => {
    expect(said({ joined: 7, left: 0, threshold: 7, goal: 7 })).toContain("all 7 needed");
  });
  test("says that a closed sum is not opened, and gives the result of an opened one", () => {
    expect(said({ phase: "failed", opened: false, survivors: null })).toContain("never opened");
    const result = { title: "version 3", note: "0.681 ± 0.008" };
    expect(said({}, { result })).toEqual(
      expect.arrayContaining(["version 3", "0.681 ± 0.008", "one sum of 7"]),
    );
  });
  test("says that a person stopped a round, and draws no phase that was not reached", () => {
    const change = {
      phase: "failed",
      code: "ABORTED_BY_OPERATOR",
      opened: false,
      survivors: null,
      nowS: 5.5,
      shared: null,
      sent: 0,
      phaseEndsS: { recruiting: 2, training: 3, advertising: 5 },
    };
    const stopped = scoreOf(roundViewOf(change));
    expect(stopped.state).toBe("stopped");
    expect(stopped.bars.every(({ past }) => past)).toBe(true);
    expect(said(change)).toEqual(
      expect.arrayContaining(["stopped at 5.5\u00a0s", "not opened", "someone ended it"]),
    );
    expect(said(change, { endedBy: "k7f2" })).toContain("k7f2 ended it");
    // The picture has little room; the sentence for people who cannot see it has the whole name.
    expect(said(change, { endedBy: "a-name-of-thirty-two-characters.." })).toContain(
      "a-name-of-thirt… ended it",
    );
    expect(said(change).join()).not.toContain("too late");
  });
  test("names one's own line only on a page that knows it", () => {
    expect(said({}, { you: { line: 2, label: "you" } })).toContain("you");
    expect(said()).not.toContain("you");
  });
});

test("has the same lines, with time and place swapped", () => {
  const [across, down] = [{ direction: "across" }, { direction: "down" }] as const;
  expect(segment(across, [1, 2], [3, 4])).toEqual({ x1: 1, x2: 2, y1: 3, y2: 4 });
  expect(segment(down, [1, 2], [3, 4])).toEqual({ x1: 3, x2: 4, y1: 1, y2: 2 });
  expect(runPath(across, 1, 2, 3)).toBe("M1 3H2");
  expect(runPath(down, 1, 2, 3)).toBe("M3 1V2");
  expect(bendPath(across, [1, 2, 3], 4, 5)).toBe("M1 4C2 4 2 5 3 5");
  expect(bendPath(down, [1, 2, 3], 4, 5)).toBe("M4 1C4 2 5 2 5 3");
});
