import { wordKey } from "../data/match/words-match.ts";
import type { DistinctCount } from "./distinct-values.ts";

/** A value of a column as most rows write it, with what devices read as the same word. */
export interface Spelled {
  readonly value: string;
  /** Of all spellings together. */
  readonly rows: number;
  /** Less frequent spellings. */
  readonly others: readonly string[];
}

/** A column with more values is no list of categories, and its spellings do not matter. */
const MERGED_MAX = 256;

/** The values of a column in the order in which they appeared, each word once; null if there are too many to know. */
export function spelledValues({ values }: Pick<DistinctCount, "values">): readonly Spelled[] | null {
  if (values === null) return null;
  if (values.length > MERGED_MAX) return values.map(([value, rows]) => ({ value, rows, others: [] }));
  const byKey = new Map<string, (readonly [value: string, rows: number])[]>();
  for (const one of values) {
    const key = wordKey(one[0]);
    byKey.set(key, [...(byKey.get(key) ?? []), one]);
  }
  return [...byKey.values()].map((spellings) => {
    const [first, ...others] = spellings.toSorted((a, b) => b[1] - a[1]);
    return {
      value: first?.[0] ?? "",
      rows: spellings.reduce((sum, [, rows]) => sum + rows, 0),
      others: others.map(([value]) => value),
    };
  });
}
