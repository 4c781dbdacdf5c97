import type { Entry } from "../ports/tracking-store.ts";

/* Tags of things that are kept as documents: entries rather than an object, whose keys could reach a prototype. */

/** The later of two with one key counts. */
export function withEntry(entries: readonly Entry[], entry: Entry): readonly Entry[] {
  return [...withoutEntry(entries, entry.key), entry];
}

export function withoutEntry(entries: readonly Entry[], key: string): readonly Entry[] {
  return entries.filter((known) => known.key !== key);
}

export function entryOf(entries: readonly Entry[], key: string): string | undefined {
  return entries.find((entry) => entry.key === key)?.value;
}
