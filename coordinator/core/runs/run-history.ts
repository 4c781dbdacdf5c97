import { present } from "#shared/kernel/assert.ts";
import { ok, type Result } from "#shared/kernel/result.ts";
import { type LogError, replayRun } from "#shared/round/log.ts";
import { hasEnded, type RunState } from "#shared/round/run.ts";
import type { StoredEvent } from "../ports/store.ts";
import type { RunTimes } from "../views/run-view.ts";

/** What a run's log tells. */
export interface RunHistory {
  readonly state: RunState;
  readonly times: RunTimes;
  /** Sequence of the newest event. */
  readonly sequence: number;
}

/** Errors: those of `replayRun`. */
export function readRun(log: readonly StoredEvent[]): Result<RunHistory, LogError> {
  let times: RunTimes = { createdAtUnixMs: log[0]?.at ?? 0, startedAtUnixMs: null, endedAtUnixMs: null };
  const replayed = replayRun(log, (after, { at }, before) => {
    times = timesAfter(times, before, after, at);
  });
  if (!replayed.ok) return replayed;
  const { sequence } = present(log.at(-1), "a log that was read has rows");
  return ok({ state: replayed.value, times, sequence });
}

/**
 * Times after one more event. The wall clock may be set back in between, but a run never ends before it
 * began.
 */
export function timesAfter(times: RunTimes, before: RunState, after: RunState, at: number): RunTimes {
  const starts = before.phase === "queued" && after.phase === "running";
  const ends = hasEnded(after);
  const notBefore = (beganAtUnixMs: number) => Math.max(at, beganAtUnixMs);
  return {
    createdAtUnixMs: times.createdAtUnixMs,
    startedAtUnixMs: times.startedAtUnixMs ?? (starts ? notBefore(times.createdAtUnixMs) : null),
    endedAtUnixMs:
      times.endedAtUnixMs ?? (ends ? notBefore(times.startedAtUnixMs ?? times.createdAtUnixMs) : null),
  };
}
