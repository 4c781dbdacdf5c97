import type { LogStateView } from "#shared/protocol/log-api.ts";
import { formatEntries } from "./audit-path.ts";
import { formatCount } from "./format.ts";

/* How the log is doing, as the top bar of every page says it. It is the coordinator's word; /audit checks it. */

export interface LogStateWords {
  /** For narrow pages. */
  readonly short: string;
  readonly full: string;
  /** Stands on every page until the log signs again; null if it does. */
  readonly trouble: string | null;
}

/** Null if there is no log to speak of. */
export function logStateWords({
  state,
  size,
  checkpointAgeMs,
  sentence,
}: LogStateView): LogStateWords | null {
  switch (state) {
    case "none":
      return null;
    case "starting":
      return { short: "log starts", full: "log: starting", trouble: null };
    case "signing": {
      const age = checkpointAgeMs === null ? "" : `, checkpoint ${ageWords(checkpointAgeMs)} old`;
      return {
        short: `log ${formatCount(size)}`,
        full: `log: ${formatEntries(size)}${age}`,
        trouble: null,
      };
    }
    case "waiting":
    case "halted": {
      const said = state === "waiting" ? "waits" : "halted";
      const meaning =
        state === "waiting"
          ? "Until it signs again no round opens and no sum is opened."
          : "No round opens and no sum is opened.";
      return {
        short: `log ${said}`,
        full: `log: ${said} at ${formatEntries(size)}`,
        trouble: `${sentence ?? "The log signs no more."} ${meaning}`,
      };
    }
  }
}

/** "1 s", "4 min", "3 h", "2 days": a checkpoint grows old while there is nothing to sign. */
function ageWords(ms: number): string {
  const seconds = Math.max(1, Math.round(ms / 1_000));
  if (seconds < 60) return `${seconds}\u00a0s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}\u00a0min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)}\u00a0h`;
  return `${Math.floor(seconds / 86_400)}\u00a0days`;
}
