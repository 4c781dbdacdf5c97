import type { HeldOutView } from "#shared/protocol/api.ts";
import { type HeldOutSet, judges } from "#shared/task/held-out.ts";

/** The set in use as seen by one version. */
export function heldOutView(set: HeldOutSet | null, version: number): HeldOutView | null {
  return set === null ? null : { ...set, isUsed: judges(set, version) };
}
