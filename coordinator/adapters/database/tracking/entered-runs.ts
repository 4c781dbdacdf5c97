import type { Log } from "#coordinator/core/ports/ports.ts";

/** How many of the runs of an earlier version are entered. */
export interface EnteredRuns {
  readonly entered: number;
  readonly runCount: number;
}

/** What the log says of it, because a start may take minutes. */
export function logEntered(log: Log | undefined, entered: EnteredRuns): void {
  log?.info(
    { entered: entered.entered, runCount: entered.runCount },
    "runs of an earlier version are entered for MLflow's clients",
  );
}
