import { type Draws, percentileBounds } from "../../stats/bootstrap.ts";
import { wilsonBounds } from "../../stats/intervals.ts";
import { confidenceOf, type JudgedClasses } from "../judged-rows.ts";
import { countClasses, f1Of } from "../measures/of-rows/by-class.ts";
import { RELIABILITY_BINS, reliabilityBin } from "../measures/of-rows/calibration-error.ts";
import { eachGroup, rankingBy, sidesOf } from "../measures/of-rows/ranking.ts";
import { reportFigure } from "./figure.ts";
import type { EvaluationReport, ReportFigure } from "./report.ts";

type ClassTable = Extract<EvaluationReport["rows"], { readonly kind: "classes" }>;

/** Points of a curve at most. */
const ROC_POINTS_MAX = 101;
/** Rows of a bin or between two points at least, so that the confidence of none can be read off. */
const ROWS_TOGETHER_MIN = 5;

/** @param drawnF1  Resampled figures of `classFiguresOf`. */
export function classTable(judged: JudgedClasses, drawnF1: readonly (Float64Array | null)[]): ClassTable {
  return {
    kind: "classes",
    confusion: confusionOf(judged),
    byClass: byClass(judged, drawnF1),
    reliability: reliabilityOf(judged),
    roc: judged.classes.length === 2 ? rocOf(judged) : null,
  };
}

/** What is drawn again of each class: its F1. */
export function classFiguresOf(judged: JudgedClasses): (draws: Draws) => readonly number[] {
  return (draws) => {
    const counts = countClasses(judged, draws);
    return judged.classes.map((_, index) => f1Of(counts, index));
  };
}

function confusionOf({ classes, labels, said, count }: JudgedClasses): number[][] {
  const confusion = classes.map(() => classes.map(() => 0));
  for (let row = 0; row < count; row++) {
    const counts = confusion[labels[row] as number];
    const answer = said[row] as number;
    if (counts !== undefined) counts[answer] = (counts[answer] ?? 0) + 1;
  }
  return confusion;
}

function byClass(judged: JudgedClasses, drawnF1: readonly (Float64Array | null)[]): ClassTable["byClass"] {
  const counts = countClasses(judged, onceEach(judged));
  return judged.classes.map((name, index) => {
    const [actual = 0, said = 0, right = 0] = [counts.actual[index], counts.said[index], counts.right[index]];
    const drawn = drawnF1[index] ?? null;
    return {
      name,
      count: actual,
      precision: shareOf(right, said),
      recall: shareOf(right, actual),
      f1: reportFigure(f1Of(counts, index), drawn === null ? null : percentileBounds(drawn), "bootstrap"),
    };
  });
}

function reliabilityOf(judged: JudgedClasses): ClassTable["reliability"] {
  const bins = Array.from({ length: RELIABILITY_BINS }, () => ({ count: 0, sum: 0, right: 0 }));
  for (let row = 0; row < judged.count; row++) {
    const confidence = confidenceOf(judged, row);
    const bin = bins[reliabilityBin(confidence)];
    // A model that has diverged is in no bin.
    if (bin === undefined) continue;
    bin.count += 1;
    bin.sum += confidence;
    if (judged.said[row] === judged.labels[row]) bin.right += 1;
  }
  return bins.map(({ count, sum, right }, index) => ({
    from: index / RELIABILITY_BINS,
    to: (index + 1) / RELIABILITY_BINS,
    count,
    meanProbability: count < ROWS_TOGETHER_MIN ? null : sum / count,
    share: count < ROWS_TOGETHER_MIN ? NO_SHARE : shareOf(right, count),
  }));
}

/** From (0, 0) to (1, 1). Empty if all rows are of one class. */
function rocOf(judged: JudgedClasses): NonNullable<ClassTable["roc"]> {
  const draws = onceEach(judged);
  const { positives, negatives } = sidesOf(judged, 1, draws);
  if (positives === 0 || negatives === 0) return [];
  const apart = Math.max(ROWS_TOGETHER_MIN, judged.count / (ROC_POINTS_MAX - 1));
  const points = [{ falsePositiveRate: 0, truePositiveRate: 0 }];
  let [found, alarms, countAtLast] = [0, 0, 0];
  eachGroup(judged, 1, rankingBy(judged, 1), draws, (hits, misses) => {
    found += hits;
    alarms += misses;
    const count = found + alarms;
    // The last point, (1, 1), keeps its distance, too.
    if (count - countAtLast < apart || judged.count - count < apart) return;
    countAtLast = count;
    points.push({ falsePositiveRate: alarms / negatives, truePositiveRate: found / positives });
  });
  return [...points, { falsePositiveRate: 1, truePositiveRate: 1 }];
}

const NO_SHARE: ReportFigure = { value: null, low: null, high: null, interval: "none" };

function shareOf(hits: number, count: number): ReportFigure {
  return reportFigure(hits / count, wilsonBounds(hits, count), "wilson");
}

function onceEach({ count }: JudgedClasses): Draws {
  return new Uint32Array(count).fill(1);
}
