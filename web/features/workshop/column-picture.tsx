"use client";
import type { ColumnProfile } from "#shared/sample/column-profiler.ts";
import { formatCount } from "../../words/format.ts";

const WIDTH = 92;
const HEIGHT = 30;
const BIN_COUNT = 13;
const BARS_MAX = 12;

interface ColumnPictureProps {
  readonly profile: ColumnProfile;
  readonly title: string;
  readonly isNumber: boolean;
}

/** A column of the sample at a glance, in ink because nothing of it was summed. */
export function ColumnPicture({ profile, title, isNumber }: ColumnPictureProps) {
  const { counts, label } = isNumber ? numberBars(profile, title) : categoryBars(profile, title);
  const most = Math.max(1, ...counts);
  const step = WIDTH / Math.max(1, counts.length);
  const gap = counts.length > 4 ? 1 : 6;
  return (
    <svg width={WIDTH} height={HEIGHT} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label}>
      {counts.map((count, at) => {
        const height = count === 0 ? 0 : Math.max(1, (count / most) * 22);
        return (
          <rect
            // biome-ignore lint/suspicious/noArrayIndexKey: bars have no other name than their place
            key={at}
            className="sample-bar"
            x={at * step + 0.5}
            y={24 - height}
            width={Math.max(1.5, step - gap)}
            height={height}
          />
        );
      })}
      <line className="plan-axis" x1={0} y1={24.5} x2={WIDTH} y2={24.5} />
    </svg>
  );
}

interface Bars {
  readonly counts: readonly number[];
  readonly label: string;
}

function numberBars({ numbers }: ColumnProfile, title: string): Bars {
  const sorted = numbers.spread.toSorted();
  const [least, greatest] = [sorted[0], sorted.at(-1)];
  if (least === undefined || greatest === undefined) return { counts: [], label: `${title}: no numbers` };
  const counts = new Array<number>(BIN_COUNT).fill(0);
  const width = (greatest - least) / BIN_COUNT || 1;
  for (const value of sorted) {
    const bin = Math.min(BIN_COUNT - 1, Math.floor((value - least) / width));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  const quartile = (share: number) => shown(sorted[Math.floor(share * (sorted.length - 1))] ?? 0);
  return { counts, label: `${title}: half of the rows lie between ${quartile(0.25)} and ${quartile(0.75)}` };
}

function categoryBars({ distinct, missing }: ColumnProfile, title: string): Bars {
  const values = (distinct.values ?? []).toSorted((a, b) => b[1] - a[1]).slice(0, BARS_MAX);
  const words = values.slice(0, 4).map(([name, rows]) => `${name} ${formatCount(rows)}`);
  if (missing > 0) words.push(`missing ${formatCount(missing)}`);
  return { counts: values.map(([, rows]) => rows), label: `${title}: ${words.join(", ")}` };
}

const shown = (value: number): string => String(Number(value.toPrecision(3)));
