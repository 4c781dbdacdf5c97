import type { RoundView, RunView } from "#shared/protocol/api.ts";
import type { ScoreRound } from "../score/geometry.ts";
import { capitalise, countInWords, formatCount, formatWhenUtc, plural } from "./format.ts";

/* The words for a run that waits: for devices, for its turn, or for the figures of its newest model. Pure. */

/** "14 of 40 rounds committed"; rounds that were given up do not count. */
export function committedWords(run: Pick<RunView, "roundsCommitted" | "roundsPlanned">): string {
  return `${formatCount(run.roundsCommitted)} of ${plural(run.roundsPlanned, "round")} committed`;
}

/** "All 15 rounds are done." */
export function allDone({ roundsPlanned }: Pick<RunView, "roundsPlanned">): string {
  return roundsPlanned === 1
    ? "Its only round is done."
    : `All ${formatCount(roundsPlanned)} rounds are done.`;
}

/** "Waiting for devices: 12 are here, a round needs 16." */
export function waitingSentence({ waiting }: Pick<RunView, "waiting">): string {
  if (waiting == null) return "Waiting for devices.";
  const here = waiting.ready === 0 ? "none is" : plural(waiting.ready, "is", "are");
  return `Waiting for devices: ${here} here, a round needs ${formatCount(waiting.needed)}.`;
}

/** What happens next, and what people have to do until then. Obstacles are shown as the run's notice. */
export function waitingNote({ waiting, notice }: Pick<RunView, "waiting" | "notice">): string {
  const missing = waiting == null ? 0 : waiting.needed - waiting.ready;
  if (missing <= 0 && notice == null) return "The next round opens now.";
  const conditions = [
    ...(missing > 0 ? [`${countInWords(missing)} more ${missing === 1 ? "is" : "are"} ready`] : []),
    ...(notice == null ? [] : ["nothing holds it up"]),
  ];
  return `The next round opens as soon as ${conditions.join(" and ")}. Until then no device is asked for anything.`;
}

/** Since when the run waits, what is done, and until when it waits, in a few words each. */
export function waitingFacts(
  run: Pick<RunView, "waiting" | "waitUntil" | "roundsCommitted" | "roundsPlanned">,
  nowUnixMs = Date.now(),
): readonly string[] {
  const { waiting, waitUntil } = run;
  return [
    ...(waiting == null ? [] : [`since ${formatWhenUtc(waiting.since, nowUnixMs)}`]),
    committedWords(run),
    waitUntil == null ? "waits as long as it takes" : `waits until ${formatWhenUtc(waitUntil, nowUnixMs)}`,
  ];
}

/** "Queued behind run 3, which waits for devices." */
export function queueSentence({
  queuedBehind,
  waitUntil,
}: Pick<RunView, "queuedBehind" | "waitUntil">): string {
  const until = waitUntil == null ? "" : ` It waits until ${formatWhenUtc(waitUntil)}.`;
  if (queuedBehind == null) return `Queued: one run of a task at a time.${until}`;
  const { number, state } = queuedBehind;
  return `Queued behind run ${number}, which ${DOING[state]}.${until}`;
}

const DOING: Record<RunView["state"], string> = {
  queued: "begins next",
  waiting: "waits for devices",
  running: "is running",
  paused: "is paused",
  stopping: "is stopping",
  evaluating: "is being evaluated",
  completed: "has ended",
  failed: "has ended",
};

/**
 * The number of the round whose sum became the newest model, 0 if there is none. Rounds that were given up are numbered too,
 * so it may be higher than the number of committed rounds.
 */
export function newestVersion({
  newestVersion: said,
  history,
  roundsCommitted,
}: Pick<RunView, "newestVersion" | "history" | "roundsCommitted">): number {
  return said ?? Math.max(roundsCommitted, ...history.map(({ round }) => round));
}

/** A run's model by the round that made it: "the model of round 3", "the untrained model". */
export function evaluatedModel(round: number): string {
  return round === 0 ? "the untrained model" : `the model of round ${round}`;
}

/** The model that a round made, in a sentence: "version 12"; "the model of round 3" while its number is not known. */
export function roundModel({ version, round }: Pick<RoundView, "version" | "round">): string {
  return version === undefined ? evaluatedModel(round) : `version ${version}`;
}

/** The same beside a picture: "version 12", "model of round 3". */
export function roundModelTitle(round: Pick<RoundView, "version" | "round">): string {
  return roundModel(round).replace("the ", "");
}

/** For a run whose rounds are over and whose newest model has no figures yet. */
export function evaluatingSentence(
  run: Pick<RunView, "evaluating" | "newestVersion" | "history" | "roundsCommitted" | "roundsPlanned">,
): string {
  const model = capitalise(evaluatedModel(run.evaluating ?? newestVersion(run)));
  const over =
    run.roundsCommitted >= run.roundsPlanned ? allDone(run) : `The rounds are over, ${committedWords(run)}.`;
  return `${over} ${model} is being evaluated.`;
}

/** For a run between two rounds: what the next one waits for. */
export function betweenSentence(
  run: Pick<
    RunView,
    "evaluating" | "newestRound" | "newestVersion" | "history" | "roundsCommitted" | "roundsPlanned"
  >,
): string {
  const { evaluating, roundsCommitted, newestRound = roundsCommitted } = run;
  if (evaluating === 0) return "The untrained model is being evaluated; then the first round opens.";
  // Rounds that were given up have begun, too.
  if (newestRound === 0) return "The first round has not begun.";
  const done = capitalise(committedWords(run));
  if (evaluating == null) return `${done}; the next one opens.`;
  const model = evaluatedModel(evaluating);
  // One model is evaluated beside the next round. Only if it is older than the newest does it hold the round back (E3).
  return evaluating < newestVersion(run)
    ? `${done}; the next one opens when ${model} has been evaluated.`
    : `${done}; ${model} is being evaluated.`;
}

/** In place of an open run's figure. */
export function noFigureWords({ roundsCommitted }: Pick<RunView, "roundsCommitted">): string {
  return roundsCommitted === 0 ? "no round committed yet" : "no figures yet";
}

/** Shown in place of a committed round's figures. */
export function missingFigures({
  notEvaluated,
}: {
  readonly notEvaluated?: string | null | undefined;
}): string {
  if (notEvaluated === "NO_HELD_OUT") return "judged on devices";
  return notEvaluated == null ? "being evaluated" : "not evaluated";
}

/**
 * The small score of a round that has not opened: one place for each device that is ready, dotted ones for those that
 * are missing.
 */
export function waitingPlaces({ waiting }: Pick<RunView, "waiting">): ScoreRound {
  const ready = waiting?.ready ?? 0;
  const counts = ready === 0 ? [] : [{ atS: 0, joined: ready, trained: 0, sent: 0, left: 0 }];
  return {
    round: 1,
    phase: "recruiting",
    code: null,
    nowS: 1,
    deadlineS: null,
    // Extends their lines to where the sum would be.
    phaseEndsS: { collecting: 1 },
    joined: ready,
    trained: 0,
    sent: 0,
    left: 0,
    shared: null,
    survivors: null,
    threshold: null,
    goal: waiting?.needed ?? 1,
    opened: false,
    counts,
  };
}
