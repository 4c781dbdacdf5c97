import type { Seat } from "../kernel/places.ts";
import { holdersOf } from "./holders.ts";
import type { Unmasking } from "./state.ts";

/** True if the sum of each shard can be opened; see `openable`. */
export function canOpen({ tallies }: Unmasking): boolean {
  return tallies.every(({ isReached }) => isReached);
}

/**
 * True if each secret needed to open one shard (b of a survivor, z of a dropout of U2) has t valid shares, including those
 * that the survivors in `more` may still send. Every device that answers sends one share for each device whose holder it is.
 * Shares that do not match their commitment do not count. Rules R10, S9.
 *
 * @param u2    Seats of that shard in U2.
 * @param more  Seats of survivors that have not answered.
 */
export function openable(
  state: Unmasking,
  t: number,
  u2: readonly Seat[],
  more: readonly Seat[] = [],
): boolean {
  const { responses } = state;
  const off = new Map<Seat, number>();
  const answers = new Set(more);
  for (const seat of u2) {
    const response = responses.get(seat);
    if (response === undefined) continue;
    answers.add(seat);
    for (const owner of response.offCommitment) off.set(owner, (off.get(owner) ?? 0) + 1);
  }
  return u2.every((owner) => {
    const holders = holdersOf(state, owner);
    const held = holders === null ? answers.size : holders.filter((holder) => answers.has(holder)).length;
    return held - (off.get(owner) ?? 0) >= t;
  });
}
