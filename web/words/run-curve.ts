import type { RunView, TaskView } from "#shared/protocol/api.ts";
import type { HashHex } from "#shared/protocol/ids.ts";
import type { Measures } from "#shared/stats/measure.ts";

/* Which figures of a run may be compared. Pure. */

/**
 * A run's central figures, cut where the held-out rows were replaced: figures of different sets never share a line. Those
 * from before sets had names go with what follows. The last stretch is of the newest set.
 */
export function bySet(history: RunView["history"]): RunView["history"][] {
  const stretches: RunView["history"][] = [];
  let set: string | undefined;
  for (const point of history) {
    const isOther = set !== undefined && point.measuredOn !== undefined && point.measuredOn !== set;
    if (isOther || stretches.length === 0) stretches.push([]);
    stretches.at(-1)?.push(point);
    set = point.measuredOn ?? set;
  }
  return stretches;
}

/**
 * The share of each class among the rows that the newest figures were measured on, in the order of the task; null if they
 * are numbers, or if another set is in use by now.
 */
export function classSharesOf(
  history: RunView["history"],
  heldOut: TaskView["heldOut"],
): readonly number[] | null {
  const measuredOn = bySet(history)
    .at(-1)
    ?.findLast((point) => point.measuredOn !== undefined)?.measuredOn;
  if (heldOut?.balance.kind !== "classes" || heldOut.hash !== measuredOn) return null;
  const { balance, rowCount } = heldOut;
  return balance.counts.map(({ rows }) => rows / rowCount);
}

interface Figures {
  readonly round: number;
  readonly measures: Measures;
  /** The held-out set; absent on devices, and in figures that are older than names of sets. */
  readonly measuredOn?: HashHex;
}

/** Figures of a run that may be compared, by the rounds of their models, and the rows that they were measured on. */
export interface RunCurve {
  readonly points: readonly Figures[];
  readonly on: "held out" | "on devices";
}

/**
 * A run's figures on the newest set of held-out rows. Where devices alone judge its models, those on the rows that devices
 * keep back.
 */
export function curveOf({
  history,
  deviceHistory = [],
}: Pick<RunView, "history" | "deviceHistory">): RunCurve {
  return history.length === 0 && deviceHistory.length > 0
    ? { points: deviceHistory, on: "on devices" }
    : { points: bySet(history).at(-1) ?? [], on: "held out" };
}

/** The newest figures of a run's own versions; the untrained model's do not count. */
export function newestFigures(run: Pick<RunView, "history" | "deviceHistory">): Figures | null {
  const last = curveOf(run).points.at(-1);
  return last === undefined || last.round === 0 ? null : last;
}

/** Figures on different rows are never compared. */
export const ON_DEVICES = "devices";
/** The hash of a held-out set, or the rows that devices keep back. */
export type MeasuredOn = HashHex | typeof ON_DEVICES;

interface NewestJudged {
  readonly round: number;
  readonly measures: Measures;
  /** Null if the figures are older than names of sets. */
  readonly measuredOn: MeasuredOn | null;
}

/** As `newestFigures`, with the rows that they were measured on. */
export function newestJudged(run: Pick<RunView, "history" | "deviceHistory">): NewestJudged | null {
  const figures = newestFigures(run);
  if (figures === null) return null;
  const { points, on } = curveOf(run);
  const named = points.findLast(({ measuredOn }) => measuredOn !== undefined)?.measuredOn ?? null;
  return {
    round: figures.round,
    measures: figures.measures,
    measuredOn: on === "on devices" ? ON_DEVICES : named,
  };
}
