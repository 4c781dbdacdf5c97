import { describe, expect, test } from "vitest";
import {
  FAILED_ROUNDS_IN_A_ROW_MAX,
  launchRun,
  pendingRunEffects,
  type RunState,
  stepRun,
} from "#shared/round/run.ts";
import type { RoundEnded, RunEvent, RunLaunched } from "#shared/round/run-event.ts";

const LAUNCHED: RunLaunched = {
  type: "launched",
  runId: "a".repeat(32),
  number: 1,
  task: "digits",
  taskVersion: 1,
  rounds: 3,
  strategy: { kind: "fedavg", serverLearningRate: 1 },
  training: {
    epochs: 1,
    batchSize: 8,
    optimizer: { kind: "sgd", learningRate: 0.1, momentum: 0 },
    proximalMu: 0,
  },
  seed: 7,
  actor: "ada",
  configHash: "c".repeat(64),
  roundHash: "d".repeat(64),
  devicesNeeded: 5,
  waitUntilUnixMs: 1_000_000,
};
const measure = { value: 0.5, halfWidth95: 0.1, count: 100 };
const started: RunEvent = { type: "started", modelHash: "m0" };
const waits: RunEvent = { type: "wait-began", atUnixMs: 500_000, ready: 4 };
const expired: RunEvent = { type: "wait-expired", atUnixMs: 1_000_000 };
const opened = (round: number, ready = 5): RunEvent => ({
  type: "round-opened",
  round,
  modelHash: `m${round - 1}`,
  ready,
});
const asked = (type: "pause-asked" | "resume-asked" | "stop-asked" | "archive-asked"): RunEvent => ({
  type,
  actor: "ada",
});
const ended = (round: number, outcome: RoundEnded["outcome"] = "committed"): RunEvent => ({
  type: "round-ended",
  round,
  outcome,
  code: outcome === "committed" ? null : "COHORT_TOO_SMALL",
  modelHash: outcome === "failed" ? `m${round - 1}` : `m${round}`,
  strategyStateHash: null,
  seconds: 10,
  forbiddenPairs: [],
  removed: [],
});
const evaluated = (round: number): RunEvent => ({
  type: "evaluated",
  round,
  modelHash: `m${round}`,
  measures: { accuracy: measure, loss: measure },
  reportHash: null,
  code: null,
});
const unevaluated = (round: number): RunEvent => ({
  type: "evaluated",
  round,
  modelHash: `m${round}`,
  measures: null,
  reportHash: null,
  code: "EVALUATION_FAILED",
});
const broken: RunEvent = { type: "broken", code: "INTERNAL" };

const begun = [started, evaluated(0)];
/** A round that commits, and its figures. */
const committed = (round: number) => [opened(round), ended(round), evaluated(round)];

function play(...events: readonly RunEvent[]): RunState {
  return events.reduce((state, event) => {
    const after = stepRun(state, event).state;
    expect(after, `${event.type} changes a run that is ${state.phase}`).not.toBe(state);
    return after;
  }, launchRun(LAUNCHED));
}

type Situation =
  | "queued"
  | "before its first figures"
  | "between"
  | "waiting"
  | "waiting, not evaluated"
  | "in round"
  | "in round 2, round 1 not evaluated"
  | "between, two not evaluated"
  | "pausing"
  | "paused"
  | "paused, not evaluated"
  | "stopping"
  | "archiving"
  | "evaluating"
  | "completed"
  | "failed";
const SITUATIONS: Record<Situation, RunState> = {
  queued: play(),
  "before its first figures": play(started),
  between: play(...begun),
  waiting: play(...begun, waits),
  "waiting, not evaluated": play(...begun, opened(1), ended(1), waits),
  "in round": play(...begun, opened(1)),
  "in round 2, round 1 not evaluated": play(...begun, opened(1), ended(1), opened(2)),
  "between, two not evaluated": play(...begun, opened(1), ended(1), opened(2), ended(2)),
  pausing: play(...begun, opened(1), asked("pause-asked")),
  paused: play(...begun, asked("pause-asked")),
  "paused, not evaluated": play(...begun, opened(1), asked("pause-asked"), ended(1)),
  stopping: play(...begun, opened(1), asked("stop-asked")),
  archiving: play(...begun, opened(1), asked("archive-asked")),
  evaluating: play(...begun, ...committed(1), ...committed(2), opened(3), ended(3)),
  completed: play(...begun, ...committed(1), ...committed(2), ...committed(3)),
  failed: play(asked("stop-asked")),
};
/** Each fits at least one situation; events of a round are of the state's own. */
const eventsOf = ({ round, unevaluated: [next] }: RunState): Record<RunEvent["type"], RunEvent> => ({
  started,
  "wait-began": waits,
  "wait-expired": expired,
  "round-opened": opened(round + 1),
  "round-ended": ended(round),
  evaluated: evaluated(next?.round ?? round),
  "pause-asked": asked("pause-asked"),
  "resume-asked": asked("resume-asked"),
  "stop-asked": asked("stop-asked"),
  "archive-asked": asked("archive-asked"),
  broken,
});
const NO = "refused";
const OVER: Record<RunEvent["type"], string> = {
  started: NO,
  "wait-began": NO,
  "wait-expired": NO,
  "round-opened": NO,
  "round-ended": NO,
  evaluated: NO,
  "pause-asked": NO,
  "resume-asked": NO,
  "stop-asked": NO,
  "archive-asked": NO,
  broken: NO,
};
const TABLE: Record<Situation, Record<RunEvent["type"], string>> = {
  queued: {
    ...OVER,
    started: "running: evaluate",
    "wait-expired": "failed: ended",
    "stop-asked": "failed: ended",
    "archive-asked": "failed: ended",
    broken: "failed: ended",
  },
  "before its first figures": {
    ...OVER,
    evaluated: "running: next-round",
    "pause-asked": "paused: ",
    "stop-asked": "failed: ended",
    "archive-asked": "evaluating: evaluate",
    broken: "failed: ended",
  },
  waiting: {
    ...OVER,
    "wait-expired": "failed: ended",
    "round-opened": "running: open-round",
    "pause-asked": "paused: ",
    "stop-asked": "failed: ended",
    "archive-asked": "failed: ended",
    broken: "failed: ended",
  },
  "waiting, not evaluated": {
    ...OVER,
    "wait-expired": "evaluating: evaluate",
    "round-opened": "running: open-round",
    evaluated: "waiting: ",
    "pause-asked": "paused: ",
    "stop-asked": "failed: ended",
    "archive-asked": "evaluating: evaluate",
    broken: "failed: ended",
  },
  between: {
    ...OVER,
    "wait-began": "waiting: wait",
    "round-opened": "running: open-round",
    "pause-asked": "paused: ",
    "stop-asked": "failed: ended",
    "archive-asked": "failed: ended",
    broken: "failed: ended",
  },
  "in round": {
    ...OVER,
    "round-ended": "running: evaluate,next-round",
    "pause-asked": "running: ",
    "stop-asked": "stopping: stop-round",
    "archive-asked": "running: ",
    broken: "failed: ended",
  },
  "in round 2, round 1 not evaluated": {
    ...OVER,
    "round-ended": "running: evaluate",
    evaluated: "running: ",
    "pause-asked": "running: ",
    "stop-asked": "stopping: stop-round",
    "archive-asked": "running: ",
    broken: "failed: ended",
  },
  "between, two not evaluated": {
    ...OVER,
    evaluated: "running: evaluate,next-round",
    "pause-asked": "paused: ",
    "stop-asked": "failed: ended",
    "archive-asked": "evaluating: evaluate",
    broken: "failed: ended",
  },
  pausing: {
    ...OVER,
    "round-ended": "paused: evaluate",
    "resume-asked": "running: ",
    "stop-asked": "stopping: stop-round",
    "archive-asked": "running: ",
    broken: "failed: ended",
  },
  paused: {
    ...OVER,
    "resume-asked": "running: next-round",
    "stop-asked": "failed: ended",
    "archive-asked": "failed: ended",
    broken: "failed: ended",
  },
  "paused, not evaluated": {
    ...OVER,
    evaluated: "paused: ",
    "resume-asked": "running: evaluate,next-round",
    "stop-asked": "failed: ended",
    "archive-asked": "evaluating: evaluate",
    broken: "failed: ended",
  },
  stopping: {
    ...OVER,
    "round-ended": "failed: ended",
    broken: "failed: ended",
  },
  archiving: {
    ...OVER,
    "round-ended": "evaluating: evaluate",
    "pause-asked": "running: ",
    "stop-asked": "stopping: stop-round",
    broken: "failed: ended",
  },
  evaluating: {
    ...OVER,
    evaluated: "completed: ended",
    "stop-asked": "completed: ended",
    broken: "failed: ended",
  },
  completed: OVER,
  failed: OVER,
};

describe("[R16] each situation of a run meets each event", () => {
  for (const situation of Object.keys(TABLE) as Situation[]) {
    test(situation, () => {
      const state = SITUATIONS[situation];
      const got = Object.entries(eventsOf(state)).map(([type, event]) => {
        const next = stepRun(state, event);
        if (next.effects[0]?.type === "reject") {
          expect(next.state).toBe(state);
          return [type, NO];
        }
        return [type, `${next.state.phase}: ${next.effects.map((effect) => effect.type).join()}`];
      });
      expect(Object.fromEntries(got)).toEqual(TABLE[situation]);
    });
  }
});

describe("[R25] a run that waits", () => {
  const rejects = (state: RunState, event: RunEvent) => stepRun(state, event).effects[0]?.type === "reject";

  test("says since when, and opens no round with fewer ready devices than it needs", () => {
    const { waiting, between } = SITUATIONS;
    expect([waiting.phase, waiting.waitingSinceUnixMs, waiting.round]).toEqual(["waiting", 500_000, 0]);
    for (const state of [waiting, between]) {
      expect(rejects(state, opened(1, 4))).toBe(true);
      expect(rejects(state, opened(1, 5))).toBe(false);
    }
    const open = stepRun(waiting, opened(1)).state;
    expect([open.phase, open.waitingSinceUnixMs]).toEqual(["running", null]);
  });

  test("waits again after a round with too few devices, which does not count", () => {
    const short = (round: number): RunEvent =>
      ({ ...ended(round, "failed"), shortOfDevices: true }) as RunEvent;
    let state = play(...begun, waits);
    for (let round = 1; round <= 20; round++) {
      for (const event of [opened(round), short(round), { ...waits, atUnixMs: 500_000 + round } as RunEvent])
        state = stepRun(state, event).state;
      expect([state.phase, state.failuresInARow, state.roundsCommitted]).toEqual(["waiting", 0, 0]);
    }
    expect([state.round, state.waitingSinceUnixMs]).toEqual([20, 500_020]);
    // A round in between that failed for another reason counts, and is not forgotten.
    const failed = play(...begun, opened(1), ended(1, "failed"), opened(2), short(2));
    expect(failed.failuresInARow).toBe(1);
  });

  test("can be paused, resumed and stopped, and waits again after a restart", () => {
    const resumed = play(...begun, waits, asked("pause-asked"), asked("resume-asked"));
    expect([resumed.phase, resumed.waitingSinceUnixMs]).toEqual(["running", null]);
    expect(pendingRunEffects(SITUATIONS.waiting)).toEqual([{ type: "wait" }]);
    expect(pendingRunEffects(SITUATIONS["waiting, not evaluated"])).toEqual([
      { type: "evaluate" },
      { type: "wait" },
    ]);
  });

  test("ends at the time that its launch named, not before, and only while it waits for devices or for its turn", () => {
    const early: RunEvent = { type: "wait-expired", atUnixMs: 999_999 };
    for (const situation of ["waiting", "queued"] as const) {
      expect(rejects(SITUATIONS[situation], early)).toBe(true);
      const end = stepRun(SITUATIONS[situation], expired).state;
      expect([end.phase, end.code, end.waitingSinceUnixMs]).toEqual(["failed", "WAIT_EXPIRED", null]);
    }
    const { waitUntilUnixMs: _, ...endless } = LAUNCHED;
    const waiting = [...begun, waits].reduce(
      (state, event) => stepRun(state, event).state,
      launchRun(endless),
    );
    expect(rejects(waiting, { type: "wait-expired", atUnixMs: Number.MAX_SAFE_INTEGER })).toBe(true);
  });

  test("commits as many rounds as planned, however many were given up", () => {
    const state = play(
      ...begun,
      ...[1, 2, 3, 4].flatMap((round) => [opened(round), ended(round, "failed")]),
      ...committed(5),
      ...committed(6),
      opened(7),
      ended(7),
    );
    expect([state.round, state.roundsCommitted, state.facts.rounds]).toEqual([7, 3, 3]);
    expect(rejects(stepRun(state, evaluated(7)).state, opened(8))).toBe(true);
  });
});

describe("[A20] a run whose task is archived", () => {
  test("ends after its round, with the figures of its model, and opens no other", () => {
    const round = play(...begun, opened(1), asked("archive-asked"), asked("pause-asked"), ended(1));
    expect([round.phase, round.roundsCommitted, round.code]).toEqual(["evaluating", 1, null]);
    const over = stepRun(round, evaluated(1)).state;
    expect([over.phase, over.code]).toEqual(["failed", "TASK_ARCHIVED"]);
    expect(over.curve.map((point) => point.round)).toEqual([0, 1]);
  });

  test("ends when its round was given up, too", () => {
    const state = play(...begun, opened(1), asked("archive-asked"), ended(1, "failed"));
    expect([state.phase, state.code]).toEqual(["failed", "TASK_ARCHIVED"]);
  });

  test("is completed if that round was its last", () => {
    const last = [
      ...committed(1),
      ...committed(2),
      opened(3),
      asked("archive-asked"),
      ended(3),
      evaluated(3),
    ];
    const state = play(...begun, ...last);
    expect([state.phase, state.code]).toEqual(["completed", null]);
  });
});

describe("[E22] figures on the devices' own rows", () => {
  const accuracy = (value: number) => ({ accuracy: { value, halfWidth95: 0.1, count: 15 } });
  const measured = (round: number, value: number): RunEvent =>
    ({ ...ended(round), parentOnDevices: accuracy(value) }) as RunEvent;

  test("judge the model that the round started from", () => {
    const state = play(
      ...begun,
      ...[opened(1), measured(1, 0.3), evaluated(1)],
      { ...(opened(2) as object), modelHash: "m1" } as RunEvent,
      measured(2, 0.5),
    );
    expect(state.deviceCurve).toEqual([
      { round: 0, measures: accuracy(0.3) },
      { round: 1, measures: accuracy(0.5) },
    ]);
  });

  test("are nobody's after a void step, which changes the model a little", () => {
    const other = { ...(opened(1) as object), modelHash: "stepped" } as RunEvent;
    expect(play(...begun, other, measured(1, 0.3)).deviceCurve).toEqual([]);
  });
});

describe("ends of a run", () => {
  test("completes after its rounds, without counting failed ones", () => {
    const state = play(
      ...begun,
      ...committed(1),
      opened(2),
      ended(2, "failed"),
      ...committed(3),
      ...committed(4),
    );
    expect([state.phase, state.roundsCommitted, state.round]).toEqual(["completed", 3, 4]);
    expect(state.curve.map((point) => point.round)).toEqual([0, 1, 3, 4]);
  });

  test("[R17] eight failed rounds in a row end it with the last one's code; a committed round restarts the count", () => {
    const failures = (from: number, count: number) =>
      Array.from({ length: count }, (_, index) => [
        opened(from + index),
        ended(from + index, "failed"),
      ]).flat();
    expect(FAILED_ROUNDS_IN_A_ROW_MAX).toBe(8);
    expect(play(...begun, ...failures(1, 7)).phase).toBe("running");
    const eight = play(...begun, ...failures(1, 8));
    expect([eight.phase, eight.code]).toEqual(["failed", "COHORT_TOO_SMALL"]);
    expect(play(...begun, ...failures(1, 7), ...committed(8), ...failures(9, 7)).phase).toBe("running");
  });

  test("[R16] [R17] a run that stops ends as stopped, even if its round is the eighth void one in a row", () => {
    const seven = Array.from({ length: 7 }, (_, index) => [opened(index + 1), ended(index + 1, "voided")]);
    const stopped = play(...begun, ...seven.flat(), opened(8), asked("stop-asked"), ended(8, "voided"));
    expect([stopped.phase, stopped.code, stopped.voidsInARow]).toEqual(["failed", "ABORTED_BY_OPERATOR", 8]);
  });
  test("[R17] eight voided rounds in a row end it with VOID_LIMIT", () => {
    const voids = (count: number) =>
      Array.from({ length: count }, (_, index) => [opened(index + 1), ended(index + 1, "voided")]).flat();
    expect(play(...begun, ...voids(7)).phase).toBe("running");
    const eight = play(...begun, ...voids(8));
    expect([eight.phase, eight.code]).toEqual(["failed", "VOID_LIMIT"]);
  });

  test("[R13] a run that is stopped while its last round commits has completed", () => {
    const state = play(...begun, ...committed(1), ...committed(2), opened(3), asked("stop-asked"), ended(3));
    expect([state.phase, state.code]).toEqual(["completed", null]);
    expect(state.notEvaluated).toEqual([{ round: 3, code: "ABORTED_BY_OPERATOR" }]);
  });
});

describe("[E3] figures of a run's models", () => {
  const rejects = (state: RunState, event: RunEvent) => stepRun(state, event).effects[0]?.type === "reject";

  test("come before round 1, and those of round r before round r + 2", () => {
    expect(rejects(play(started), opened(1))).toBe(true);
    const one = play(...begun, opened(1), ended(1));
    expect(rejects(one, opened(2))).toBe(false);
    const two = play(...begun, opened(1), ended(1), opened(2), ended(2));
    expect(two.unevaluated.map(({ round }) => round)).toEqual([1, 2]);
    expect(rejects(two, opened(3))).toBe(true);
    expect(rejects(stepRun(two, evaluated(1)).state, opened(3))).toBe(false);
    // A round that was given up makes no model, and does not shorten the wait for a figure.
    const failed = play(...begun, opened(1), ended(1), opened(2), ended(2, "failed"));
    expect(rejects(failed, opened(3))).toBe(true);
  });

  test("are taken in order, once, for the model that was published", () => {
    const state = play(...begun, opened(1), ended(1), opened(2), ended(2));
    expect(rejects(state, evaluated(2))).toBe(true);
    expect(rejects(state, { ...evaluated(1), modelHash: "another" } as RunEvent)).toBe(true);
    const after = stepRun(state, evaluated(1)).state;
    expect(rejects(after, evaluated(1))).toBe(true);
    expect(after.curve.map(({ round }) => round)).toEqual([0, 1]);
  });

  test("that could not be made let the run go on and are missing from the curve", () => {
    const state = play(...begun, opened(1), ended(1), unevaluated(1), ...committed(2), ...committed(3));
    expect([state.phase, state.code, state.curve.map(({ round }) => round)]).toEqual([
      "completed",
      null,
      [0, 2, 3],
    ]);
    expect(state.notEvaluated).toEqual([{ round: 1, code: "EVALUATION_FAILED" }]);
  });

  test("are waited for before the run completes, or fails with the code of its last round", () => {
    const evaluating = SITUATIONS.evaluating;
    expect([evaluating.roundsCommitted, evaluating.ending]).toEqual([3, { phase: "completed", code: null }]);
    const done = stepRun(evaluating, evaluated(3)).state;
    expect([done.phase, done.curve.length]).toEqual(["completed", 4]);
  });

  test("that are pending are dropped by a stop, which says so, and by a run that breaks", () => {
    const two = play(...begun, opened(1), ended(1), opened(2), ended(2));
    const stopped = stepRun(two, asked("stop-asked")).state;
    expect([stopped.phase, stopped.unevaluated]).toEqual(["failed", []]);
    expect(stopped.notEvaluated).toEqual([
      { round: 1, code: "ABORTED_BY_OPERATOR" },
      { round: 2, code: "ABORTED_BY_OPERATOR" },
    ]);
    const end = stepRun(SITUATIONS.evaluating, asked("stop-asked")).state;
    expect([end.phase, end.notEvaluated]).toEqual(["completed", [{ round: 3, code: "ABORTED_BY_OPERATOR" }]]);
    expect(stepRun(two, broken).state.notEvaluated.map(({ code }) => code)).toEqual(["INTERNAL", "INTERNAL"]);
  });

  test("that are missing are made after a restart, whatever the run does", () => {
    const pending = (situation: Situation) =>
      pendingRunEffects(SITUATIONS[situation]).map((effect) => effect.type);
    expect(pending("before its first figures")).toEqual(["evaluate"]);
    expect(pending("in round 2, round 1 not evaluated")).toEqual(["evaluate", "open-round"]);
    expect(pending("between, two not evaluated")).toEqual(["evaluate"]);
    expect(pending("paused, not evaluated")).toEqual(["evaluate"]);
    expect(pending("evaluating")).toEqual(["evaluate"]);
    expect(pending("between")).toEqual(["next-round"]);
    expect(pending("completed")).toEqual([]);
  });
});

describe("[V8] who ended a run", () => {
  const by = (type: "stop-asked" | "archive-asked", actor: string): RunEvent => ({ type, actor });
  const endOf = (...events: readonly RunEvent[]) => {
    const { phase, code, endedBy } = play(...events);
    return [phase, code, endedBy];
  };

  test("is known wherever the run was when it was stopped, and once a stop was asked for", () => {
    const stop = by("stop-asked", "cyd");
    const stopped = ["failed", "ABORTED_BY_OPERATOR", "cyd"];
    expect(endOf(stop)).toEqual(stopped);
    expect(endOf(...begun, stop)).toEqual(stopped);
    expect(endOf(...begun, waits, stop)).toEqual(stopped);
    expect(endOf(...begun, opened(1), stop)).toEqual(["stopping", null, "cyd"]);
    expect(endOf(...begun, opened(1), stop, ended(1, "failed"))).toEqual(stopped);
  });

  test("is who archived its task, unless someone stopped it first", () => {
    const archive = by("archive-asked", "bob");
    expect(endOf(archive)).toEqual(["failed", "TASK_ARCHIVED", "bob"]);
    expect(endOf(...begun, opened(1), archive, ended(1, "failed"))).toEqual([
      "failed",
      "TASK_ARCHIVED",
      "bob",
    ]);
    expect(endOf(...begun, opened(1), archive, by("stop-asked", "cyd"), ended(1, "failed"))).toEqual([
      "failed",
      "ABORTED_BY_OPERATOR",
      "cyd",
    ]);
    // Whoever stops an archived run that is being evaluated only skips its figures.
    const cut = [...begun, opened(1), archive, ended(1), by("stop-asked", "cyd")];
    expect(endOf(...cut)).toEqual(["failed", "TASK_ARCHIVED", "bob"]);
  });

  test("is nobody if all its rounds were done after all, or if it broke", () => {
    const last = [...begun, ...committed(1), ...committed(2), opened(3)];
    expect(endOf(...last, by("stop-asked", "cyd"), ended(3))).toEqual(["completed", null, null]);
    expect(endOf(...begun, opened(1), by("stop-asked", "cyd"), broken)).toEqual(["failed", "INTERNAL", null]);
  });
});
