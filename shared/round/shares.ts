import { keptShards, seatsIn } from "./shards.ts";
import type { Unmasking } from "./state.ts";

/** Whether the sum of each shard can be opened; see `openable`. */
export function canOpen(state: Unmasking): boolean {
  return keptShards(state).every((shard) => openable(state, shard.thresholds.t, seatsIn(shard, state.u2)));
}

/**
 * Whether each secret that the opening of one shard needs (b of a survivor, z of a dropout of U2) has t valid shares,
 * with those that `more` devices may still send. Every device that answers sends one share of each; those off their
 * commitment do not count. Rules R10, S9.
 *
 * @param u2  Seats of that shard.
 */
export function openable({ responses }: Unmasking, t: number, u2: readonly number[], more = 0): boolean {
  const off = new Map<number, number>();
  let answered = more;
  for (const seat of u2) {
    const response = responses.get(seat);
    if (response === undefined) continue;
    answered++;
    for (const owner of response.offCommitment) off.set(owner, (off.get(owner) ?? 0) + 1);
  }
  return u2.every((owner) => answered - (off.get(owner) ?? 0) >= t);
}
