import type { RunView } from "#shared/protocol/api.ts";
import type { ScoreRound } from "../score/geometry.ts";
import { capitalise, countInWords, formatCount, formatWhenUtc, plural } from "./format.ts";

/* The words of a run that waits: for devices, for its turn, or for the figures of its newest model. Pure. */

/** "14 of 40 rounds committed"; rounds that were given up count for nothing. */
export function committedWords(run: Pick<RunView, "roundsCommitted" | "roundsPlanned">): string {
  return `${formatCount(run.roundsCommitted)} of ${plural(run.roundsPlanned, "round")} committed`;
}

/** "Waiting for devices: 12 are here, a round needs 16." */
export function waitingSentence({ waiting }: Pick<RunView, "waiting">): string {
  if (waiting == null) return "Waiting for devices.";
  const here = waiting.ready === 0 ? "none is" : plural(waiting.ready, "is", "are");
  return `Waiting for devices: ${here} here, a round needs ${formatCount(waiting.needed)}.`;
}

/** What happens next, and what is asked of people until then. What holds a run up is shown as its notice. */
export function waitingNote({ waiting, notice }: Pick<RunView, "waiting" | "notice">): string {
  const missing = waiting == null ? 0 : waiting.needed - waiting.ready;
  if (missing <= 0 && notice == null) return "The next round opens now.";
  const conditions = [
    ...(missing > 0 ? [`${countInWords(missing)} more ${missing === 1 ? "is" : "are"} ready`] : []),
    ...(notice == null ? [] : ["nothing holds it up"]),
  ];
  return `The next round opens as soon as ${conditions.join(" and ")}. Until then nothing is asked of anyone.`;
}

/** Since when it waits, what is done, and until when it waits, each a few words. */
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

/** "Stands in the queue behind run 3, which waits for devices." */
export function queueSentence({
  queuedBehind,
  waitUntil,
}: Pick<RunView, "queuedBehind" | "waitUntil">): string {
  const until = waitUntil == null ? "" : ` It waits until ${formatWhenUtc(waitUntil)}.`;
  if (queuedBehind == null) return `Stands in the queue: one run of a task at a time.${until}`;
  const { number, state } = queuedBehind;
  return `Stands in the queue behind run ${number}, which ${DOING[state]}.${until}`;
}

const DOING: Record<RunView["state"], string> = {
  queued: "begins next",
  waiting: "waits for devices",
  running: "is going",
  paused: "is paused",
  stopping: "is stopping",
  evaluating: "is being evaluated",
  completed: "has ended",
  failed: "has ended",
};

/** The model whose figures are being made: "version 3", "the untrained model". */
export function evaluatedModel(round: number): string {
  return round === 0 ? "the untrained model" : `version ${round}`;
}

/** A run whose rounds are over and whose newest version has no figures yet. */
export function evaluatingSentence(
  run: Pick<RunView, "evaluating" | "roundsCommitted" | "roundsPlanned">,
): string {
  const model = capitalise(evaluatedModel(run.evaluating ?? run.roundsCommitted));
  const over =
    run.roundsCommitted >= run.roundsPlanned
      ? `All ${plural(run.roundsPlanned, "round")} are done.`
      : `The rounds are over, ${committedWords(run)}.`;
  return `${over} ${model} is being evaluated.`;
}

/** Between two rounds of a run: what the next one waits for. */
export function betweenSentence(
  run: Pick<RunView, "evaluating" | "roundsCommitted" | "roundsPlanned">,
): string {
  const { evaluating, roundsCommitted } = run;
  if (evaluating === 0) return "The untrained model is being evaluated; then the first round opens.";
  if (roundsCommitted === 0) return "The first round has not opened yet.";
  const done = capitalise(committedWords(run));
  if (evaluating == null) return `${done}; the next one opens.`;
  const model = evaluatedModel(evaluating);
  // One model is evaluated beside the next round; only one that is older than the newest holds it back (E3).
  return evaluating < roundsCommitted
    ? `${done}; the next one opens when ${model} has been evaluated.`
    : `${done}; ${model} is being evaluated.`;
}

/** The newest figures of a run's own versions; those of the untrained model are none of them. */
export function newestFigures(run: Pick<RunView, "history">): RunView["history"][number] | null {
  const last = run.history.at(-1);
  return last === undefined || last.round === 0 ? null : last;
}

/** What stands in place of a committed round's accuracy. */
export function missingFigures({
  notEvaluated,
}: {
  readonly notEvaluated?: string | null | undefined;
}): string {
  return notEvaluated == null ? "being evaluated" : "not evaluated";
}

/** The places of a round that has not opened, for the small score: those who are here, and dotted those who are missing. */
export function waitingPlaces({ waiting }: Pick<RunView, "waiting">): ScoreRound {
  const ready = waiting?.ready ?? 0;
  const counts = ready === 0 ? [] : [{ atS: 0, joined: ready, trained: 0, sent: 0, left: 0 }];
  return {
    round: 1,
    phase: "recruiting",
    nowS: 1,
    deadlineS: null,
    // Their lines reach to where the sum would be.
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
