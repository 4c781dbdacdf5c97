import type { HeldOutView } from "#shared/protocol/api.ts";
import { judges, type StoredHeldOut, shownHeldOut } from "#shared/task/held-out.ts";

/** The set in use as seen by one version. */
export function heldOutView(set: StoredHeldOut | null, version: number): HeldOutView | null {
  return set === null ? null : { ...shownHeldOut(set), isUsed: judges(set, version) };
}
