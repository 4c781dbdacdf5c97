import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { roundViewOf, runViewOf, taskViewOf } from "#test/kit/web-views.ts";
import { expectedEndS, medianTraffic, timesOfRounds, voicesOfRounds } from "#web/chart/run-figures.ts";
import { roundsAxisEnd, spreadLabels, tickDecimals, wholeTicks } from "#web/chart/scale.ts";
import { formFor, launchCost, launchOf, newestRunOf } from "#web/features/home/launch.ts";
import { phaseCells } from "#web/words/phases.ts";

describe("axes", () => {
  test("rounds have whole ticks, at most six", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200_000 }), (end) => {
        const ticks = wholeTicks(0, end);
        expect(ticks.length).toBeLessThanOrEqual(6);
        expect(ticks.every((tick) => Number.isInteger(tick) && tick <= end)).toBe(true);
      }),
    );
  });
  test("the shared axis grows in steps and never past the plan", () => {
    expect([
      roundsAxisEnd(0, 15),
      roundsAxisEnd(4, 15),
      roundsAxisEnd(14, 40),
      roundsAxisEnd(15, 15),
    ]).toEqual([5, 5, 15, 15]);
  });
  test("ticks have the decimals that tell them apart", () => {
    expect([tickDecimals([0, 20]), tickDecimals([0.5, 0.55]), tickDecimals([0, 0.2])]).toEqual([0, 2, 1]);
  });
  test("labels keep their order and their distance", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 150 }), { minLength: 2, maxLength: 5 }), (wanted) => {
        const placed = spreadLabels(wanted, 14, 150);
        const sorted = placed.toSorted((a, b) => a - b);
        for (const [index, y] of sorted.entries()) {
          if (index > 0) expect(y - (sorted[index - 1] ?? 0)).toBeGreaterThanOrEqual(14);
          expect(y).toBeLessThanOrEqual(150);
        }
        for (const [a, first] of wanted.entries()) {
          for (const [b, second] of wanted.entries()) {
            if (first < second) expect(placed[a] ?? 0).toBeLessThan(placed[b] ?? 0);
          }
        }
      }),
    );
  });
});

describe("what charts are drawn from", () => {
  const live = roundViewOf({ round: 4, phase: "collecting", endedAt: null, survivors: null, sent: 3 });
  const failed = roundViewOf({ round: 2, phase: "failed", opened: false, sent: 4, survivors: null });
  test("a round that was given up has nobody in a sum", () => {
    expect(
      voicesOfRounds([failed, roundViewOf(), live]).map(({ inSum, live: lives }) => [inSum, lives]),
    ).toEqual([
      [0, false],
      [7, false],
      [3, true],
    ]);
  });
  test("seconds by part add up to the round's end", () => {
    const [times] = timesOfRounds([roundViewOf(), live, failed]);
    expect(times?.seconds).toEqual({ join: 2, train: 3, keys: 1, send: 4, open: 2 });
  });
  test("traffic is the median of committed rounds", () => {
    const round = (up: number) =>
      roundViewOf({ traffic: [{ step: "input", upByteCount: up, downByteCount: 60 }] });
    expect(medianTraffic([round(10), round(1_000), round(30), live])).toEqual([
      { step: "input", upByteCount: 30, downByteCount: 60 },
    ]);
  });
  test("the scale of a live round is the closing of the last opened one", () => {
    expect(expectedEndS([roundViewOf(), failed])).toBe(10);
    expect(expectedEndS([failed])).toBeUndefined();
  });
});

describe("the timeline of a round", () => {
  test("an opened round has seven phases behind it, each with its own length", () => {
    const cells = phaseCells(roundViewOf());
    expect(cells.map(({ state }) => state)).toEqual(Array(7).fill("done"));
    expect(cells.map(({ time }) => Number.parseFloat(time))).toEqual([2, 1, 2, 1, 4, 1, 1]);
    expect(cells[4]?.counts).toBe("7 in");
  });
  test("a live one says who is still to come and when it closes", () => {
    const cells = phaseCells(
      roundViewOf({
        phase: "collecting",
        endedAt: null,
        nowS: 8,
        deadlineS: 36,
        sent: 5,
        survivors: null,
        phaseEndsS: { recruiting: 2, training: 3, advertising: 5, sharing: 6 },
      }),
    );
    expect(cells.map(({ state }) => state)).toEqual([
      "done",
      "done",
      "done",
      "done",
      "current",
      "next",
      "next",
    ]);
    expect(cells[4]?.counts).toBe("5 in, 2 to come");
    expect(cells[4]?.time).toBe("2\u00a0s so far, closes in 28\u00a0s");
    expect(cells[4]?.elapsedShare).toBeCloseTo(2 / 30, 10);
    expect(cells[5]?.counts).toBe("waits for 6 to be in");
  });
  test("a given-up one does not pretend that later phases are to come", () => {
    const cells = phaseCells(
      roundViewOf({
        phase: "failed",
        opened: false,
        sent: 4,
        phaseEndsS: { recruiting: 2, training: 3, advertising: 5, sharing: 6, collecting: 10 },
      }),
    );
    expect(cells.slice(5).map(({ counts }) => counts)).toEqual(["not reached", "not reached"]);
  });
});

describe("launching", () => {
  const view = taskViewOf();
  test("sends the task's own plan as nothing at all", () => {
    expect(launchOf(formFor(view), view, 0)).toEqual({ ok: true, value: { task: "digits", rounds: 15 } });
  });
  test("sends what departs from it", () => {
    const form = {
      ...formFor(view),
      epochs: "1",
      strategy: "fedadam" as const,
      serverLearningRate: "0.02",
      seed: "7",
      actor: " Ada ",
    };
    expect(launchOf(form, view, 0)).toEqual({
      ok: true,
      value: {
        task: "digits",
        rounds: 15,
        strategy: { kind: "fedadam", serverLearningRate: 0.02, beta1: 0.9, beta2: 0.99, tau: 0.001 },
        training: { ...view.task.training, epochs: 1 },
        seed: 7,
        actor: "Ada",
      },
    });
  });
  test.each([
    ["rounds", "0"],
    ["rounds", "many"],
    ["rounds", ""],
    ["epochs", "1.5"],
    ["epochs", "99"],
    ["batchSize", "0"],
    ["learningRate", "-1"],
    ["serverLearningRate", "0"],
    ["proximalMu", ""],
    ["seed", "3000000000"],
    ["actor", "x".repeat(81)],
    ["waitUntil", "tomorrow"],
  ])("refuses %s %s and names the input", (field, value) => {
    const result = launchOf({ ...formFor(view), [field]: value }, view, 0);
    expect(result.ok).toBe(false);
    if (!result.ok) expect(Object.keys(result.error)).toEqual([field]);
  });
  test("sends the time until which the run waits in UTC, and refuses one that has passed", () => {
    const form = { ...formFor(view), waitUntil: "2026-07-08T18:00" };
    const waitUntil = new Date("2026-07-08T18:00").toISOString();
    const atUnixMs = Date.parse(waitUntil);
    expect(launchOf(form, view, atUnixMs - 1)).toMatchObject({ ok: true, value: { waitUntil } });
    const late = launchOf(form, view, atUnixMs);
    expect(late.ok ? [] : Object.keys(late.error)).toEqual(["waitUntil"]);
  });
  test("costs are measured where a round has been, and the vector and the model where none has", () => {
    const guess = {
      upByteCount: 2_800,
      downByteCount: 2_600,
      measured: false,
      secondsPerRound: null,
      seconds: null,
    };
    expect(launchCost(view, null, [], 15)).toEqual(guess);
    const known = {
      upByteCount: 9_764,
      downByteCount: 9_960,
      measured: true,
      secondsPerRound: 10,
      seconds: 300,
    };
    expect(launchCost(view, runViewOf(), [roundViewOf()], 30)).toEqual(known);
    const ended = { secondsLeft: null, endedAt: "2026-07-08T14:15:30.000Z" };
    expect(launchCost(view, runViewOf(ended), [roundViewOf()], 30).seconds).toBe(300);
  });
  test("no time is given for a number of rounds that cannot be launched", () => {
    for (const rounds of [0, 1.5, -3, 1e9, Number.NaN, Number.POSITIVE_INFINITY]) {
      const cost = launchCost(view, runViewOf(), [roundViewOf()], rounds);
      expect([cost.secondsPerRound, cost.seconds]).toEqual([10, null]);
    }
  });
  test("the newest run of the same task that has opened a round is asked", () => {
    const runs = [
      runViewOf({ number: 2 }),
      runViewOf({ number: 3 }),
      runViewOf({ number: 4, roundsCommitted: 0 }),
    ];
    expect(newestRunOf(view, [...runs, runViewOf({ task: "hmda", number: 9 })])?.number).toBe(3);
    expect(newestRunOf(view, [])).toBeNull();
  });
});
