import { expect, test } from "vitest";
import { runView } from "#coordinator/core/views/run-view.ts";
import type { RunState } from "#shared/round/run.ts";

const figures = { accuracy: { value: 0.5, halfWidth95: 0.1, count: 10 } };

/** A run whose rounds 1 and 3 were committed; round 2 was given up. */
function stateWith(change: Partial<RunState>): RunState {
  const facts = { runId: "ab".repeat(16), number: 1, task: "digits", rounds: 5 };
  return {
    facts,
    phase: "running",
    round: 3,
    roundsCommitted: 2,
    waitingSinceUnixMs: null,
    curve: [],
    deviceCurve: [],
    unevaluated: [],
    notEvaluated: [],
    published: null,
    committedSeconds: 10,
    ...change,
  } as unknown as RunState;
}

const viewOf = (change: Partial<RunState>) =>
  runView(stateWith(change), { createdAtUnixMs: 0, startedAtUnixMs: 0, endedAtUnixMs: null }, null, {
    ready: 0,
    needed: 0,
    queuedBehind: null,
    candidate: null,
  });
const versionOf = (change: Partial<RunState>) => viewOf(change).newestVersion;

test("[V7] the newest version is the number of its round, also if a round before it was given up", () => {
  const published = { round: 3, modelHash: "cd".repeat(32) as never };
  expect(versionOf({ published, curve: [{ round: 1, measures: figures }] })).toBe(3);
  expect(versionOf({})).toBe(0);
});

test("[V7] the newest round is counted also if it was given up, so that nobody says that none has begun", () => {
  expect(viewOf({ round: 2, roundsCommitted: 0 })).toMatchObject({ newestRound: 2, roundsCommitted: 0 });
});
