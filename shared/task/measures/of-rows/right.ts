import { type JudgedClasses, probabilityOf } from "../../judged-rows.ts";
import { accuracy } from "../accuracy.ts";
import { loss } from "../loss.ts";
import type { RowMeasureSpec } from "../row-measure.ts";

/** The same as in events and charts, of the rows. */
export const accuracyOfRows: RowMeasureSpec = {
  of: "classes",
  name: accuracy.name,
  label: accuracy.label,
  unit: accuracy.unit,
  better: accuracy.better,
  about: "The share of rows whose most probable class is the right one.",
  figure: (rows) => (rows.kind === "classes" ? { kind: "share", hits: hitsAmong(rows, 1) } : null),
};

/** @param k  More classes than this must there be, or every row would count. */
export function topK(k: number): RowMeasureSpec {
  return {
    of: "classes",
    name: `top${k}`,
    label: `Right among the ${k} most probable`,
    unit: "share",
    better: "higher",
    about: `The share of rows whose right class is among the ${k} most probable ones. Of equally probable classes the first count as more probable.`,
    isFor: (target) => target.kind === "classes" && target.classes.length > k,
    figure: (rows) => (rows.kind === "classes" ? { kind: "share", hits: hitsAmong(rows, k) } : null),
  };
}

export const logLoss: RowMeasureSpec = {
  of: "classes",
  name: loss.name,
  label: "Log loss",
  unit: loss.unit,
  better: loss.better,
  about: "The mean cross-entropy of the rows, in nats.",
  figure: (rows) => (rows.kind === "classes" ? { kind: "mean", values: rows.losses } : null),
};

/** 1 for each row with fewer than k classes before the right one. The first of all is the one that the model says. */
function hitsAmong(rows: JudgedClasses, k: number): Uint8Array {
  const { classes, labels, said, count } = rows;
  const hits = new Uint8Array(count);
  for (let row = 0; row < count; row++) {
    const label = labels[row] as number;
    if (said[row] === label) hits[row] = 1;
    else if (k > 1) {
      const own = probabilityOf(rows, row, label);
      // A model that has diverged ranks nothing, and nothing compares with NaN.
      if (Number.isNaN(own)) continue;
      let before = 0;
      for (let index = 0; index < classes.length; index++) {
        const other = probabilityOf(rows, row, index);
        if (Number.isNaN(other) || other > own || (other === own && index < label)) before += 1;
      }
      hits[row] = Number(before < k);
    }
  }
  return hits;
}
