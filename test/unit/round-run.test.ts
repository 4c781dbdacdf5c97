import { describe, expect, test } from "vitest";
import {
  FAILED_ROUNDS_IN_A_ROW_MAX,
  launchRun,
  type RoundEnded,
  type RunEvent,
  type RunEventType,
  type RunLaunched,
  type RunState,
  stepRun,
} from "#shared/round/run.ts";

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
};
const measure = { value: 0.5, halfWidth95: 0.1, count: 100 };
const started: RunEvent = { type: "started", modelHash: "m0", accuracy: measure, loss: measure };
const opened = (round: number): RunEvent => ({ type: "round-opened", round, modelHash: `m${round - 1}` });
const asked = (type: "pause-asked" | "resume-asked" | "stop-asked"): RunEvent => ({ type, actor: "ada" });
const ended = (round: number, outcome: RoundEnded["outcome"] = "committed"): RunEvent => ({
  type: "round-ended",
  round,
  outcome,
  code: outcome === "committed" ? null : "COHORT_TOO_SMALL",
  modelHash: outcome === "failed" ? `m${round - 1}` : `m${round}`,
  strategyStateHash: null,
  accuracy: outcome === "committed" ? measure : null,
  loss: outcome === "committed" ? measure : null,
  seconds: 10,
  forbiddenPairs: [],
  removed: [],
});
const broken: RunEvent = { type: "broken", code: "INTERNAL" };

function play(...events: readonly RunEvent[]): RunState {
  return events.reduce((state, event) => stepRun(state, event).state, launchRun(LAUNCHED));
}

type Situation =
  | "queued"
  | "between"
  | "in-round"
  | "pausing"
  | "paused"
  | "stopping"
  | "completed"
  | "failed";
const SITUATIONS: Record<Situation, RunState> = {
  queued: play(),
  between: play(started),
  "in-round": play(started, opened(1)),
  pausing: play(started, opened(1), asked("pause-asked")),
  paused: play(started, asked("pause-asked")),
  stopping: play(started, opened(1), asked("stop-asked")),
  completed: play(started, opened(1), ended(1), opened(2), ended(2), opened(3), ended(3)),
  failed: play(asked("stop-asked")),
};
const EVENTS: Record<RunEventType, RunEvent> = {
  started,
  "round-opened": opened(1),
  "round-ended": ended(1),
  "pause-asked": asked("pause-asked"),
  "resume-asked": asked("resume-asked"),
  "stop-asked": asked("stop-asked"),
  broken,
};
const NO = "refused";
const TABLE: Record<Situation, Record<RunEventType, string>> = {
  queued: {
    started: "running: next-round",
    "round-opened": NO,
    "round-ended": NO,
    "pause-asked": NO,
    "resume-asked": NO,
    "stop-asked": "failed: ended",
    broken: "failed: ended",
  },
  between: {
    started: NO,
    "round-opened": "running: open-round",
    "round-ended": NO,
    "pause-asked": "paused: ",
    "resume-asked": NO,
    "stop-asked": "failed: ended",
    broken: "failed: ended",
  },
  "in-round": {
    started: NO,
    "round-opened": NO,
    "round-ended": "running: next-round",
    "pause-asked": "running: ",
    "resume-asked": NO,
    "stop-asked": "stopping: stop-round",
    broken: "failed: ended",
  },
  pausing: {
    started: NO,
    "round-opened": NO,
    "round-ended": "paused: ",
    "pause-asked": NO,
    "resume-asked": "running: ",
    "stop-asked": "stopping: stop-round",
    broken: "failed: ended",
  },
  paused: {
    started: NO,
    "round-opened": NO,
    "round-ended": NO,
    "pause-asked": NO,
    "resume-asked": "running: next-round",
    "stop-asked": "failed: ended",
    broken: "failed: ended",
  },
  stopping: {
    started: NO,
    "round-opened": NO,
    "round-ended": "failed: ended",
    "pause-asked": NO,
    "resume-asked": NO,
    "stop-asked": NO,
    broken: "failed: ended",
  },
  completed: {
    started: NO,
    "round-opened": NO,
    "round-ended": NO,
    "pause-asked": NO,
    "resume-asked": NO,
    "stop-asked": NO,
    broken: NO,
  },
  failed: {
    started: NO,
    "round-opened": NO,
    "round-ended": NO,
    "pause-asked": NO,
    "resume-asked": NO,
    "stop-asked": NO,
    broken: NO,
  },
};

describe("[R16] each situation of a run meets each event", () => {
  for (const situation of Object.keys(TABLE) as Situation[]) {
    test(situation, () => {
      const state = SITUATIONS[situation];
      const got = Object.entries(EVENTS).map(([type, event]) => {
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

describe("ends of a run", () => {
  test("completes after its rounds, failed ones not counted", () => {
    const state = play(
      started,
      opened(1),
      ended(1),
      opened(2),
      ended(2, "failed"),
      opened(3),
      ended(3),
      opened(4),
      ended(4),
    );
    expect([state.phase, state.roundsCommitted, state.round]).toEqual(["completed", 3, 4]);
    expect(state.curve.map((point) => point.round)).toEqual([0, 1, 3, 4]);
  });

  test("[R17] eight failed rounds in a row end it with the last one's code; a committed one starts the count anew", () => {
    const failures = (from: number, count: number) =>
      Array.from({ length: count }, (_, index) => [
        opened(from + index),
        ended(from + index, "failed"),
      ]).flat();
    expect(FAILED_ROUNDS_IN_A_ROW_MAX).toBe(8);
    expect(play(started, ...failures(1, 7)).phase).toBe("running");
    const eight = play(started, ...failures(1, 8));
    expect([eight.phase, eight.code]).toEqual(["failed", "COHORT_TOO_SMALL"]);
    expect(play(started, ...failures(1, 7), opened(8), ended(8), ...failures(9, 7)).phase).toBe("running");
  });

  test("[R17] eight voided rounds in a row end it with VOID_LIMIT", () => {
    const voids = (count: number) =>
      Array.from({ length: count }, (_, index) => [opened(index + 1), ended(index + 1, "voided")]).flat();
    expect(play(started, ...voids(7)).phase).toBe("running");
    const eight = play(started, ...voids(8));
    expect([eight.phase, eight.code]).toEqual(["failed", "VOID_LIMIT"]);
  });

  test("[R13] a run that is stopped while its last round commits has completed", () => {
    const state = play(
      started,
      opened(1),
      ended(1),
      opened(2),
      ended(2),
      opened(3),
      asked("stop-asked"),
      ended(3),
    );
    expect([state.phase, state.code]).toEqual(["completed", null]);
  });
});
