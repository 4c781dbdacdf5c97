import { circleOf } from "./circles.ts";
import type { Unmasking } from "./state.ts";

/** Whether the sum of each shard can be opened; see `openable`. */
export function canOpen({ tallies }: Unmasking): boolean {
  return tallies.every(({ isReached }) => isReached);
}

/**
 * Whether each secret that the opening of one shard needs (b of a survivor, z of a dropout of U2) has t valid shares,
 * with those that `more` survivors may still send. Every device that answers sends one share of each in its circle; those
 * off their commitment do not count. Rules R10, S9.
 *
 * @param u2    Seats of that shard.
 * @param more  Seats of survivors that have not answered.
 */
export function openable(
  state: Unmasking,
  t: number,
  u2: readonly number[],
  more: readonly number[] = [],
): boolean {
  const { responses } = state;
  const off = new Map<number, number>();
  const answers = new Set(more);
  for (const seat of u2) {
    const response = responses.get(seat);
    if (response === undefined) continue;
    answers.add(seat);
    for (const owner of response.offCommitment) off.set(owner, (off.get(owner) ?? 0) + 1);
  }
  return u2.every((owner) => {
    const circle = circleOf(state, owner);
    const held = circle === null ? answers.size : circle.filter((holder) => answers.has(holder)).length;
    return held - (off.get(owner) ?? 0) >= t;
  });
}
