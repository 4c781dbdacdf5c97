import { sparseNumbersOf } from "../cohort/threshold.ts";
import { sessionItem } from "../crypto/commitments.ts";
import { sha256Sync } from "../crypto/sha256-sync.ts";
import { present } from "../kernel/assert.ts";
import { type Bytes, hexToBytes } from "../kernel/bytes.ts";
import { placesOf, positionAtIndex, type Seat, seatOfPosition } from "../kernel/places.ts";
import { headerOf } from "../secagg/attempt.ts";
import { ringGraph } from "../secagg/graph.ts";
import { advertItem } from "../secagg/signed-items.ts";
import type { RoundOpened } from "./event.ts";
import type { HoldersBySeat, RosterEntry, Seated } from "./state.ts";

/**
 * The holders of an attempt with a sparse graph, the same as devices compute them. Null if everyone in a shard holds shares
 * of everyone. A sparse round is one sum, so no seats come before it.
 */
export function holdersBySeat(
  facts: RoundOpened,
  attempt: number,
  roster: readonly RosterEntry[],
): HoldersBySeat | null {
  const numbers = sparseNumbersOf(roster.length, facts.rules.graph);
  if (numbers === null) return null;
  const given = facts.sids?.find((one) => one.attempt === attempt)?.sid;
  const sid = given === undefined ? sessionIdOf(facts, attempt, roster) : hexToBytes(given);
  const { holders } = ringGraph(sid, roster.length, numbers.degree);
  return placesOf(roster.length, positionAtIndex).map((dealer) =>
    holders(dealer).map((holder) => seatOfPosition(holder, 0)),
  );
}

/** The session id of an attempt that is one sum, the same as devices compute it. */
export function sessionIdOf(
  { runId, round, parentModelHash, configHash, roundHash }: RoundOpened,
  attempt: number,
  roster: readonly RosterEntry[],
): Bytes {
  const header = headerOf(
    { runId, round, attempt, shard: 0, modelHash: parentModelHash },
    { configHash: hexToBytes(configHash), roundHash: hexToBytes(roundHash) },
  );
  const adverts = roster.map(({ identity, advert }) =>
    advertItem(header, {
      identity: hexToBytes(identity),
      c: hexToBytes(advert.c),
      s: hexToBytes(advert.s),
      bCommit: hexToBytes(advert.bCommit),
    }),
  );
  return sha256Sync(sessionItem(header, adverts));
}

/** The seats that hold shares of the secrets of `owner`, including itself; null if all seats of its shard do. */
export function holdersOf({ holders }: Pick<Seated, "holders">, owner: Seat): readonly Seat[] | null {
  return holders === null ? null : holdersAt(holders, owner);
}

/**
 * True if at least t holders of every owner satisfy `has`. Always true for a complete graph, because the total count
 * is then enough.
 */
export function holdersReach(
  { holders, shards }: Pick<Seated, "holders" | "shards">,
  owners: readonly Seat[],
  has: (seat: Seat) => boolean,
): boolean {
  if (holders === null) return true;
  const { t } = present(shards[0], "a sparse round is one sum").thresholds;
  return owners.every((owner) => {
    let count = 0;
    for (const holder of holdersAt(holders, owner)) if (has(holder)) count++;
    return count >= t;
  });
}

function holdersAt(holders: HoldersBySeat, owner: Seat): readonly Seat[] {
  return present(holders[owner - 1], "holders for each seat");
}
