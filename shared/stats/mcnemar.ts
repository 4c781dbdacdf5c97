import { assert } from "../kernel/assert.ts";
import { type Bounds, Z95 } from "./intervals.ts";

/**
 * Rows on which two models differ in being right. Rows on which both are right, or both wrong, say nothing about which of them
 * is better.
 */
export interface Discordant {
  readonly onlyFirst: number;
  readonly onlySecond: number;
}

/**
 * McNemar's exact test, two-sided: how likely a split at least as uneven is, if neither model is right more often. 1 if they
 * never differ.
 *
 * Source: McNemar 1947; the exact binomial form, with both tails of equal size.
 */
export function mcnemarExact({ onlyFirst, onlySecond }: Discordant): number {
  const fewer = Math.min(onlyFirst, onlySecond);
  const all = onlyFirst + onlySecond;
  assert(Number.isInteger(fewer) && Number.isInteger(all) && fewer >= 0, "counts are whole numbers");
  // ln of C(all, fewer) / 2^all, then downwards by the ratio of neighbours.
  let logTerm = -all * Math.LN2;
  for (let chosen = 1; chosen <= fewer; chosen++) logTerm += Math.log((all - chosen + 1) / chosen);
  let ratio = 1;
  let sum = 0;
  for (let chosen = fewer; chosen >= 0 && ratio > Number.EPSILON * sum; chosen--) {
    sum += ratio;
    ratio *= chosen / (all - chosen + 1);
  }
  return Math.min(1, 2 * Math.exp(logTerm + Math.log(sum)));
}

/**
 * 95 % interval of (share of the second) - (share of the first) on `count` rows that both were asked.
 *
 * Source: Bonett and Price 2012, the adjusted Wald interval for paired proportions. It is centred a little closer to 0 than
 * the difference itself.
 */
export function pairedShareBounds({ onlyFirst, onlySecond }: Discordant, count: number): Bounds {
  const [first, second] = [(onlyFirst + 1) / (count + 2), (onlySecond + 1) / (count + 2)];
  const centre = second - first;
  const half = Z95 * Math.sqrt((first + second - centre ** 2) / (count + 2));
  return { low: Math.max(-1, centre - half), high: Math.min(1, centre + half) };
}
