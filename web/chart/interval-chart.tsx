"use client";
import { scaleLinear } from "d3-scale";
import { ChartFigure } from "./chart-figure.tsx";
import { tickDecimals } from "./scale.ts";

interface IntervalChartProps {
  readonly title: string;
  readonly note: string;
  /** The chart in one sentence. */
  readonly label: string;
  readonly fileName: string;
  /** Under the axis. */
  readonly unit: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** Beside the point: "1.1 ± 1.9". */
  readonly words: string;
  /** Read aloud. */
  readonly reading: string;
}

const HEIGHT = 104;
const LINE_Y = 46;
const BOTTOM = 72;
const PAD_PX = 26;

/** A difference and its 95 % interval across 0. */
export function IntervalChart(props: IntervalChartProps) {
  const { value, low, high, unit } = props;
  return (
    <ChartFigure
      title={props.title}
      note={props.note}
      height={HEIGHT}
      table={{ columns: [`difference, ${unit}`, "from", "to"], rows: [[value, low, high]] }}
      fileName={props.fileName}
      readings={[props.reading]}
      stepAt={() => 0}
      draw={(width) => <Drawing {...props} width={width} />}
    />
  );
}

function Drawing({
  label,
  unit,
  value,
  low,
  high,
  words,
  width,
}: IntervalChartProps & { readonly width: number }) {
  const most = Math.max(Math.abs(low), Math.abs(high), Number.EPSILON) * 1.1;
  const x = scaleLinear([-most, most], [PAD_PX, width - PAD_PX]);
  const ticks = x.ticks(width < 420 ? 4 : 6);
  const decimals = tickDecimals(ticks);
  const signed = (tick: number) =>
    tick === 0 ? "0" : `${tick < 0 ? "−" : "+"}${Math.abs(tick).toFixed(decimals)}`;
  return (
    <svg width={width} height={HEIGHT} viewBox={`0 0 ${width} ${HEIGHT}`} role="img" aria-label={label}>
      {ticks.map((tick) => (
        <g key={tick}>
          <line
            className={tick === 0 ? "whisker ink" : "grid-line"}
            x1={x(tick)}
            x2={x(tick)}
            y1={LINE_Y - 18}
            y2={BOTTOM - 8}
          />
          <text className="ink-note" x={x(tick)} y={BOTTOM + 8} textAnchor="middle">
            {signed(tick)}
          </text>
        </g>
      ))}
      <line className="whisker ink strong" x1={x(low)} x2={x(high)} y1={LINE_Y} y2={LINE_Y} />
      {[low, high].map((end) => (
        <line key={end} className="whisker ink" x1={x(end)} x2={x(end)} y1={LINE_Y - 5} y2={LINE_Y + 5} />
      ))}
      <circle className="point ink" cx={x(value)} cy={LINE_Y} r={5} />
      <text className="ink-text halo" x={x(value)} y={LINE_Y - 24} textAnchor="middle">
        {words}
      </text>
      <text className="ink-note" x={width - PAD_PX} y={BOTTOM + 26} textAnchor="end">
        {unit}
      </text>
    </svg>
  );
}
