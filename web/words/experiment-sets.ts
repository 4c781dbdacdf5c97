import type { RunView, TaskView } from "#shared/protocol/api.ts";
import type { Measures } from "#shared/stats/measure.ts";
import { headlineOf } from "#shared/task/measures/index.ts";
import { capitalise, countInWords } from "./format.ts";
import { type MeasuredOn, ON_DEVICES } from "./run-curve.ts";

/* Which figures of runs may stand in one order or chart: those on the same rows of one task. Pure. Rules V11, V12. */

interface Figured {
  readonly run: Pick<RunView, "task">;
  readonly view: Pick<TaskView, "heldOut"> | null;
  readonly measures: Measures;
  readonly measuredOn: MeasuredOn | null;
}

/** "held-out set", "other held-out set ab12cd34", "rows on devices", "not known"; "none" without figures. */
export function measuredOnWords({ view, measures, measuredOn }: Figured): string {
  if (headlineOf(measures) === null) return "none";
  return measuredOn === null ? "not known" : setTitle(measuredOn, view);
}

export function setTitle(set: MeasuredOn, view: Figured["view"]): string {
  if (set === ON_DEVICES) return "rows on devices";
  return view?.heldOut?.hash === set ? "held-out set" : `other held-out set ${set.slice(0, 8)}`;
}

export function areOnSameRows(one: Figured, other: Figured): boolean {
  return one.run.task === other.run.task && one.measuredOn !== null && one.measuredOn === other.measuredOn;
}

interface OneSet<Row extends Figured> {
  /** Null if no figure's rows are known. */
  readonly set: MeasuredOn | null;
  /** All that may be chosen, in the order in which the rows name them first. */
  readonly sets: readonly MeasuredOn[];
  readonly rows: readonly Row[];
  /** Says which runs with figures are not among the rows; null if all are. */
  readonly leftOut: string | null;
}

/**
 * The runs whose figures may be drawn together.
 *
 * @param rows   Of one task, with figures.
 * @param asked  A set; the first that there is if it is none of them.
 */
export function oneSet<Row extends Figured>(rows: readonly Row[], asked: string | null): OneSet<Row> {
  const sets = [...new Set(rows.flatMap(({ measuredOn }) => measuredOn ?? []))];
  const set = sets.find((one) => one === asked) ?? sets[0] ?? null;
  const drawn = set === null ? [] : rows.filter(({ measuredOn }) => measuredOn === set);
  return { set, sets, rows: drawn, leftOut: leftOutWords(rows.length - drawn.length) };
}

function leftOutWords(count: number): string | null {
  if (count === 0) return null;
  const runs = count === 1 ? "One run is" : `${capitalise(countInWords(count))} runs are`;
  return `${runs} left out: measured on other rows, or it is not known on which.`;
}

/**
 * The note under a scatter.
 *
 * @param set           Null for figures that are of no rows, such as a count of devices.
 * @param leftOut       Which runs are left out, a sentence each.
 * @param hasIntervals  Whether the figures have them.
 */
export function scatterNote(
  set: MeasuredOn | null,
  leftOut: readonly string[],
  hasIntervals: boolean,
): string {
  const note = hasIntervals
    ? "Newest judged version of each run, with 95 % intervals. The model in use stands out."
    : "Newest value of each run; no interval is known. The model in use stands out.";
  const devices =
    set === ON_DEVICES ? ["Each run was measured on the rows of the devices that took part."] : [];
  return [note, ...devices, ...leftOut].join(" ");
}
