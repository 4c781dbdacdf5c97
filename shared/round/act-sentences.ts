/*
 * What the log of a run says of an act, in a sentence. Pages show it before one acts, so both use these.
 */

export type RunActKind = "run.pause-asked" | "run.resume-asked" | "run.stop-asked";

export function runActSentence(kind: RunActKind, actor: string): string {
  switch (kind) {
    case "run.pause-asked":
      return `${actor} asked for a pause after the current round.`;
    case "run.resume-asked":
      return `${actor} resumed the run.`;
    case "run.stop-asked":
      return `${actor} stopped the run.`;
  }
}

/** @param number  Counts the runs of a task; a page that does not know it yet writes "…". */
export function launchSentence(number: number | "…", actor: string): string {
  return `Run ${number} was launched by ${actor}.`;
}
