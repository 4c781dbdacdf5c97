import type { Draws } from "../../../stats/bootstrap.ts";
import { type JudgedClasses, probabilityOf } from "../../judged-rows.ts";
import { type OperatingPoint, percent } from "../../operating-point.ts";
import type { RowMeasureSpec } from "../row-measure.ts";

/** Rows in groups of one probability, the highest first. */
export interface Ranking {
  /** Rows by descending probability. */
  readonly order: Uint32Array;
  /** Where in `order` each group ends. */
  readonly ends: Uint32Array;
}

/** Source: Hanley and McNeil 1982: the probability that a row of the class is ranked above another; ties count a half. */
export const areaUnderCurve: RowMeasureSpec = {
  of: "classes",
  name: "auc",
  label: "Area under the ROC curve",
  unit: "none",
  better: "higher",
  about:
    "The probability that a row of the class gets a higher probability of it than a row of another class. With more than two classes it is the mean over the classes, each against all others.",
  figure: (rows) => {
    if (rows.kind !== "classes" || hasDiverged(rows)) return null;
    // With two classes both sides are the same area.
    const sides = rows.classes.length === 2 ? [1] : rows.classes.map((_, index) => index);
    const rankings = sides.map((index) => ({ index, ranking: rankingBy(rows, index) }));
    return {
      kind: "whole",
      of: (draws) => {
        const areas = rankings.map(({ index, ranking }) => areaOf(rows, index, ranking, draws));
        const known = areas.filter((area) => !Number.isNaN(area));
        return known.reduce((sum, area) => sum + area, 0) / known.length;
      },
    };
  },
};

export function sensitivity({ specificity }: Pick<OperatingPoint, "specificity">): RowMeasureSpec {
  return {
    of: "classes",
    name: "sensitivity",
    label: `Sensitivity at a specificity of ${percent(specificity)}`,
    unit: "share",
    better: "higher",
    about: `The largest share of the second class that a threshold finds while it leaves at least ${percent(specificity)} of the first class alone.`,
    isFor: (target) => target.kind === "classes" && target.classes.length === 2,
    figure: (rows) => {
      if (rows.kind !== "classes" || rows.classes.length !== 2 || hasDiverged(rows)) return null;
      const ranking = rankingBy(rows, 1);
      return {
        kind: "whole",
        of: (draws) => {
          let best = 0;
          let [found, alarms] = [0, 0];
          const { positives, negatives } = sidesOf(rows, 1, draws);
          eachGroup(rows, 1, ranking, draws, (hits, misses) => {
            found += hits;
            alarms += misses;
            if (alarms <= (1 - specificity) * negatives + SLACK) best = Math.max(best, found);
          });
          return negatives === 0 ? Number.NaN : best / positives;
        },
      };
    },
  };
}

/** (1 - 0.9) n is a little below the whole number that it stands for. */
const SLACK = 1e-9;

/** True if a probability is no number: then there is no order of rows. */
function hasDiverged({ probabilities }: JudgedClasses): boolean {
  return probabilities.some(Number.isNaN);
}

/** Rows by their probability of a class. */
export function rankingBy(rows: JudgedClasses, index: number): Ranking {
  const scores = Float32Array.from({ length: rows.count }, (_, row) => probabilityOf(rows, row, index));
  const order = Uint32Array.from(scores, (_, row) => row).sort(
    (left, right) => (scores[right] as number) - (scores[left] as number),
  );
  const ends: number[] = [];
  for (let place = 1; place <= order.length; place++) {
    const isLast = place === order.length;
    if (isLast || scores[order[place] as number] !== scores[order[place - 1] as number]) ends.push(place);
  }
  return { order, ends: Uint32Array.from(ends) };
}

/** Calls `take` with the rows of the class and of others in each group, from the highest probability down. */
export function eachGroup(
  { labels }: JudgedClasses,
  index: number,
  { order, ends }: Ranking,
  draws: Draws,
  take: (hits: number, misses: number, last: number) => void,
): void {
  let place = 0;
  for (const end of ends) {
    let [hits, misses] = [0, 0];
    for (; place < end; place++) {
      const row = order[place] as number;
      if (labels[row] === index) hits += draws[row] as number;
      else misses += draws[row] as number;
    }
    take(hits, misses, order[end - 1] as number);
  }
}

/** Rows of the class, and of all others. */
export function sidesOf({ labels }: JudgedClasses, index: number, draws: Draws) {
  let [positives, negatives] = [0, 0];
  for (let row = 0; row < draws.length; row++) {
    if (labels[row] === index) positives += draws[row] as number;
    else negatives += draws[row] as number;
  }
  return { positives, negatives };
}

/** NaN without rows of the class or of another. */
function areaOf(rows: JudgedClasses, index: number, ranking: Ranking, draws: Draws): number {
  let [area, found, all] = [0, 0, 0];
  eachGroup(rows, index, ranking, draws, (hits, misses) => {
    area += misses * (found + hits / 2);
    found += hits;
    all += misses;
  });
  return area / (found * all);
}
