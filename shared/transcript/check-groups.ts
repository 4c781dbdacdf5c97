import { ok } from "../kernel/result.ts";
import { agreedGraphOf, isSharded } from "../task/graph-plan.ts";
import type { RoundClaims } from "./claims.ts";
import { type Checked, fault } from "./fault.ts";

/**
 * That the sums that make up the round are sums of different groups of it: in order, none twice, none that there is not.
 * Else one group could count twice, or one be dropped unseen. How many groups there are follows from the task. Rule A2.
 *
 * @returns How many groups the round has.
 */
export function checkGroups({ task, shards, sessionHashes }: RoundClaims): Checked<number> {
  const graph = agreedGraphOf(task.aggregation);
  const count = isSharded(graph) ? graph.count : 1;
  if (shards.length === 0) return fault("GROUPS", "The round names no sum that it is made of.");
  if (sessionHashes.length !== shards.length)
    return fault(
      "GROUPS",
      `The round names ${shards.length} groups and ${sessionHashes.length} transcripts.`,
    );
  let before = -1;
  for (const shard of shards) {
    if (shard <= before)
      return fault("GROUPS", `Group ${shard} comes after group ${before}: twice, or out of order.`);
    if (shard >= count) return fault("GROUPS", `The task makes ${count} groups; there is no group ${shard}.`);
    before = shard;
  }
  return ok(count);
}

/** Which groups are in the sum; null where the round is one sum. */
export function groupsLine(count: number, shards: readonly number[]): string | null {
  if (count === 1) return null;
  const leftOut = [...Array(count).keys()].filter((shard) => !shards.includes(shard));
  return `${shards.length} of ${count} groups are in the sum; left out: ${leftOut.length === 0 ? "none" : leftOut.join(", ")}.`;
}

/** What the groups have in common and come to, gathered one by one. */
export class GroupTotals {
  survivorCount = 0;
  #attempt: number | null = null;

  /** All sums are of one attempt: another one has other devices, some of them the same. */
  add(shard: number, attempt: number, survivorCount: number): Checked<void> {
    this.#attempt ??= attempt;
    if (attempt !== this.#attempt)
      return fault("GROUPS", `Group ${shard} is of attempt ${attempt}, another one of ${this.#attempt}.`);
    this.survivorCount += survivorCount;
    return ok(undefined);
  }
}
