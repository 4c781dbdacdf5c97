import { unreachable } from "../kernel/assert.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import { LIMITS } from "../protocol/limits.ts";
import type { Measures } from "../stats/measure.ts";
import type { ForbiddenPair } from "./event.ts";
import type { RUN_PHASES } from "./phases.ts";
import type { Evaluated, RoundEnded, RoundToOpen, RunEvent, RunLaunched, RunStarted } from "./run-event.ts";

/*
 * A run is a sequence of rounds that ends when enough of them have committed.
 *
 * queued -> running <-> waiting, running <-> paused, running -> stopping, each -> evaluating -> completed | failed
 *
 * A round opens only if enough devices are ready. Until then the run waits, and nobody is asked for anything. Rule R25.
 *
 * After a round that failed unopened, a new round starts from the same model, at most `FAILED_ROUNDS_IN_A_ROW_MAX` times in
 * a row. A round to which too few devices came does not count. After a voided round a void step comes first, at most
 * `voidRoundsInARowMax` times in a row.
 *
 * A model is evaluated during the next rounds: the next round opens at once, the one after it when the figures are in.
 * After its last round a run is evaluating until its figures are in. Rule E3.
 */

/** A run gives up after this many failed rounds in a row. Rule R17. */
export const FAILED_ROUNDS_IN_A_ROW_MAX = 8;

/** A point of the learning curve. Round 0 is the initial model. */
interface CurvePoint extends FiguresOrigin {
  readonly round: number;
  readonly measures: Measures;
}

/** Where figures come from. */
interface FiguresOrigin {
  /** The held-out set; absent for device figures and before sets had names. */
  readonly measuredOn?: string;
  /** Blob of the full report; absent before there were reports. */
  readonly reportHash?: string;
}

/** How a run ends. */
interface RunEnd {
  readonly phase: "completed" | "failed";
  readonly code: ErrorCode | null;
}

export interface RunState {
  readonly facts: RunLaunched;
  readonly phase: (typeof RUN_PHASES)[number];
  /** While waiting: Unix milliseconds. */
  readonly waitingSinceUnixMs: number | null;
  /** Pause was requested and waits for the end of the current round. */
  readonly pausing: boolean;
  /** The task was archived: the run ends after its current round. */
  readonly archiving: boolean;
  /** Number of the newest round; 0 before the first. */
  readonly round: number;
  /** True if that round is still open. */
  readonly roundIsOpen: boolean;
  readonly roundsCommitted: number;
  readonly voidsInARow: number;
  readonly failuresInARow: number;
  /** Null before the run has started. */
  readonly modelHash: string | null;
  readonly strategyStateHash: string | null;
  /** The newest published model and its round; null before the run has started. */
  readonly published: { readonly round: number; readonly modelHash: string } | null;
  readonly curve: readonly CurvePoint[];
  /** Figures on the rows that devices keep back. */
  readonly deviceCurve: readonly CurvePoint[];
  /** Published models that wait for their figures, oldest first. */
  readonly unevaluated: readonly { readonly round: number; readonly modelHash: string }[];
  /** Published models that have no figures, and why. */
  readonly notEvaluated: readonly { readonly round: number; readonly code: ErrorCode }[];
  readonly committedSeconds: number;
  readonly forbiddenPairs: readonly ForbiddenPair[];
  readonly removed: readonly string[];
  readonly code: ErrorCode | null;
  /** Who asked for the stop or archived the task; null unless that is how the run ends. */
  readonly endedBy: string | null;
  /** While evaluating: how the run ends when the last figures are in. */
  readonly ending: RunEnd | null;
}

/**
 * | effect     | does                                                                   |
 * | ---------- | ---------------------------------------------------------------------- |
 * | reject     | tells the caller why nothing changed; always the only effect           |
 * | next-round | opens the next round, after a void step if the model needs one         |
 * | wait       | watches for devices that are ready                                     |
 * | open-round | writes the first event of the round that `round-opened` announced      |
 * | stop-round | gives up the current round if nothing was opened yet                   |
 * | evaluate   | evaluates the models that have no figures yet                          |
 * | ended      | tells the devices, and starts the task's next run                      |
 */
export type RunEffect =
  | { readonly type: "reject"; readonly code: ErrorCode }
  | { readonly type: "next-round" }
  | { readonly type: "wait" }
  | { readonly type: "open-round" }
  | { readonly type: "stop-round" }
  | { readonly type: "evaluate" }
  | { readonly type: "ended" };

export interface RunTransition {
  readonly state: RunState;
  readonly effects: readonly RunEffect[];
}

export function launchRun(facts: RunLaunched): RunState {
  return {
    facts,
    phase: "queued",
    waitingSinceUnixMs: null,
    pausing: false,
    archiving: false,
    round: 0,
    roundIsOpen: false,
    roundsCommitted: 0,
    voidsInARow: 0,
    failuresInARow: 0,
    modelHash: null,
    strategyStateHash: null,
    published: null,
    curve: [],
    deviceCurve: [],
    unevaluated: [],
    notEvaluated: [],
    committedSeconds: 0,
    forbiddenPairs: [],
    removed: [],
    code: null,
    endedBy: null,
    ending: null,
  };
}

export function hasEnded({ phase }: Pick<RunState, "phase">): boolean {
  return phase === "completed" || phase === "failed";
}

/** Pure. Returns the same state object and one `reject` if the run's state does not allow the event. Rule R16. */
export function stepRun(state: RunState, event: RunEvent): RunTransition {
  switch (event.type) {
    case "started":
      return started(state, event);
    case "wait-began":
      if (state.phase !== "running" || !mayOpen(state)) return conflict(state);
      return {
        state: { ...state, phase: "waiting", waitingSinceUnixMs: event.atUnixMs },
        effects: [{ type: "wait" }],
      };
    case "wait-expired": {
      const until = state.facts.waitUntilUnixMs ?? Number.POSITIVE_INFINITY;
      const waits = state.phase === "queued" || state.phase === "waiting";
      if (!waits || event.atUnixMs < until) return conflict(state);
      return conclude(state, { phase: "failed", code: "WAIT_EXPIRED" });
    }
    case "round-opened":
      return roundOpened(state, event);
    case "round-ended":
      return roundEnded(state, event);
    case "evaluated":
      return evaluated(state, event);
    case "pause-asked":
      if (!isGoing(state) || state.pausing) return conflict(state);
      return {
        state: state.roundIsOpen ? { ...state, pausing: true } : inPhase(state, "paused"),
        effects: [],
      };
    case "resume-asked":
      if (state.phase === "paused") return goOn({ ...state, phase: "running" });
      return state.phase === "running" && state.pausing
        ? { state: { ...state, pausing: false }, effects: [] }
        : conflict(state);
    case "stop-asked":
      return stopAsked(state, event.actor);
    case "archive-asked":
      return archiveAsked(state, event.actor);
    case "broken":
      if (hasEnded(state)) return conflict(state);
      return end(withoutFigures(state, event.code), { phase: "failed", code: event.code });
    default:
      return unreachable(event);
  }
}

function started(state: RunState, { modelHash, measures }: RunStarted): RunTransition {
  if (state.phase !== "queued") return conflict(state);
  const running: RunState = { ...state, phase: "running", modelHash };
  return goOn(withModel(running, { round: 0, modelHash, measures }));
}

function roundOpened(state: RunState, { round, modelHash, ready }: RoundToOpen): RunTransition {
  const enough = ready >= state.facts.devicesNeeded;
  if (!isGoing(state) || !mayOpen(state) || round !== state.round + 1 || !enough) return conflict(state);
  const opened: RunState = { ...inPhase(state, "running"), round, roundIsOpen: true, modelHash };
  return { state: opened, effects: [{ type: "open-round" }] };
}

function roundEnded(state: RunState, event: RoundEnded): RunTransition {
  if (!state.roundIsOpen || event.round !== state.round) return conflict(state);
  const { forbiddenPairs, removed, modelHash, strategyStateHash } = event;
  const base: RunState = {
    ...state,
    roundIsOpen: false,
    forbiddenPairs,
    removed,
    modelHash,
    strategyStateHash,
  };
  switch (event.outcome) {
    case "committed": {
      const committed: RunState = {
        ...withDevices(base, state, event),
        roundsCommitted: state.roundsCommitted + 1,
        committedSeconds: state.committedSeconds + event.seconds,
        voidsInARow: 0,
        failuresInARow: 0,
      };
      return goOn(withModel(committed, event));
    }
    case "voided": {
      const voidsInARow = state.voidsInARow + 1;
      if (voidsInARow >= LIMITS.voidRoundsInARowMax && state.phase !== "stopping")
        return conclude({ ...base, voidsInARow }, { phase: "failed", code: "VOID_LIMIT" });
      return goOn({ ...base, voidsInARow, failuresInARow: 0 });
    }
    case "failed": {
      if (event.shortOfDevices === true) return goOn(base);
      const failuresInARow = state.failuresInARow + 1;
      if (failuresInARow >= FAILED_ROUNDS_IN_A_ROW_MAX && state.phase !== "stopping")
        return conclude({ ...base, failuresInARow }, { phase: "failed", code: event.code });
      return goOn({ ...base, failuresInARow });
    }
    default:
      return unreachable(event.outcome);
  }
}

/** The sum of a round also judges the model that it started from, unless a void step came between. */
function withDevices(base: RunState, { modelHash, published }: RunState, event: RoundEnded): RunState {
  const { parentOnDevices: measures } = event;
  if (measures === undefined || published === null || published.modelHash !== modelHash) return base;
  return { ...base, deviceCurve: [...base.deviceCurve, { round: published.round, measures }] };
}

interface PublishedModel {
  readonly round: number;
  readonly modelHash: string;
  readonly measures?: Measures | undefined;
}

/** Makes a published model wait for its figures. Models of older logs bring them along, and a run that stops makes none. */
function withModel(before: RunState, { round, modelHash, measures }: PublishedModel): RunState {
  const state: RunState = { ...before, published: { round, modelHash } };
  if (measures !== undefined) return { ...state, curve: [...state.curve, { round, measures }] };
  const waiting: RunState = { ...state, unevaluated: [...state.unevaluated, { round, modelHash }] };
  return state.phase === "stopping" ? withoutFigures(waiting, "ABORTED_BY_OPERATOR") : waiting;
}

/** Drops all pending figures, with the reason. */
function withoutFigures(state: RunState, code: ErrorCode): RunState {
  if (state.unevaluated.length === 0) return state;
  const dropped = state.unevaluated.map(({ round }) => ({ round, code }));
  return { ...state, unevaluated: [], notEvaluated: [...state.notEvaluated, ...dropped] };
}

function evaluated(
  state: RunState,
  { round, modelHash, measures, measuredOn, reportHash, code }: Evaluated,
): RunTransition {
  const [first, ...unevaluated] = state.unevaluated;
  if (first?.round !== round || first.modelHash !== modelHash) return conflict(state);
  const after: RunState =
    measures === null
      ? {
          ...state,
          unevaluated,
          notEvaluated: [...state.notEvaluated, { round, code: code ?? "EVALUATION_FAILED" }],
        }
      : {
          ...state,
          unevaluated,
          curve: [...state.curve, { round, measures, ...originOf({ measuredOn, reportHash }) }],
        };
  if (state.ending !== null && unevaluated.length === 0) return end(after, state.ending);
  // If a round is open or the run is paused, it continues by itself.
  const opens = state.phase === "running" && !mayOpen(state) && mayOpen(after);
  return {
    state: after,
    effects: [...evaluation(after), ...(opens ? [{ type: "next-round" } as const] : [])],
  };
}

function originOf({
  measuredOn,
  reportHash,
}: {
  readonly measuredOn?: string | undefined;
  readonly reportHash?: string | null | undefined;
}): FiguresOrigin {
  return {
    ...(measuredOn !== undefined && { measuredOn }),
    ...(typeof reportHash === "string" && { reportHash }),
  };
}

/** True if it is the run's turn: it is running, or waiting for devices. */
export function isGoing({ phase }: Pick<RunState, "phase">): boolean {
  return phase === "running" || phase === "waiting";
}

/** Changes the phase and clears the start of waiting, which only a waiting run has. */
function inPhase(state: RunState, phase: RunState["phase"]): RunState {
  return { ...state, phase, waitingSinceUnixMs: null };
}

/**
 * True if pending figures allow the next round to open: those of the initial model must be in before round 1, and those of
 * round r before round r + 2. Rule E3.
 */
export function mayOpen({ roundIsOpen, round, unevaluated }: RunState): boolean {
  return !roundIsOpen && unevaluated.every((model) => model.round >= Math.max(1, round));
}

/** The transition after a round, a start or a resume. */
function goOn(state: RunState): RunTransition {
  if (state.roundsCommitted >= state.facts.rounds) return conclude(state, { phase: "completed", code: null });
  if (state.phase === "stopping") return conclude(state, { phase: "failed", code: "ABORTED_BY_OPERATOR" });
  if (state.archiving) return conclude(state, ARCHIVED);
  const effects = evaluation(state);
  if (state.pausing) return { state: { ...state, phase: "paused", pausing: false }, effects };
  return { state, effects: mayOpen(state) ? [...effects, { type: "next-round" }] : effects };
}

function stopAsked(state: RunState, actor: string): RunTransition {
  const stopped: RunState = { ...withoutFigures(state, "ABORTED_BY_OPERATOR"), endedBy: actor };
  switch (state.phase) {
    case "queued":
    case "waiting":
    case "paused":
      return end(stopped, { phase: "failed", code: "ABORTED_BY_OPERATOR" });
    case "running":
      if (state.roundIsOpen)
        return {
          state: { ...stopped, phase: "stopping", pausing: false },
          effects: [{ type: "stop-round" }],
        };
      return end(stopped, { phase: "failed", code: "ABORTED_BY_OPERATOR" });
    case "evaluating":
      // All rounds are over, so only pending figures are dropped.
      return state.ending === null
        ? conflict(state)
        : end({ ...stopped, endedBy: state.endedBy }, state.ending);
    default:
      return conflict(state);
  }
}

const ARCHIVED: RunEnd = { phase: "failed", code: "TASK_ARCHIVED" };

/** A round that is open goes on to its end, and the figures of its model are waited for. */
function archiveAsked(state: RunState, actor: string): RunTransition {
  const archived: RunState = { ...state, endedBy: actor };
  switch (state.phase) {
    case "queued":
      return end(archived, ARCHIVED);
    case "waiting":
    case "paused":
      return conclude(archived, ARCHIVED);
    case "running":
      if (!state.roundIsOpen) return conclude(archived, ARCHIVED);
      if (state.archiving) return conflict(state);
      return { state: { ...archived, archiving: true, pausing: false }, effects: [] };
    default:
      return conflict(state);
  }
}

/**
 * The effects to run after a reload, because those of the newest event may not have been carried out.
 */
export function pendingRunEffects(state: RunState): readonly RunEffect[] {
  switch (state.phase) {
    case "running":
      if (state.roundIsOpen) return [...evaluation(state), { type: "open-round" }];
      return mayOpen(state) ? [...evaluation(state), { type: "next-round" }] : evaluation(state);
    case "waiting":
      return [...evaluation(state), { type: "wait" }];
    case "stopping":
      return [{ type: "open-round" }, { type: "stop-round" }];
    case "paused":
    case "evaluating":
      return evaluation(state);
    case "queued":
    case "completed":
    case "failed":
      return [];
    default:
      return unreachable(state.phase);
  }
}

function evaluation({ unevaluated }: RunState): RunEffect[] {
  return unevaluated.length === 0 ? [] : [{ type: "evaluate" }];
}

/** Opens no more rounds. The run ends when its last figures are in. */
function conclude(state: RunState, ending: RunEnd): RunTransition {
  if (state.unevaluated.length === 0) return end(state, ending);
  return {
    state: { ...inPhase(state, "evaluating"), roundIsOpen: false, pausing: false, ending },
    effects: evaluation(state),
  };
}

/** Ends the run. It has no open round afterwards. */
function end(state: RunState, { phase, code }: RunEnd): RunTransition {
  const endedBy = code === "ABORTED_BY_OPERATOR" || code === "TASK_ARCHIVED" ? state.endedBy : null;
  return {
    state: { ...inPhase(state, phase), code, endedBy, roundIsOpen: false, pausing: false, ending: null },
    effects: [{ type: "ended" }],
  };
}

function conflict(state: RunState): RunTransition {
  return { state, effects: [{ type: "reject", code: "CONFLICT" }] };
}

/** The evaluation of a committed round's model; null while its figures are pending. */
export function evaluationOf(
  { curve, notEvaluated }: Pick<RunState, "curve" | "notEvaluated">,
  round: number,
):
  | ({ readonly measures: Measures; readonly code: null } & FiguresOrigin)
  | { readonly measures: null; readonly code: ErrorCode }
  | null {
  const point = curve.findLast((one) => one.round === round);
  if (point !== undefined) {
    return { measures: point.measures, ...originOf(point), code: null };
  }
  const missing = notEvaluated.findLast((one) => one.round === round);
  return missing === undefined ? null : { measures: null, code: missing.code };
}
