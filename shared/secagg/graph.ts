import { DOMAINS } from "../crypto/domains.ts";
import { E } from "../crypto/encode.ts";
import { sha256Sync } from "../crypto/sha256-sync.ts";
import { assert, present } from "../kernel/assert.ts";
import type { Bytes } from "../kernel/bytes.ts";

/**
 * Who shares secrets and pair masks with whom in one roster. The engines on both sides take the neighbours from here and
 * nowhere else, so a sparse graph is one more function of this kind.
 */
export interface Graph {
  /** Ascending positions, without `position` itself. */
  readonly neighbours: (position: number) => readonly number[];
  /** Who holds shares of the secrets of `dealer`: its neighbours and itself, ascending. */
  readonly holders: (dealer: number) => readonly number[];
  /** Place of `holder` among them, from 1: its x in Shamir's scheme. 0 where it holds none. */
  readonly rankOf: (dealer: number, holder: number) => number;
}

/** Everyone with everyone. Source: Bonawitz et al. 2017, figure 4. */
export function completeGraph(rosterSize: number): Graph {
  const everyone = Array.from({ length: rosterSize }, (_, index) => index + 1);
  const isIn = (position: number) => position >= 1 && position <= rosterSize;
  return {
    neighbours: (position) => {
      assert(isIn(position), "a position lies in the roster");
      return everyone.filter((other) => other !== position);
    },
    holders: (dealer) => {
      assert(isIn(dealer), "a position lies in the roster");
      return everyone;
    },
    rankOf: (_dealer, holder) => (isIn(holder) ? holder : 0),
  };
}

/**
 * A ring in an order that the session id shuffles, each device joined to the `degree / 2` on either side. Everyone
 * computes it from the roster alone, without waiting, so that the round machine can too; nobody chooses a place.
 *
 * Does not protect: who picks the adverts can try rosters until the ring suits, hence only against a coordinator that
 * follows the protocol.
 *
 * @param degree  k, even, below rosterSize - 1.
 * Source: Bell et al. 2020, section 3 (a Harary graph under a random order); Fisher and Yates over SHA-256 blocks.
 */
export function ringGraph(sid: Bytes, rosterSize: number, degree: number): Graph {
  assert(degree % 2 === 0 && degree >= 2 && degree < rosterSize - 1, "a sparse ring");
  const ring = shuffledPositions(sid, rosterSize);
  const placeOf = new Map(ring.map((position, place) => [position, place]));
  const steps = Array.from({ length: degree / 2 }, (_, index) => index + 1);
  const neighbours = (position: number) => {
    const place = present(placeOf.get(position), "a position lies in the roster");
    const places = steps.flatMap((step) => [place + step, place - step + rosterSize]);
    const around = places.map((at) => present(ring[at % rosterSize], "a place of the ring"));
    return around.sort((left, right) => left - right);
  };
  const cached = new Map<number, readonly number[]>();
  const holders = (dealer: number) => {
    const known = cached.get(dealer) ?? [...neighbours(dealer), dealer].sort((left, right) => left - right);
    cached.set(dealer, known);
    return known;
  };
  return { neighbours, holders, rankOf: (dealer, holder) => holders(dealer).indexOf(holder) + 1 };
}

/** Numbers of 53 bits in one SHA-256. */
const DRAWS_PER_BLOCK = 4;

/**
 * 1 to n in an order that the seed SHA-256(E(graph, sid)) fixes. Draw d is a fraction of 53 bits: words 2 (d mod 4) and
 * the next of SHA-256(E(graph-draw, seed, floor(d / 4))), big-endian, of the first the upper 21 bits. Each order is as
 * likely as any other, but for less than 2^-30.
 */
function shuffledPositions(sid: Bytes, rosterSize: number): number[] {
  const seed = sha256Sync(E(DOMAINS.graph, sid));
  const positions = Array.from({ length: rosterSize }, (_, index) => index + 1);
  let block = new DataView(new ArrayBuffer(0));
  for (let draw = 0; draw < rosterSize - 1; draw++) {
    const place = draw % DRAWS_PER_BLOCK;
    if (place === 0) {
      block = new DataView(sha256Sync(E(DOMAINS.graphDraw, seed, draw / DRAWS_PER_BLOCK)).buffer);
    }
    const high = block.getUint32(8 * place) >>> 11;
    const fraction = (high * 2 ** 32 + block.getUint32(8 * place + 4)) / 2 ** 53;
    const last = rosterSize - 1 - draw;
    const other = Math.floor(fraction * (last + 1));
    [positions[last], positions[other]] = [positions[other] as number, positions[last] as number];
  }
  return positions;
}
