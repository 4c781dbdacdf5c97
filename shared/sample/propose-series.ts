import type { ColumnProfile } from "./column-profiler.ts";
import type { DraftChannel } from "./draft.ts";
import { roundedOutward } from "./range.ts";
import type { TableProfile } from "./table-profiler.ts";

export interface ProposedSeries {
  readonly length: number;
  /** Names of the first and the last step of the first channel. */
  readonly numbered: readonly [first: string, last: string];
  /** False if the numbered columns may as well be single measurements, such as the questions of a form. */
  readonly isLikely: boolean;
  readonly channels: readonly DraftChannel[];
  /** Indices of the columns that belong to no channel. */
  readonly others: readonly number[];
}

/** Fewer columns with numbered names are taken for single measurements. */
const SERIES_LENGTH_MIN = 8;

/** Names of what is measured again and again. Others that are numbered from 1 are mostly single measurements. */
const STEP_NAME = /^(?:t|time|step|tick|frame|sample|second|minute|hour|day|week|month)s?[ _.-]?$/i;

/**
 * The series that the columns of a table are: t0, t1, ..., or several channels of one length, such as x0, x1, ..., y0, y1,
 * .... They may be numbered from 1 and with leading zeros, as devices read them, all alike. Null if no column is named so.
 */
export function proposeSeries({ columns }: TableProfile): ProposedSeries | null {
  const stepsByChannel = new Map<string, Step[]>();
  for (const [at, { name }] of columns.entries()) {
    const [, channel, digits] = /^(.*\D)(\d{1,9})$/s.exec(name.trim()) ?? [];
    if (channel === undefined || digits === undefined) continue;
    const steps = stepsByChannel.get(channel) ?? [];
    steps.push({ at, digits });
    stepsByChannel.set(channel, steps);
  }
  const whole = [...stepsByChannel].flatMap(([name, steps]) => {
    const sorted = steps.toSorted((a, b) => Number(a.digits) - Number(b.digits));
    const style = styleOf(sorted);
    return style === null || sorted.length < SERIES_LENGTH_MIN ? [] : [{ name, style, steps: sorted }];
  });
  const length = Math.max(0, ...whole.map(({ steps }) => steps.length));
  const longest = whole.filter(({ steps }) => steps.length === length);
  const [first] = longest;
  if (first === undefined) return null;
  const channels = longest.filter(({ style }) => style === first.style);
  const taken = new Set(channels.flatMap(({ steps }) => steps.map(({ at }) => at)));
  const nameOf = (at: number) => columns[at]?.name ?? "";
  return {
    length,
    numbered: [nameOf(first.steps[0]?.at ?? -1), nameOf(first.steps.at(-1)?.at ?? -1)],
    isLikely:
      first.steps[0]?.digits.match(/^0+$/) != null || channels.length > 1 || STEP_NAME.test(first.name),
    channels: channels.map(({ name, steps }) =>
      channelOf(
        name,
        steps.map(({ at }) => columns[at] as ColumnProfile),
      ),
    ),
    others: columns.map((_, at) => at).filter((at) => !taken.has(at)),
  };
}

interface Step {
  readonly at: number;
  readonly digits: string;
}

/** How sorted steps are numbered; null if they do not follow one another from 0 or 1. */
function styleOf(steps: readonly Step[]): string | null {
  const first = Number(steps[0]?.digits ?? Number.NaN);
  if (first !== 0 && first !== 1) return null;
  if (!steps.every(({ digits }, index) => Number(digits) === first + index)) return null;
  if (steps.every(({ digits }) => digits === String(Number(digits)))) return `from ${first}`;
  const width = steps[0]?.digits.length ?? 0;
  return steps.every(({ digits }) => digits.length === width) ? `from ${first} with ${width} digits` : null;
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
