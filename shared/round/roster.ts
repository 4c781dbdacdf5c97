import { assert } from "../kernel/assert.ts";
import type { Advert, ForbiddenPair } from "./event.ts";
import type { Seat } from "./state.ts";

/** Identities by how many others they may not meet. */
export function partnerCounts(pairs: readonly ForbiddenPair[]): ReadonlyMap<string, number> {
  const partners = new Map<string, Set<string>>();
  const note = (identity: string, other: string) => {
    const known = partners.get(identity) ?? new Set<string>();
    partners.set(identity, known.add(other));
  };
  for (const [left, right] of pairs) {
    note(left, right);
    note(right, left);
  }
  return new Map([...partners].map(([identity, others]) => [identity, others.size]));
}

/**
 * The candidates that may sit together: no forbidden pair, nobody removed. Rule R11.
 *
 * Greedy, those with the fewest forbidden partners first, so that a device that quarrels with many loses its seat
 * before those it quarrels with; else in the given order.
 */
export function compatible(
  candidates: readonly string[],
  pairs: readonly ForbiddenPair[],
  removed: readonly string[],
): string[] {
  const partners = partnerCounts(pairs);
  const barred = new Set(removed);
  const forbidden = new Set(pairs.flatMap(([left, right]) => [`${left} ${right}`, `${right} ${left}`]));
  const byQuarrels = candidates
    .filter((identity) => !barred.has(identity))
    .map((identity, index) => ({ identity, index, count: partners.get(identity) ?? 0 }))
    .sort((left, right) => left.count - right.count || left.index - right.index);
  const chosen: { readonly identity: string; readonly index: number }[] = [];
  for (const candidate of byQuarrels) {
    const clashes =
      candidate.count > 0 &&
      chosen.some(({ identity }) => forbidden.has(`${identity} ${candidate.identity}`));
    if (!clashes) chosen.push(candidate);
  }
  return chosen.sort((left, right) => left.index - right.index).map(({ identity }) => identity);
}

/** U1 in order of position: hex of one length sorts as its bytes do. */
export function seatsOf(identities: readonly string[], adverts: ReadonlyMap<string, Advert>): Seat[] {
  const sorted = [...identities].sort();
  return sorted.map((identity) => {
    const advert = adverts.get(identity);
    assert(advert !== undefined, "a seat belongs to a device that advertised");
    return { identity, advert };
  });
}

/** The keys of one device, none of which may be another's. All keys of a round differ. */
export function keysOf(identity: string, advert: Advert): readonly string[] {
  return [identity, advert.c, advert.s];
}

/** Whether one of these keys is there twice, or is another device's. @param ownerByKey  Of all that advertised. */
export function sharesKey(
  identity: string,
  advert: Advert,
  ownerByKey: ReadonlyMap<string, string>,
): boolean {
  const own = keysOf(identity, advert);
  return (
    new Set(own).size !== own.length || own.some((key) => (ownerByKey.get(key) ?? identity) !== identity)
  );
}
