import { DOMAINS } from "../crypto/domains.ts";
import { E } from "../crypto/encode.ts";
import { sha256Sync } from "../crypto/sha256-sync.ts";
import { assert, present } from "../kernel/assert.ts";
import type { Bytes } from "../kernel/bytes.ts";
import { type Position, placesOf, positionAtIndex } from "../kernel/places.ts";

/**
 * Which devices of a roster share secrets and pair masks. Both sides of the protocol take the neighbours only from here, so
 * a new kind of graph is one more function of this kind.
 */
export interface Graph {
  /** Ascending positions, without `position` itself. */
  readonly neighbours: (position: Position) => readonly Position[];
  /** The holders of shares of the secrets of `dealer`: its neighbours and itself, ascending. */
  readonly holders: (dealer: Position) => readonly Position[];
  /** Rank of `holder` among them, from 1, which is its x in Shamir's scheme. 0 if it holds no share. */
  readonly rankOf: (dealer: Position, holder: Position) => number;
}

/** Everyone with everyone. Source: Bonawitz et al. 2017, figure 4. */
export function completeGraph(rosterSize: number): Graph {
  const everyone = placesOf(rosterSize, positionAtIndex);
  const isIn = (position: Position) => position >= 1 && position <= rosterSize;
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
 * A ring in an order shuffled by the session id. Each device is joined to the `degree / 2` devices on either side. Everyone
 * computes it from the roster alone, and nobody chooses a place. It is synchronous, so that the round machine can use it.
 *
 * Does not protect if the coordinator deviates from the protocol: whoever picks the adverts can try rosters until the ring
 * suits.
 *
 * @param degree  k, even, below rosterSize - 1.
 * Source: Bell et al. 2020, section 3 (a Harary graph under a random order); Fisher and Yates over SHA-256 blocks.
 */
export function ringGraph(sid: Bytes, rosterSize: number, degree: number): Graph {
  assert(degree % 2 === 0 && degree >= 2 && degree < rosterSize - 1, "a sparse ring");
  const ring = shuffledPositions(sid, rosterSize);
  const placeByPosition = new Map(ring.map((position, place) => [position, place]));
  const steps = Array.from({ length: degree / 2 }, (_, index) => index + 1);
  const neighbours = (position: Position) => {
    const place = present(placeByPosition.get(position), "a position lies in the roster");
    const places = steps.flatMap((step) => [place + step, place - step + rosterSize]);
    const around = places.map((at) => present(ring[at % rosterSize], "a place of the ring"));
    return around.sort((left, right) => left - right);
  };
  const cached = new Map<Position, readonly Position[]>();
  const holders = (dealer: Position) => {
    const known = cached.get(dealer) ?? [...neighbours(dealer), dealer].sort((left, right) => left - right);
    cached.set(dealer, known);
    return known;
  };
  return { neighbours, holders, rankOf: (dealer, holder) => holders(dealer).indexOf(holder) + 1 };
}

/** Number of 53-bit draws from one SHA-256. */
const DRAWS_PER_BLOCK = 4;

/**
 * 1 to n in an order fixed by the seed SHA-256(E(graph, sid)). Draw d is a fraction of 53 bits: the upper 21 bits of word
 * 2 (d mod 4) of SHA-256(E(graph-draw, seed, floor(d / 4))), big-endian, and the whole next word. All orders are equally
 * likely, up to less than 2^-30.
 */
function shuffledPositions(sid: Bytes, rosterSize: number): Position[] {
  const seed = sha256Sync(E(DOMAINS.graph, sid));
  const positions = placesOf(rosterSize, positionAtIndex);
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
    [positions[last], positions[other]] = [positions[other] as Position, positions[last] as Position];
  }
  return positions;
}
