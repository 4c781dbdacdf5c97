import type { RunView } from "#shared/protocol/api.ts";
import { ON_DEVICES } from "#shared/tracking/own-runs.ts";

/**
 * The rows that a run's newest figures were measured on: the hash of a held-out set, or `ON_DEVICES`. If it is not known, a
 * name that no other run has, so that its figures stand beside no other's. Null without figures of its own versions.
 *
 * @param view  Views of earlier versions may lack either history.
 */
export function measuredOnOf(
  runId: string,
  { history = [], deviceHistory = [] }: Partial<Pick<RunView, "history" | "deviceHistory">>,
): string | null {
  const last = history.at(-1);
  if (last !== undefined) return last.round > 0 ? (last.measuredOn ?? `unknown ${runId}`) : null;
  return (deviceHistory.at(-1)?.round ?? 0) > 0 ? ON_DEVICES : null;
}
