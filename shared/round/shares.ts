import type { Unmasking } from "./state.ts";

/**
 * Whether each secret that the opening needs (b of a survivor, z of a dropout of U2) has t valid shares, with those that
 * `more` positions may still send. Every device that answers sends one share of each; those off their commitment do not
 * count. Rules R10, S9.
 */
export function canOpen({ responses, thresholds, u2 }: Unmasking, more = 0): boolean {
  const off = new Map<number, number>();
  for (const { offCommitment } of responses.values()) {
    for (const owner of offCommitment) off.set(owner, (off.get(owner) ?? 0) + 1);
  }
  return u2.every((owner) => responses.size - (off.get(owner) ?? 0) + more >= thresholds.t);
}
