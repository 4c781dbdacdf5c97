import { agreedGraphOf, isSharded } from "../cohort/graph-plan.ts";
import { ok } from "../kernel/result.ts";
import type { RoundClaims } from "./claims.ts";
import { type Checked, fault } from "./fault.ts";

/**
 * Checks that the round's sums belong to different existing groups, in order. Otherwise a group could count twice or be
 * dropped unseen. The number of groups follows from the task. Rule A2.
 *
 * @returns How many groups the round has.
 */
export function checkGroups({ task, shards, sessionHashes }: RoundClaims): Checked<number> {
  const graph = agreedGraphOf(task.aggregation);
  const count = isSharded(graph) ? graph.count : 1;
  if (shards.length === 0) return fault("GROUPS", "The round's record names no groups.");
  if (sessionHashes.length !== shards.length)
    return fault(
      "GROUPS",
      `The round names ${shards.length} groups and ${sessionHashes.length} transcripts.`,
    );
  let before = -1;
  for (const shard of shards) {
    if (shard <= before)
      return fault(
        "GROUPS",
        `Group ${shard} comes after group ${before}: it is listed twice or out of order.`,
      );
    if (shard >= count) return fault("GROUPS", `The task makes ${count} groups; there is no group ${shard}.`);
    before = shard;
  }
  return ok(count);
}

/** Says which groups are in the sum. Null if the round has a single group. */
export function groupsLine(count: number, shards: readonly number[]): string | null {
  if (count === 1) return null;
  const leftOut = [...Array(count).keys()].filter((shard) => !shards.includes(shard));
  return `${shards.length} of ${count} groups are in the sum; left out: ${leftOut.length === 0 ? "none" : leftOut.join(", ")}.`;
}

/** Adds up the groups of a round and checks what they must have in common. */
export class GroupTotals {
  survivorCount = 0;
  #attempt: number | null = null;

  /** All sums must come from the same attempt. Otherwise a device could be in two of them. */
  add(shard: number, attempt: number, survivorCount: number): Checked<void> {
    this.#attempt ??= attempt;
    if (attempt !== this.#attempt)
      return fault(
        "GROUPS",
        `Group ${shard} is from attempt ${attempt}, an earlier one from attempt ${this.#attempt}.`,
      );
    this.survivorCount += survivorCount;
    return ok(undefined);
  }
}
