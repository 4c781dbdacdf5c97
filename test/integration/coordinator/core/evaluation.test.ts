import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import type { Evaluator } from "#coordinator/core/ports/ports.ts";
import { present } from "#shared/kernel/assert.ts";
import { Federation, fakeEvaluator } from "#test/kit/worlds/federation.ts";

/* Central evaluation beside the rounds: the test lets the evaluator answer, or fail. */

/** Answers in order; each answer waits until it is released. */
function heldEvaluator() {
  const own = fakeEvaluator();
  const held: (() => void)[] = [];
  let isHeld = false;
  let asked = 0;
  let failures = 0;
  const evaluator: Evaluator = {
    ...own,
    evaluate: async (task, bytes, rows) => {
      asked += 1;
      if (failures > 0) {
        failures -= 1;
        throw new Error("no memory");
      }
      // The figures must be of these bytes, whatever happens to them meanwhile.
      const copy = bytes.slice();
      if (isHeld) await new Promise<void>((resolve) => held.push(resolve));
      return own.evaluate(task, copy, rows);
    },
  };
  return {
    evaluator,
    hold: () => {
      isHeld = true;
    },
    letGo: () => {
      isHeld = false;
      for (const go of held.splice(0)) go();
    },
    fail: (times: number) => {
      failures = times;
    },
    get asked() {
      return asked;
    },
  };
}

/** A held evaluation is no work in flight: the federation's clock goes on without it. */
async function create(devices = 3) {
  const judge = heldEvaluator();
  const federation = await Federation.create({ devices, ports: { evaluator: judge.evaluator } });
  federation.inFlight.ignored.add("evaluate");
  federation.connectAll();
  return { federation, judge };
}

test("[E3] a model is published before it is evaluated; the next round opens meanwhile, the one after waits", async () => {
  const { federation, judge } = await create();
  const runId = await federation.launch(4);
  await federation.until(async () => (await federation.run(runId)).history.length === 1, "the first figures");
  judge.hold();
  await federation.until(async () => (await federation.run(runId)).roundsCommitted === 2, "two rounds");
  // Time passes, and no third round is opened.
  const before = federation.clock.nowMs();
  federation.clock.after(60_000, () => {});
  await federation.until(() => federation.clock.nowMs() >= before + 60_000, "a minute");
  const waiting = await federation.run(runId);
  expect([waiting.state, waiting.evaluating, waiting.currentRound, waiting.history.length]).toEqual([
    "running",
    1,
    null,
    1,
  ]);
  // The task's newest model as shown is never the initial model.
  const newest = () => federation.db.runs.get(runId)?.newest;
  expect(newest()).toEqual({ modelHash: waiting.modelHash, measures: null });
  const rounds = await federation.rounds(runId);
  expect(rounds.map(({ phase, measures, notEvaluated }) => [phase, measures, notEvaluated])).toEqual([
    ["committed", null, null],
    ["committed", null, null],
  ]);
  expect(federation.db.versions.map(({ round, metrics }) => [round, metrics === null])).toEqual([
    [0, false],
    [1, false],
    [2, false],
  ]);
  judge.letGo();
  const run = await federation.ended(runId);
  expect([run.state, run.evaluating, run.history.map(({ round }) => round)]).toEqual([
    "completed",
    null,
    [0, 1, 2, 3, 4],
  ]);
  const last = present(run.history.at(-1), "a point of the curve");
  expect(newest()).toEqual({
    modelHash: run.modelHash,
    measures: last.measures,
    measuredOn: last.measuredOn,
  });
  expect(last.measuredOn).toMatch(/^[0-9a-f]{64}$/);
  // The figures are in the rounds, in the versions of their models and in what dashboards receive.
  for (const round of await federation.rounds(runId)) {
    const point = present(run.history[round.round], "a point of the curve");
    expect(Object.keys(point.measures)).toEqual(["accuracy", "loss"]);
    expect(round.measures).toEqual(point.measures);
    const version = federation.db.versions.find((one) => one.round === round.round);
    const { deviceMeasures, updateNormL2, measuredOn, survivors } = round;
    // Each device of the kit is right for 2 of its 5 rows, and after training for 4.
    const count = 5 * present(round.survivors, "a committed round's survivors");
    expect(deviceMeasures).toMatchObject({
      before: { accuracy: { value: 0.4, count } },
      after: { accuracy: { value: 0.8, count } },
    });
    expect(measuredOn).toBe(point.measuredOn);
    expect(version?.metrics).toEqual({
      measures: point.measures,
      ...{ deviceMeasures, updateNormL2, measuredOn, survivors },
    });
    const heard = federation.published.findLast(
      ({ topic, view }) => topic === "round" && (view as { roundId: string }).roundId === round.roundId,
    );
    expect(heard?.view).toMatchObject({ measures: point.measures });
  }
  expect(federation.logged).toEqual([]);
});

test("[E3] measures of any name, and the hash of a stored report, are in the run's log", async () => {
  const judge = fakeEvaluator();
  const report = new TextEncoder().encode("by class");
  const measure = { value: 0.25, halfWidth95: 0.01, count: 300 };
  const evaluator = {
    ...judge,
    evaluate: async (...asked: Parameters<typeof judge.evaluate>) => {
      const { measures } = await judge.evaluate(...asked);
      return { measures: { ...measures, brier: measure }, report };
    },
  };
  const federation = await Federation.create({ devices: 3, ports: { evaluator } });
  federation.connectAll();
  const runId = await federation.launch(1);
  const run = await federation.ended(runId);
  expect(run.history.map(({ measures }) => measures?.["brier"])).toEqual([measure, measure]);
  const reportHash = createHash("sha256").update(report).digest("hex");
  const facts = federation.db.log
    .filter(({ stream, body }) => stream.id === runId && body.includes('"evaluated"'))
    .map(({ body }) => (JSON.parse(body) as { fact: unknown }).fact);
  expect(facts).toHaveLength(2);
  for (const fact of facts) expect(fact).toMatchObject({ measures: { brier: measure }, reportHash });
  expect(federation.disk.blobs.get(reportHash)).toEqual(report);
});

test("[E3] held-out rows are evaluated once for each model, and once before round 1", async () => {
  const { federation, judge } = await create();
  const runId = await federation.launch(2);
  await federation.until(async () => (await federation.run(runId)).history.length === 1, "the first figures");
  expect(judge.asked).toBe(1);
  await federation.ended(runId);
  expect(judge.asked).toBe(3);
});

test("[E3] after its last round a run is evaluating until the figures are in", async () => {
  const { federation, judge } = await create();
  const runId = await federation.launch(1);
  await federation.until(async () => (await federation.run(runId)).history.length === 1, "the first figures");
  judge.hold();
  await federation.until(async () => (await federation.run(runId)).state === "evaluating", "evaluating");
  const run = await federation.run(runId);
  expect([run.roundsCommitted, run.evaluating, run.endedAt]).toEqual([1, 1, null]);
  expect((await federation.coordinator.runs.pause(runId, "ada")).ok).toBe(false);
  judge.letGo();
  expect((await federation.ended(runId)).history.length).toBe(2);
});

test("[E3] a stop drops pending evaluations, and its round says not evaluated", async () => {
  const { federation, judge } = await create();
  const runId = await federation.launch(3);
  await federation.until(async () => (await federation.run(runId)).history.length === 1, "the first figures");
  judge.hold();
  await federation.until(async () => (await federation.run(runId)).roundsCommitted === 2, "two rounds");
  expect((await federation.coordinator.runs.stopRun(runId, "ada")).ok).toBe(true);
  const run = await federation.ended(runId);
  expect([run.state, run.code, run.evaluating]).toEqual(["failed", "ABORTED_BY_OPERATOR", null]);
  judge.letGo();
  await federation.inFlight.settle();
  const rounds = await federation.rounds(runId);
  expect(rounds.map(({ measures, notEvaluated }) => [measures, notEvaluated])).toEqual([
    [null, "ABORTED_BY_OPERATOR"],
    [null, "ABORTED_BY_OPERATOR"],
  ]);
  expect((await federation.run(runId)).history.length).toBe(1);
});

test("[E3] a stop also drops the next try of a failed evaluation", async () => {
  const { federation, judge } = await create();
  judge.fail(1);
  const runId = await federation.launch(3);
  await federation.until(async () => judge.asked === 1, "a failed try");
  expect((await federation.coordinator.runs.stopRun(runId, "ada")).ok).toBe(true);
  const until = federation.clock.nowMs() + 60_000;
  federation.clock.after(60_000, () => {});
  await federation.until(() => federation.clock.nowMs() >= until, "a minute");
  expect([(await federation.run(runId)).code, judge.asked]).toEqual(["ABORTED_BY_OPERATOR", 1]);
});

test("[E3] an evaluator that fails three times leaves a code and the run goes on; after two failures it is tried again", async () => {
  const { federation, judge } = await create();
  const runId = await federation.launch(2);
  await federation.until(async () => (await federation.run(runId)).history.length === 1, "the first figures");
  judge.fail(3);
  await federation.until(async () => (await federation.rounds(runId))[0]?.notEvaluated != null, "no figures");
  judge.fail(2);
  const run = await federation.ended(runId);
  expect([run.state, run.history.map(({ round }) => round)]).toEqual(["completed", [0, 2]]);
  expect((await federation.rounds(runId)).map(({ notEvaluated }) => notEvaluated)).toEqual([
    "EVALUATION_FAILED",
    null,
  ]);
  const { items } = await federation.coordinator.runs.listEvents(runId, { limit: 200 });
  expect(items.filter(({ kind }) => kind === "model.evaluated").map(({ sentence }) => sentence)).toEqual([
    expect.stringMatching(
      /^The model of round 2 was evaluated: accuracy 0\.\d{3}, loss \d\.\d{3} on the held-out rows\.$/,
    ),
    "The model of round 1 was not evaluated (EVALUATION_FAILED).",
    expect.stringMatching(/^The untrained model was evaluated/),
  ]);
});

test("[E3] [R19] a restart evaluates every committed round without figures", async () => {
  const { federation, judge } = await create();
  const runId = await federation.launch(3);
  await federation.until(async () => (await federation.run(runId)).history.length === 1, "the first figures");
  judge.hold();
  await federation.until(async () => (await federation.run(runId)).roundsCommitted === 2, "two rounds");
  federation.crash();
  judge.letGo();
  await federation.restart();
  const run = await federation.ended(runId);
  expect([run.state, run.history.map(({ round }) => round)]).toEqual(["completed", [0, 1, 2, 3]]);
  expect((await federation.rounds(runId)).map(({ measures }) => measures === null)).toEqual([
    false,
    false,
    false,
  ]);
});
