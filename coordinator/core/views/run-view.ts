import type { RoundView, RunView } from "#shared/protocol/api.ts";
import type { HashHex } from "#shared/protocol/ids.ts";
import { hasEnded, type RunState } from "#shared/round/run.ts";
import type { RunRow } from "../ports/store.ts";

export interface RunTimes {
  readonly createdAtUnixMs: number;
  readonly startedAtUnixMs: number | null;
  readonly endedAtUnixMs: number | null;
}

/** What a run's view says about its surroundings. */
export interface RunSurroundings {
  /** Devices that are ready, and how many a round needs. */
  readonly ready: number;
  readonly needed: number;
  /** The run that has the task's turn. */
  readonly queuedBehind: RunView["queuedBehind"];
  /** Number of the run's newest model among those of its task; null before the first. */
  readonly candidate: number | null;
}

/** @param currentRound  View of the open round, or null. */
export function runView(
  state: RunState,
  times: RunTimes,
  currentRound: RoundView | null,
  { ready, needed, queuedBehind, candidate }: RunSurroundings,
): RunView {
  const { facts } = state;
  const iso = (at: number | null) => (at === null ? null : new Date(at).toISOString());
  const toCome = facts.rounds - state.roundsCommitted;
  const ended = hasEnded(state);
  return {
    runId: facts.runId as RunView["runId"],
    number: facts.number,
    task: facts.task as RunView["task"],
    taskVersion: facts.taskVersion,
    state: state.phase,
    pausing: state.pausing || state.archiving || state.phase === "stopping",
    code: state.code,
    endedBy: state.endedBy,
    waiting:
      state.waitingSinceUnixMs === null
        ? null
        : { since: new Date(state.waitingSinceUnixMs).toISOString(), ready, needed },
    waitUntil: iso(facts.waitUntilUnixMs ?? null),
    queuedBehind: queuedBehind ?? null,
    roundsPlanned: facts.rounds,
    roundsCommitted: state.roundsCommitted,
    strategy: facts.strategy,
    training: facts.training,
    seed: facts.seed,
    ...(facts.beginsWith !== undefined && {
      beginsWith: { ...facts.beginsWith, modelHash: facts.beginsWith.modelHash as HashHex },
    }),
    configHash: facts.configHash as RunView["configHash"],
    ...(facts.code !== undefined && { launchedWith: facts.code }),
    launchedBy: facts.actor,
    createdAt: new Date(times.createdAtUnixMs).toISOString(),
    startedAt: iso(times.startedAtUnixMs),
    endedAt: iso(times.endedAtUnixMs),
    currentRound,
    newestRound: state.round,
    newestVersion: state.published?.round ?? 0,
    candidate,
    evaluating: state.unevaluated[0]?.round ?? null,
    history: state.curve.map(({ round, measures, measuredOn }) => ({
      round,
      measures,
      ...(measuredOn !== undefined && { measuredOn: measuredOn as HashHex }),
    })),
    deviceHistory: state.deviceCurve.map(({ round, measures }) => ({ round, measures })),
    modelHash: state.modelHash as RunView["modelHash"],
    secondsLeft:
      ended || state.roundsCommitted === 0 ? null : (toCome * state.committedSeconds) / state.roundsCommitted,
  };
}

/** Columns of a run's row that follow from its view. */
export function viewColumns(view: RunView): Pick<RunRow, "view" | "newest"> {
  const { modelHash, history, roundsCommitted } = view;
  if (roundsCommitted === 0) return { view, newest: null };
  // The initial model's figures do not show what the run has learnt.
  const figures = history.findLast(({ round }) => round > 0);
  const { measures = null, measuredOn } = figures ?? {};
  return { view, newest: { modelHash, measures, ...(measuredOn !== undefined && { measuredOn }) } };
}

/** What changes in the view of a run whose log is unreadable. */
export function brokenView(
  code: NonNullable<RunView["code"]>,
  atUnixMs: number,
): Pick<
  RunView,
  | "state"
  | "pausing"
  | "code"
  | "endedAt"
  | "currentRound"
  | "secondsLeft"
  | "waiting"
  | "queuedBehind"
  | "evaluating"
> {
  const endedAt = new Date(atUnixMs).toISOString();
  return {
    state: "failed",
    pausing: false,
    code,
    endedAt,
    currentRound: null,
    secondsLeft: null,
    waiting: null,
    queuedBehind: null,
    evaluating: null,
  };
}
