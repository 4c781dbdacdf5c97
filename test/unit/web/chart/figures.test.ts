import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { roundViewOf, runViewOf, taskViewOf } from "#test/kit/web-views.ts";
import {
  expectedEndS,
  medianTraffic,
  onDevicesOf,
  timesOfRounds,
  voicesOfRounds,
} from "#web/chart/run-figures.ts";
import { roundsAxisEnd, spreadLabels, tickDecimals, wholeTicks } from "#web/chart/scale.ts";
import { formFor, launchCost, launchOf, newestRunOf, optionsFor } from "#web/features/home/launch.ts";
import { phaseCells } from "#web/words/phases.ts";
import { bySet } from "#web/words/run-curve.ts";

describe("[E20] figures of different held-out sets", () => {
  const point = (round: number, measuredOn?: string) =>
    ({ round, measures: {}, ...(measuredOn !== undefined && { measuredOn }) }) as never;
  const rounds = (...points: never[]) => bySet(points).map((stretch) => stretch.map(({ round }) => round));

  test("are never on one line; those from before sets had names are on the one that follows", () => {
    expect(rounds(point(0, "a"), point(1, "a"), point(2, "b"), point(3, "b"))).toEqual([
      [0, 1],
      [2, 3],
    ]);
    expect(rounds(point(0), point(1), point(2, "a"))).toEqual([[0, 1, 2]]);
    expect(rounds(point(0, "a"), point(1), point(2, "b"), point(3, "a"))).toEqual([[0, 1], [2], [3]]);
    expect(rounds()).toEqual([]);
  });
});

test("[V7] what devices measured is of the version before, also if a round between was given up", () => {
  const measured = { before: { accuracy: { value: 0.5, halfWidth95: 0.1, count: 10 } }, after: {} };
  const rounds = [
    roundViewOf({ round: 1, deviceMeasures: measured }),
    roundViewOf({ round: 2, phase: "failed", opened: false }),
    roundViewOf({ round: 3, deviceMeasures: measured }),
    roundViewOf({ round: 4, deviceMeasures: measured }),
  ];
  expect(onDevicesOf(runViewOf(), rounds).map(({ round }) => round)).toEqual([0, 1, 3]);
  const said = [{ round: 7, measures: measured.before }];
  expect(onDevicesOf(runViewOf({ deviceHistory: said }), rounds)).toEqual(said);
});

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
  test("the shared axis grows in steps, never beyond the plan", () => {
    expect([
      roundsAxisEnd(0, 15),
      roundsAxisEnd(4, 15),
      roundsAxisEnd(14, 40),
      roundsAxisEnd(15, 15),
    ]).toEqual([5, 5, 15, 15]);
  });
  test("ticks have enough decimals to tell them apart", () => {
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
  test("a round that was given up has zero in its sum", () => {
    expect(
      voicesOfRounds([failed, roundViewOf(), live]).map(({ inSum, live: lives }) => [inSum, lives]),
    ).toEqual([
      [0, false],
      [7, false],
      [3, true],
    ]);
  });
  test("the parts' seconds add up to the round's end", () => {
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
  test("an opened round has seven finished phases, each with its own length", () => {
    const cells = phaseCells(roundViewOf());
    expect(cells.map(({ state }) => state)).toEqual(Array(7).fill("done"));
    expect(cells.map(({ time }) => Number.parseFloat(time))).toEqual([2, 1, 2, 1, 4, 1, 1]);
    expect(cells[4]?.counts).toBe("7 in");
  });
  test("a live round says how many are still to come and when it closes", () => {
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
  test("a given-up round does not claim that later phases will come", () => {
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
  test("sends nothing for the task's own plan", () => {
    expect(launchOf(formFor(view), view, 0)).toEqual({ ok: true, value: { task: "digits", rounds: 15 } });
  });
  test("sends what differs from it", () => {
    const form = {
      ...formFor(view),
      epochs: "1",
      strategy: "fedadam" as const,
      options: { ...optionsFor(view, "fedadam"), serverLearningRate: "0.02", tau: "0.01" },
      seed: "7",
    };
    expect(launchOf(form, view, 0)).toEqual({
      ok: true,
      value: {
        task: "digits",
        rounds: 15,
        strategy: { kind: "fedadam", serverLearningRate: 0.02, beta1: 0.9, beta2: 0.99, tau: 0.01 },
        training: { ...view.task.training, epochs: 1 },
        seed: 7,
      },
    });
  });
  test.each([
    ["rounds", "0", "A whole number from 1 to 100,000."],
    ["rounds", "many", "A whole number from 1 to 100,000."],
    ["rounds", "", "A whole number from 1 to 100,000."],
    ["epochs", "1.5", "A whole number from 1 to 100."],
    ["epochs", "99", "No more steps than people agreed to: 2 at 16 a batch."],
    ["batchSize", "0", "A whole number from 1 to 4,096."],
    ["learningRate", "-1", "A number above 0, at most 10, such as 0.15."],
    ["proximalMu", "", "A number from 0 to 10; 0 is off."],
    ["seed", "3000000000", "A whole number from 0 to 2,147,483,647, or nothing."],
    ["waitUntil", "tomorrow", "A day and a time, or nothing."],
  ])("refuses %s %j, names the input and says what it takes", (field, value, sentence) => {
    const result = launchOf({ ...formFor(view), [field]: value }, view, 0);
    expect(result).toEqual({ ok: false, error: { [field]: sentence } });
  });
  test("the range of the learning rate is that of the task's own optimizer", () => {
    const training = { ...view.task.training, optimizer: { kind: "adam", learningRate: 0.001 } } as const;
    const adam = { ...view, task: { ...view.task, training } };
    expect(launchOf({ ...formFor(adam), learningRate: "2" }, adam, 0)).toEqual({
      ok: false,
      error: { learningRate: "A number above 0, at most 1, such as 0.001." },
    });
  });
  test.each([
    ["fedavg", "serverLearningRate", "0", "A number above 0, at most 100, such as 1."],
    ["fedavgm", "momentum", "1", "A number from 0, below 1, such as 0.9."],
    ["fedadam", "beta1", "", "A number from 0, below 1, such as 0.9."],
    ["fedadam", "tau", "two", "A number above 0, at most 1, such as 0.001."],
  ] as const)("refuses the option of %s %s %j and says what it takes", (strategy, name, value, sentence) => {
    const options = { ...optionsFor(view, strategy), [name]: value };
    const result = launchOf({ ...formFor(view), strategy, options }, view, 0);
    expect(result).toEqual({ ok: false, error: { [`strategy.${name}`]: sentence } });
  });
  test("begins with the task's own options of its strategy, and with the defaults of another", () => {
    const { task } = view;
    const own = { kind: "fedavgm", serverLearningRate: 0.3, momentum: 0.1 } as const;
    const planned = { ...view, task: { ...task, aggregation: { ...task.aggregation, strategy: own } } };
    expect(formFor(planned).options).toEqual({ serverLearningRate: "0.3", momentum: "0.1" });
    expect(optionsFor(planned, "fedavg")).toEqual({ serverLearningRate: "1" });
    expect(launchOf(formFor(planned), planned, 0)).toEqual({
      ok: true,
      value: { task: "digits", rounds: 15 },
    });
  });
  test("sends the run's waiting time in UTC, and refuses one in the past", () => {
    const form = { ...formFor(view), waitUntil: "2026-07-08T18:00" };
    const waitUntil = new Date("2026-07-08T18:00").toISOString();
    const atUnixMs = Date.parse(waitUntil);
    expect(launchOf(form, view, atUnixMs - 1)).toMatchObject({ ok: true, value: { waitUntil } });
    const late = launchOf(form, view, atUnixMs);
    expect(late.ok ? [] : Object.keys(late.error)).toEqual(["waitUntil"]);
  });
  test("costs are measured if there was a round, otherwise they are the vector and the model", () => {
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
  test("there is no duration for an invalid number of rounds", () => {
    for (const rounds of [0, 1.5, -3, 1e9, Number.NaN, Number.POSITIVE_INFINITY]) {
      const cost = launchCost(view, runViewOf(), [roundViewOf()], rounds);
      expect([cost.secondsPerRound, cost.seconds]).toEqual([10, null]);
    }
  });
  test("the newest run of the same task with an opened round is used", () => {
    const runs = [
      runViewOf({ number: 2 }),
      runViewOf({ number: 3 }),
      runViewOf({ number: 4, roundsCommitted: 0 }),
    ];
    expect(newestRunOf(view, [...runs, runViewOf({ task: "hmda", number: 9 })])?.number).toBe(3);
    expect(newestRunOf(view, [])).toBeNull();
  });
});
