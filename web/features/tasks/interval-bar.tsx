import type { Measure } from "#shared/stats/measure.ts";

interface IntervalBarProps {
  readonly measure: Pick<Measure, "value" | "halfWidth95">;
  /** Value at the right end; the left end is 0. */
  readonly most: number;
  /** bar: from 0. ring: a figure whose 0 means nothing. */
  readonly shape: "bar" | "ring";
  /** sum: what was opened. ink: everything else. */
  readonly colour: "sum" | "ink";
}

const HEIGHT = 12;

/** A figure and its 95 % interval, drawn beside the words that say them. */
export function IntervalBar({ measure, most, shape, colour }: IntervalBarProps) {
  const { value, halfWidth95 } = measure;
  const at = (place: number) => `${(100 * Math.min(most, Math.max(0, place))) / most}%`;
  const ends = { x1: at(value - halfWidth95), x2: at(value + halfWidth95), y1: HEIGHT / 2, y2: HEIGHT / 2 };
  return (
    <svg width="100%" height={HEIGHT} aria-hidden="true" className="interval">
      {shape === "bar" ? (
        <rect className="sample-bar" y="1" width={at(value)} height={HEIGHT - 2} />
      ) : (
        <line className="plan-axis" x1="0" x2="100%" y1={HEIGHT / 2} y2={HEIGHT / 2} />
      )}
      <line className="whisker-edge" {...ends} />
      <line className={`whisker ${colour}`} {...ends} />
      {shape === "ring" && <circle className={`point ring ${colour}`} cx={at(value)} cy={HEIGHT / 2} r={3} />}
    </svg>
  );
}
