import type { ColumnProfile } from "./column-profiler.ts";
import type { DraftChannel } from "./draft.ts";
import { roundedOutward } from "./range.ts";
import type { TableProfile } from "./table-profiler.ts";

export interface ProposedSeries {
  readonly length: number;
  readonly channels: readonly DraftChannel[];
  /** Indices of the columns that belong to no channel. */
  readonly others: readonly number[];
}

/** Fewer columns with numbered names are taken for single measurements. */
const SERIES_LENGTH_MIN = 8;

/**
 * The series that the columns of a table are: t0, t1, ..., or several channels of one length, such as x0, x1, ..., y0, y1,
 * .... Null if no column is named so.
 */
export function proposeSeries({ columns }: TableProfile): ProposedSeries | null {
  const stepsByChannel = new Map<string, number[]>();
  for (const [at, { name }] of columns.entries()) {
    const [, channel, step] = /^(.*\D)(0|[1-9]\d*)$/s.exec(name.trim()) ?? [];
    if (channel === undefined || step === undefined) continue;
    const steps = stepsByChannel.get(channel) ?? [];
    steps[Math.min(Number(step), columns.length)] = at;
    stepsByChannel.set(channel, steps);
  }
  const whole = [...stepsByChannel].filter(
    ([, steps]) => steps.length >= SERIES_LENGTH_MIN && Object.keys(steps).length === steps.length,
  );
  const length = Math.max(0, ...whole.map(([, steps]) => steps.length));
  const channels = whole.filter(([, steps]) => steps.length === length);
  if (channels.length === 0) return null;
  const taken = new Set(channels.flatMap(([, steps]) => steps));
  return {
    length,
    channels: channels.map(([name, steps]) =>
      channelOf(
        name,
        steps.map((at) => columns[at] as ColumnProfile),
      ),
    ),
    others: columns.map((_, at) => at).filter((at) => !taken.has(at)),
  };
}

/** One range for all steps, so that a step's height means the same everywhere. */
function channelOf(name: string, steps: readonly ColumnProfile[]): DraftChannel {
  const extremes = steps.flatMap(({ numbers }) => (numbers.extremes === null ? [] : [numbers.extremes]));
  const least = Math.min(...extremes.map((one) => one.least));
  const greatest = Math.max(...extremes.map((one) => one.greatest));
  const rows = (key: "least" | "greatest", value: number) =>
    extremes.reduce((sum, one) => sum + (one[key] === value ? one[`${key}Rows`] : 0), 0);
  const range =
    extremes.length === 0 || !Number.isFinite(greatest - least)
      ? null
      : roundedOutward({
          least,
          greatest,
          leastRows: rows("least", least),
          greatestRows: rows("greatest", greatest),
          isWhole: extremes.every(({ isWhole }) => isWhole),
        });
  const [from, to] = range === null ? ["", ""] : [String(range[0]), String(range[1])];
  return { name, title: "", unit: "", from, to, scaling: "range", mean: "", deviation: "" };
}
