import { bCommit } from "../crypto/commitments.ts";
import { maskKeyPairFromSeed, pairMaskKey, pairMaskSign, selfMaskKey } from "../crypto/key-agreement.ts";
import type { Mask } from "../crypto/mask-stream.ts";
import { buildMerkleTree, type MerkleTree, merklePath } from "../crypto/merkle.ts";
import { combineShares, fieldFor, type LagrangeBasis, lagrangeBasisAtZero } from "../crypto/shamir.ts";
import { assert, present } from "../kernel/assert.ts";
import { type Bytes, equalBytes } from "../kernel/bytes.ts";
import type { Position } from "../kernel/places.ts";
import type { Primitives } from "../kernel/ports.ts";
import { err, ok, type Result } from "../kernel/result.ts";
import type { HashHex } from "../protocol/ids.ts";
import type { CoordinatorMessageOf } from "../protocol/messages/coordinator.ts";
import { inputLeafHash } from "./input.ts";
import { type SessionSets, without } from "./position-sets.ts";
import { holdersIn, memberAt, neighboursOf, type Roster } from "./roster.ts";
import type { GivenShares } from "./server.ts";

/** Number of matching shares of each needed secret, by owner: `b` of each survivor, `z` of each dropout of U2. */
export function shareCounts(
  roster: Roster,
  sets: SessionSets,
  openings: readonly GivenShares[],
): ReadonlyMap<Position, number> {
  const counts = new Map(sets.u2.positions.map((owner) => [owner, 0]));
  for (const { bShares, zShares } of openings) {
    for (const { owner } of [...bShares, ...zShares]) {
      counts.set(owner, present(counts.get(owner), "an owner in U2") + 1);
    }
  }
  assert(counts.size <= roster.members.length, "owners lie in the roster");
  return counts;
}

/**
 * Rebuilds b of every survivor and z of every dropout. Returns the masks that, added with their signs, turn the sum of the
 * survivors' masked inputs into the sum of their inputs.
 *
 * @param openings  From `verifyUnmask`, of distinct holders.
 * Errors: `BELOW_T` with the owners that lack shares; `BAD_B` or `BAD_S` with the dealers whose matching shares give
 * another secret than they announced. These dealers are to blame (S9).
 * Source: Bonawitz et al. 2017, figure 4, round 4. Rule S2.
 */
export async function reconstructMasks(
  primitives: Primitives,
  roster: Roster,
  sets: SessionSets,
  openings: readonly GivenShares[],
): Promise<Result<readonly Mask[], ReconstructError>> {
  const { t } = roster.thresholds;
  const short = [...shareCounts(roster, sets, openings)]
    .filter(([, count]) => count < t)
    .map(([owner]) => owner);
  if (short.length > 0) return err({ code: "BELOW_T", owners: short });
  const combine = combiner(roster, openings);

  const masks: Mask[] = [];
  const badB: Position[] = [];
  for (const owner of sets.u3.positions) {
    const b = combine("bShares", owner);
    const announced = memberAt(roster, owner);
    if (equalBytes(await bCommit(primitives, announced.identity, b), announced.bCommit)) {
      masks.push({ key: await selfMaskKey(primitives, b, roster.sid, owner), sign: -1 });
    } else badB.push(owner);
    b.fill(0);
  }
  const badS: Position[] = [];
  for (const owner of without(sets.u2, sets.u3)) {
    const z = combine("zShares", owner);
    const pair = await maskKeyPairFromSeed(primitives, z);
    if (equalBytes(pair.publicKey, memberAt(roster, owner).s)) {
      masks.push(...(await leftoverPairMasks(primitives, roster, sets, owner, pair.secretKey)));
    } else badS.push(owner);
    z.fill(0);
    pair.secretKey.fill(0);
  }
  if (badB.length > 0) return err({ code: "BAD_B", dealers: badB });
  if (badS.length > 0) return err({ code: "BAD_S", dealers: badS });
  return ok(masks);
}
export type ReconstructError =
  | { readonly code: "BELOW_T"; readonly owners: readonly Position[] }
  | { readonly code: "BAD_B"; readonly dealers: readonly Position[] }
  | { readonly code: "BAD_S"; readonly dealers: readonly Position[] };

/**
 * Combines the first t matching shares of a secret. Computes the Lagrange basis once for each set of holders. Takes O(n)
 * per secret, because the shares are sorted by owner once at the start.
 */
function combiner(roster: Roster, openings: readonly GivenShares[]) {
  const ascending = [...openings].sort((left, right) => left.holder - right.holder);
  const heldBy = {
    bShares: sharesByOwner(ascending, "bShares"),
    zShares: sharesByOwner(ascending, "zShares"),
  };
  const basisByXs = new Map<string, LagrangeBasis>();
  return (kind: "bShares" | "zShares", owner: Position): Bytes => {
    const held = present(heldBy[kind].get(owner), "shares of the owner").slice(0, roster.thresholds.t);
    const xs = held.map(({ holder }) => roster.graph.rankOf(owner, holder));
    const field = fieldFor(holdersIn(roster, owner).length);
    const name = xs.join();
    const basis = basisByXs.get(name) ?? lagrangeBasisAtZero(xs, field);
    basisByXs.set(name, basis);
    return combineShares(
      basis,
      held.map(({ share }) => share),
    );
  };
}

function sharesByOwner(openings: readonly GivenShares[], kind: "bShares" | "zShares") {
  const byOwner = new Map<Position, { readonly holder: Position; readonly share: Bytes }[]>();
  for (const opening of openings) {
    for (const { owner, share } of opening[kind]) {
      const held = byOwner.get(owner) ?? [];
      held.push({ holder: opening.holder, share });
      byOwner.set(owner, held);
    }
  }
  return byOwner;
}

/** The pair masks of survivors with `dropout`, which nothing cancels, each with the sign that removes it. */
async function leftoverPairMasks(
  primitives: Primitives,
  roster: Roster,
  sets: SessionSets,
  dropout: Position,
  secretKey: Bytes,
): Promise<readonly Mask[]> {
  const survivors = new Set(sets.u3.positions);
  const neighbours = neighboursOf(roster, dropout).filter((neighbour) => survivors.has(neighbour));
  return Promise.all(
    neighbours.map(async (survivor): Promise<Mask> => {
      const shared = await primitives.x25519(secretKey, memberAt(roster, survivor).s);
      // Every key of a roster was probed on arrival.
      assert(shared.ok, "a roster has no key of small order");
      const key = await pairMaskKey(primitives, shared.value, roster.sid, survivor, dropout);
      shared.value.fill(0);
      return { key, sign: pairMaskSign(survivor, dropout) === 1 ? -1 : 1 };
    }),
  );
}

/** The tree of the survivors' inputs. @param roots  Their input roots in order of position. */
export async function inputsTree(primitives: Primitives, roots: readonly Bytes[]): Promise<MerkleTree> {
  return buildMerkleTree(primitives, await Promise.all(roots.map((root) => inputLeafHash(primitives, root))));
}

/** The outcome message that tells a survivor that the round is committed and its input is in the sum. */
export function committedOutcome(
  roster: Roster,
  sets: SessionSets,
  inputs: MerkleTree,
  position: Position,
  modelHash: string,
): CoordinatorMessageOf<"outcome"> {
  const leafIndex = sets.u3.positions.indexOf(position);
  assert(leafIndex >= 0 && inputs.size === sets.u3.positions.length, "an outcome goes to a survivor");
  return {
    type: "outcome",
    sid: roster.sidHex,
    result: {
      kind: "committed",
      survivorCount: sets.u3.positions.length,
      modelHash: modelHash as HashHex,
      inputsRoot: inputs.root,
      path: merklePath(inputs, leafIndex),
      leafIndex,
    },
  };
}
