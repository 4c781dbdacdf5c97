import type { RoundView, RunView, TaskView } from "#shared/protocol/api.ts";
import { isOver } from "./endings.ts";
import { formatTimeUtc } from "./format.ts";
import { runStatus } from "./sentences.ts";
import { newestVersion, waitingFacts } from "./waiting.ts";

/* The sentences that only a run's own page has. */

/** The words beside the mark of a run's state: "running since 14:36:20 UTC". */
export function runStateWords(run: RunView): string {
  if (isOver(run)) {
    return run.endedAt === null ? "ended" : `ended at ${formatTimeUtc(run.endedAt)} UTC`;
  }
  if (run.state === "waiting") return `waiting ${waitingFacts(run)[0] ?? ""}`;
  if (run.state !== "running" && run.startedAt !== null)
    return `${runStatus(run)}, started at ${formatTimeUtc(run.startedAt)} UTC`;
  return run.startedAt === null
    ? runStatus(run)
    : `${run.pausing ? "pauses after this round, running" : "running"} since ${formatTimeUtc(run.startedAt)} UTC`;
}

/** The button that pauses or resumes a run in this state. */
export function pauseLabel({ state, pausing }: Pick<RunView, "state" | "pausing">): string {
  if (state === "paused") return "Resume";
  if (pausing) return "Do not pause";
  return state === "waiting" ? "Pause" : "Pause after this round";
}

/** What stopping a run means, before it is confirmed. */
export function stopSentence(
  run: Pick<RunView, "candidate" | "newestVersion" | "history" | "roundsCommitted">,
): string {
  const round = newestVersion(run);
  const name = run.candidate == null ? `The model of round ${round}` : `Version ${run.candidate}`;
  const stands = round > 0 ? ` ${name} stands.` : "";
  return `A round whose sum has not been asked for is given up and nothing of it is opened. One that is being opened finishes first.${stands} A stopped run cannot be resumed; a paused one can.`;
}

/** Why a run's buttons are off while the coordinator does not answer. */
export function actionsOff(sinceIso: string): string {
  return `Off since ${formatTimeUtc(sinceIso)} UTC: these need the coordinator.`;
}

/** @param roundCount  Committed rounds, whose median is shown. */
export function trafficNote(roundCount: number): string {
  const median = roundCount > 1 ? `, median of ${roundCount} rounds` : "";
  return `Bytes per device and round${median}. With a small model, keys weigh more than the update.`;
}

/** What the picture of a round shows. */
export function scoreNote({ threshold }: Pick<RoundView, "threshold">): string {
  const needed = threshold === null ? "enough" : `at least ${threshold}`;
  return `Each line is a place in the count, not a device: line 3 is whoever came third. It is thin while a device trains, heavy once its masked update has arrived, and ends in a ring if someone left. When ${needed} are in, the lines become one.`;
}

/** What the coordinator sees and opens. Parts that are not known yet are left out. */
export function coordinatorSees(
  task: { readonly aggregation: Pick<TaskView["task"]["aggregation"], "cohortSizeMin"> } | null,
  round: Pick<RoundView, "round" | "threshold"> | null,
): string {
  const least = task === null ? "" : `, never of fewer than ${task.aggregation.cohortSizeMin} devices`;
  const now = round?.threshold ? ` and in round ${round.round} of no fewer than ${round.threshold}` : "";
  return `It sees which devices take part, and when. It opens one sum of what they learnt in each round${least}${now}.`;
}
