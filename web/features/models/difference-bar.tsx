import type { ComparedMeasure } from "#shared/task/report/comparison.ts";

const WIDTH = 160;
const HEIGHT = 16;

/** A difference and its interval across 0, drawn beside the words that say them. */
export function DifferenceBar({
  measure,
}: {
  readonly measure: Pick<ComparedMeasure, "difference" | "low" | "high">;
}) {
  const { difference, low, high } = measure;
  const most = Math.max(Math.abs(low), Math.abs(high), Number.EPSILON) * 1.15;
  const at = (value: number) => (WIDTH * (value + most)) / (2 * most);
  const y = HEIGHT / 2;
  return (
    <svg width={WIDTH} height={HEIGHT} aria-hidden="true" className="interval">
      <line className="plan-axis" x1="0" x2={WIDTH} y1={y} y2={y} />
      <line className="whisker ink" x1={WIDTH / 2} x2={WIDTH / 2} y1="0" y2={HEIGHT} />
      <line className="whisker ink" x1={at(low)} x2={at(high)} y1={y} y2={y} />
      <circle className="point ring ink" cx={at(difference)} cy={y} r={3} />
    </svg>
  );
}
