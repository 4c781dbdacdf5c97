import type { Measure } from "./measure.ts";

/** Which side of `other` a measure lies on; null if their intervals overlap, since nobody can tell then. */
export function sideOf(measure: Measure, other: Measure): "higher" | "lower" | null {
  const gap = measure.value - other.value;
  if (Math.abs(gap) <= measure.halfWidth95 + other.halfWidth95) return null;
  return gap > 0 ? "higher" : "lower";
}
