import type { RoundView, RunView } from "#shared/protocol/api.ts";
import { ERRORS, type ErrorCode } from "#shared/protocol/errors.ts";
import { ROUND_FAULTS } from "#shared/round/faults.ts";
import { FAILED_ROUNDS_IN_A_ROW_MAX } from "#shared/round/run.ts";
import { capitalise, countInWords, formatCount, plural } from "./format.ts";

/*
 * How runs and rounds ended, and who ended them. The texts of codes are written for devices, about one round; these are for
 * people who look at a run. Pure.
 */

/** Drawn as a disc, a struck circle, and a square in the colour of stops. */
export interface Ending {
  readonly mark: "done" | "given-up" | "stopped";
  readonly words: string;
}

export const isOver = ({ state }: Pick<RunView, "state">): boolean =>
  state === "completed" || state === "failed";

/** Who ended a run, as a subject: the account's name, which is written as it is, if it is known. */
export function whoEnded(endedBy: string | null | undefined): string {
  return endedBy ?? "someone";
}

const REFUSED = "its devices refused: they had already been through its rounds";
const isRefused = (code: ErrorCode | null) => code === "REPLAY" || code === "ALREADY_REVEALED";
const failuresInWords = `${countInWords(FAILED_ROUNDS_IN_A_ROW_MAX)} rounds in a row were given up`;

/** True if a run ended with the code of the last of many rounds that were given up. Rule R17. */
const isOfLastRound = (code: ErrorCode): boolean => ROUND_FAULTS[code] !== undefined && code !== "INTERNAL";

/** How a run ended, for tables. */
export function endingOf(run: RunView): Ending {
  const { code, endedBy } = run;
  if (run.state === "completed" && run.roundsCommitted >= run.roundsPlanned)
    return { mark: "done", words: "finished" };
  if (code === "TASK_ARCHIVED")
    return {
      mark: "stopped",
      words: endedBy == null ? "its task was archived" : `${endedBy} archived its task`,
    };
  if (code === "ABORTED_BY_OPERATOR" || run.state === "completed")
    return { mark: "stopped", words: `${whoEnded(endedBy)} stopped it` };
  return { mark: "given-up", words: failureWords(code) };
}

/** The mark of a run's state, the same on every page. */
export function markOf(run: RunView): Ending["mark"] | "running" | "waiting" {
  if (isOver(run)) return endingOf(run).mark;
  const isWorking = run.state === "running" || run.state === "stopping" || run.state === "evaluating";
  return isWorking ? "running" : "waiting";
}

function failureWords(code: ErrorCode | null): string {
  if (code === null) return "ended early";
  if (isRefused(code)) return REFUSED.replace("its ", "");
  if (code === "WAIT_EXPIRED") return "too few came in time";
  if (code === "VOID_LIMIT") return "eight sums in a row were discarded";
  if (isOfLastRound(code)) return `${failuresInWords}: ${ROUND_FAULTS[code]}`;
  return ROUND_FAULTS[code] ?? ERRORS[code][1].split(".")[0] ?? "";
}

/** Why a run that failed has ended, in a sentence; null if nothing says so. What was opened before stays opened. */
export function endSentence({ code, endedBy }: Pick<RunView, "code" | "endedBy">): string | null {
  if (code === null) return null;
  if (code === "ABORTED_BY_OPERATOR") return `${endedBy ?? "Someone"} stopped it.`;
  if (code === "TASK_ARCHIVED") return `${endedBy ?? "Someone"} archived its task.`;
  if (isRefused(code))
    return `${capitalise(REFUSED)}, as happens after a data folder is restored from an older copy.`;
  if (isOfLastRound(code)) return `${capitalise(failuresInWords)}; in the last one, ${ROUND_FAULTS[code]}.`;
  return ROUND_FAULTS[code] === undefined ? ERRORS[code][1] : `${capitalise(ROUND_FAULTS[code])}.`;
}

/**
 * Why a round was given up, and what happened to what was sent.
 *
 * @param endedBy  Who ended its run, if that is why.
 */
export function givenUp(round: RoundView, endedBy?: string | null): string {
  const { threshold, code } = round;
  const name = `Round ${round.round} was given up`;
  const end = round.opened
    ? "The sum was discarded and the model stays as it was."
    : "Nothing was opened and nothing was learnt.";
  if (code === "ABORTED_BY_OPERATOR") return `${name}: ${whoEnded(endedBy)} stopped the run. ${end}`;
  if (round.phase === "failed" && threshold !== null && round.sent < threshold)
    return `${name}. ${formatCount(round.sent)} of the ${formatCount(threshold)} needed arrived in time, so nothing was opened and nothing was learnt.`;
  if (code === "COHORT_TOO_SMALL" && round.phaseEndsS.training === undefined)
    return `${name}: ${plural(round.joined, "device")} came, too few. Nothing was sent.`;
  if (code === null) return `${name}. ${end}`;
  if (isRefused(code)) return `${name}: ${REFUSED}. ${end}`;
  const clause = ROUND_FAULTS[code];
  return clause === undefined ? `${name}. ${ERRORS[code][1]} ${end}` : `${name}: ${clause}. ${end}`;
}

/** How a round ended, or that it goes on, for tables and headings. */
export function roundEnding(
  round: Pick<RoundView, "phase" | "opened" | "code">,
  endedBy?: string | null,
): {
  readonly mark: Ending["mark"] | "running";
  readonly words: string;
} {
  if (round.phase === "committed") return { mark: "done", words: "opened once, as a sum" };
  if (round.phase !== "failed" && round.phase !== "voided") return { mark: "running", words: "going on" };
  if (round.opened) return { mark: "given-up", words: "given up, the sum was discarded" };
  return round.code === "ABORTED_BY_OPERATOR"
    ? { mark: "stopped", words: `never opened, ${whoEnded(endedBy)} ended it` }
    : { mark: "given-up", words: "given up, never opened" };
}
