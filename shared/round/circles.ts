import { sessionItem } from "../crypto/commitments.ts";
import { sha256Sync } from "../crypto/sha256-sync.ts";
import { hexToBytes } from "../kernel/bytes.ts";
import { headerOf } from "../secagg/attempt.ts";
import { type Graph, ringGraph } from "../secagg/graph.ts";
import { advertItem } from "../secagg/signed-items.ts";
import { sparseNumbersOf } from "../secagg/threshold.ts";
import type { Seated } from "./state.ts";

/** By roster: it follows from nothing else, and is asked for with every answer. */
const graphByRoster = new WeakMap<object, Graph | null>();

/**
 * Who holds shares of whose secrets in a sparse graph, the same as the devices compute it; null where everyone of a
 * shard does. Such a round is one sum, so its seats are its positions.
 */
function sparseGraphOf(state: Seated): Graph | null {
  const known = graphByRoster.get(state.roster);
  if (known !== undefined) return known;
  const { rules, runId, round, parentModelHash, configHash, roundHash } = state.facts;
  const numbers = sparseNumbersOf(state.roster.length, rules.graph);
  if (numbers === null) {
    graphByRoster.set(state.roster, null);
    return null;
  }
  const header = headerOf(
    { runId, round, attempt: state.attempt, shard: 0, modelHash: parentModelHash },
    { configHash: hexToBytes(configHash), roundHash: hexToBytes(roundHash) },
  );
  const adverts = state.roster.map(({ identity, advert }) =>
    advertItem(header, {
      identity: hexToBytes(identity),
      c: hexToBytes(advert.c),
      s: hexToBytes(advert.s),
      bCommit: hexToBytes(advert.bCommit),
    }),
  );
  const sid = sha256Sync(sessionItem(header, adverts));
  const ring = ringGraph(sid, state.roster.length, numbers.degree);
  graphByRoster.set(state.roster, ring);
  return ring;
}

/** The seats that hold shares of the secrets of `owner`, itself among them; null where all of its shard do. */
export function circleOf(state: Seated, owner: number): readonly number[] | null {
  return sparseGraphOf(state)?.holders(owner) ?? null;
}

/**
 * True if at least t of the circle of every owner satisfy `has`. Always true in a complete graph, in which the count of
 * all says so already.
 */
export function circlesReach(
  state: Seated,
  owners: readonly number[],
  has: (seat: number) => boolean,
): boolean {
  const graph = sparseGraphOf(state);
  if (graph === null) return true;
  const t = state.shards[0]?.thresholds.t ?? 0;
  return owners.every((owner) => {
    let count = 0;
    for (const holder of graph.holders(owner)) if (has(holder)) count++;
    return count >= t;
  });
}
