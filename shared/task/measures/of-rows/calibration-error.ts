import { confidenceOf } from "../../judged-rows.ts";
import type { RowMeasureSpec } from "../row-measure.ts";

/** Bins of equal width, from 0 to 1. */
export const RELIABILITY_BINS = 10;

/** The bin of a probability. */
export function reliabilityBin(probability: number): number {
  return Math.min(RELIABILITY_BINS - 1, Math.floor(RELIABILITY_BINS * probability));
}

/**
 * Source: Naeini et al. 2015; Guo et al. 2017, arXiv:1706.04599, section 2. A model that is perfectly calibrated still has a
 * little of it on few rows.
 */
export const calibrationError: RowMeasureSpec = {
  of: "classes",
  name: "calibrationError",
  label: "Calibration error",
  unit: "share",
  better: "lower",
  about: `How far the probability of the class that the model says is from how often it is right: rows in ${RELIABILITY_BINS} bins of equal width by that probability, the distance in each bin weighted by its rows.`,
  figure: (rows) => {
    if (rows.kind !== "classes") return null;
    const confidences = Float64Array.from({ length: rows.count }, (_, row) => confidenceOf(rows, row));
    if (confidences.some(Number.isNaN)) return null;
    const bins = Uint8Array.from(confidences, reliabilityBin);
    return {
      kind: "whole",
      of: (draws) => {
        // Of each bin, how many more are right than were promised.
        const surplus = new Float64Array(RELIABILITY_BINS);
        let all = 0;
        for (let row = 0; row < draws.length; row++) {
          const [times, bin] = [draws[row] as number, bins[row] as number];
          const isRight = rows.said[row] === rows.labels[row];
          surplus[bin] = (surplus[bin] as number) + times * (Number(isRight) - (confidences[row] as number));
          all += times;
        }
        return surplus.reduce((sum, value) => sum + Math.abs(value), 0) / all;
      },
    };
  },
};
