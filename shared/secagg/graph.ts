import { DOMAINS } from "../crypto/domains.ts";
import { E } from "../crypto/encode.ts";
import { assert, present } from "../kernel/assert.ts";
import type { Bytes } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";

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
 * computes it from the roster alone; nobody chooses a place.
 *
 * Does not protect: who picks the adverts can try rosters until the ring suits, hence only against a coordinator that
 * follows the protocol.
 *
 * @param degree  k, even, below rosterSize - 1.
 * Source: Bell et al. 2020, section 3 (a Harary graph under a random order); Fisher and Yates over AES-256-CTR words.
 */
export async function ringGraph(
  primitives: Primitives,
  sid: Bytes,
  rosterSize: number,
  degree: number,
): Promise<Graph> {
  assert(degree % 2 === 0 && degree >= 2 && degree < rosterSize - 1, "a sparse ring");
  const ring = await shuffledPositions(primitives, sid, rosterSize);
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

/** 1 to n in an order that the session id fixes; each order is as likely as any other, but for 2^-40. */
async function shuffledPositions(primitives: Primitives, sid: Bytes, rosterSize: number): Promise<number[]> {
  const key = await primitives.sha256(E(DOMAINS.graph, sid));
  const stream = await primitives.aes256CtrKeystream(key, 0, 8 * rosterSize);
  const words = new DataView(stream.buffer, stream.byteOffset);
  const positions = Array.from({ length: rosterSize }, (_, index) => index + 1);
  for (let last = rosterSize - 1; last > 0; last--) {
    // 53 bits of the stream as a fraction.
    const high = words.getUint32(8 * last, true) >>> 11;
    const fraction = (high * 2 ** 32 + words.getUint32(8 * last + 4, true)) / 2 ** 53;
    const other = Math.floor(fraction * (last + 1));
    [positions[last], positions[other]] = [positions[other] as number, positions[last] as number];
  }
  return positions;
}
