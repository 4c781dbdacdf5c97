import type { ComparedMeasure, Comparison } from "#shared/task/report/comparison.ts";
import type { EvaluationReport } from "#shared/task/report/report.ts";
import { formatCount, formatDecimal, formatFigure } from "./format.ts";

/* How two versions of a model differ on the same held-out rows. Pure. */

/** "+1.1 points", "−0.03 nats", "+0.4 dollars" */
export function differenceWords(difference: number, unit: string): string {
  const sign = difference > 0 ? "+" : "";
  if (unit === "share") return `${sign}${formatDecimal(100 * difference, 1)}\u00a0points`;
  if (unit === "nats" || unit === "none")
    return `${sign}${formatDecimal(difference)}${unit === "nats" ? "\u00a0nats" : ""}`;
  return `${sign}${formatFigure(difference)}\u00a0${unit}`;
}

/** "+1.1 points (95 %: −0.8 to +3.0)" */
export function intervalWords({ difference, low, high, unit }: ComparedMeasure): string {
  const bare = (value: number) => differenceWords(value, unit).split("\u00a0")[0] ?? "";
  return `${differenceWords(difference, unit)} (95\u00a0%: ${bare(low)} to ${bare(high)})`;
}

export function verdictWords({ verdict }: Pick<ComparedMeasure, "verdict">): string {
  return verdict === "too-close" ? "too close to tell" : verdict;
}

/**
 * The verdict in a sentence, about the second version.
 *
 * @param many  What the rows are called: "drawings".
 */
export function comparisonLead(
  comparison: Comparison,
  { first, second }: { readonly first: number; readonly second: number },
  many: string,
): string {
  if (!comparison.comparable) return `Not comparable. ${comparison.reason}`;
  const [headline] = comparison.measures;
  if (headline === undefined) return "These rows allow no measure that could be compared.";
  const against = `Version ${second} against version ${first}, ${headline.label.toLowerCase()}: ${intervalWords(headline)}`;
  const chance = headline.verdict === "too-close" ? "; chance alone often does as much" : "";
  const verdict = {
    better: `Version ${second} is better.`,
    worse: `Version ${second} is worse.`,
    "too-close": "Too close to tell.",
  }[headline.verdict];
  return `${verdict} ${against} on ${formatCount(comparison.rowCount)} ${many}${chance}.`;
}

/** Which rows decide, and by which test: "Only the 12 rows where they differ count. McNemar, exact: p = 0.39." */
export function testWords({ test, counts, p }: ComparedMeasure): string {
  const chance = p < 0.001 ? "p < 0.001" : `p = ${p.toFixed(p < 0.1 ? 3 : 2)}`;
  if (test === "mcnemar-exact" && counts !== null) {
    const differing = counts.onlyFirst + counts.onlySecond;
    return `Only the ${formatCount(differing)} rows where one is right and the other wrong count. McNemar, exact: ${chance}.`;
  }
  return `The same rows drawn again and again, in pairs: ${chance}.`;
}

/** The unit in which a difference is drawn, and what it is multiplied by: shares in points. */
export function shownDifference(unit: string): { readonly unit: string; readonly scale: number } {
  if (unit === "share") return { unit: "points", scale: 100 };
  return { unit: unit === "none" ? "no unit" : unit, scale: 1 };
}

export interface CountRow {
  readonly name: string;
  /** Rows that the first version gets right, and wrong. */
  readonly right: number;
  readonly wrong: number;
}

/** Rows by which of two versions is right; null if the measure is no share of rows. */
export function fourCounts(
  { counts, first }: Pick<ComparedMeasure, "counts" | "first">,
  rowCount: number,
  { second }: { readonly second: number },
): readonly CountRow[] | null {
  if (counts === null) return null;
  const { onlyFirst, onlySecond } = counts;
  const both = Math.round(first * rowCount) - onlyFirst;
  const neither = rowCount - both - onlyFirst - onlySecond;
  return [
    { name: `Version ${second} right`, right: both, wrong: onlySecond },
    { name: `Version ${second} wrong`, right: onlyFirst, wrong: neither },
  ];
}

/** Why the classes of two versions are not drawn beside each other; null if they can be. */
export function classesApart(one: EvaluationReport | null, other: EvaluationReport | null): string | null {
  if (one === null || other === null)
    return "No bars by class: one of them was not evaluated on held-out rows.";
  if (one.heldOutHash !== other.heldOutHash)
    return "No bars by class: the two were evaluated on different held-out rows.";
  if (one.rows.kind !== "classes" || other.rows.kind !== "classes") return "";
  const others = other.rows.byClass;
  if (
    others.length !== one.rows.byClass.length ||
    !one.rows.byClass.every(({ name }, at) => name === others[at]?.name)
  )
    return "No bars by class: the two do not have the same classes in the same order.";
  const count = one.rows.byClass.length;
  if (count > CLASSES_MAX) return `No bars by class: ${count} classes are too many for one chart.`;
  return null;
}

const CLASSES_MAX = 30;
