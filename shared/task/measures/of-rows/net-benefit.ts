import { probabilityOf } from "../../judged-rows.ts";
import { actingFrom, type OperatingPoint } from "../../operating-point.ts";
import type { RowMeasureSpec } from "../row-measure.ts";

/** Source: Vickers and Elkin 2006, doi:10.1177/0272989X06295361. */
export function netBenefit(point: OperatingPoint): RowMeasureSpec {
  const from = actingFrom(point);
  const shown = Number(from.toPrecision(6));
  return {
    of: "classes",
    name: "netBenefit",
    label: "Net benefit",
    unit: "none",
    better: "higher",
    about: `The share of rows with a right alarm less the weighted share with a false one. An alarm is a probability of the second class of at least ${shown}, since a false alarm costs ${point.falseAlarmCost} and a miss ${point.missCost}. A model that never gives an alarm has 0.`,
    isFor: (target) => target.kind === "classes" && target.classes.length === 2,
    figure: (rows) => {
      if (rows.kind !== "classes" || rows.classes.length !== 2) return null;
      const values = Float64Array.from({ length: rows.count }, (_, row) => {
        if (!(probabilityOf(rows, row, 1) >= from)) return 0;
        return rows.labels[row] === 1 ? 1 : -from / (1 - from);
      });
      return { kind: "mean", values };
    },
  };
}
