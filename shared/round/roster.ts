import { assert } from "../kernel/assert.ts";
import type { Advert, ForbiddenPair } from "./event.ts";
import type { RosterEntry } from "./state.ts";

/** For each identity, how many others it must not share a roster with. */
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
 * The candidates that may sit together, without forbidden pairs and removed devices. Rule R11.
 *
 * Greedy: devices with the fewest forbidden partners come first, so a device that quarrels with many loses its seat before
 * its partners do. Otherwise the given order decides.
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

/** U1 in order of position. Hex strings of equal length sort like their bytes. */
export function rosterOf(identities: readonly string[], adverts: ReadonlyMap<string, Advert>): RosterEntry[] {
  const sorted = [...identities].sort();
  return sorted.map((identity) => {
    const advert = adverts.get(identity);
    assert(advert !== undefined, "a roster holds only devices that advertised");
    return { identity, advert };
  });
}

/** The keys of one device. All keys of a round must differ. */
export function keysOf(identity: string, advert: Advert): readonly string[] {
  return [identity, advert.c, advert.s];
}

/** True if a key occurs twice or belongs to another device. @param ownerByKey  Keys of all devices that advertised. */
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
