import type { Bounds } from "../../stats/intervals.ts";
import type { ReportFigure } from "./report.ts";

/** Numbers that JSON does not have become null. */
export function reportFigure(
  value: number,
  bounds: Bounds | null,
  interval: ReportFigure["interval"],
): ReportFigure {
  if (!Number.isFinite(value)) return { value: null, low: null, high: null, interval: "none" };
  if (bounds === null || !Number.isFinite(bounds.low) || !Number.isFinite(bounds.high))
    return { value, low: null, high: null, interval: "none" };
  return { value, low: bounds.low, high: bounds.high, interval };
}
