"use client";
import { textWidth } from "../ui/text-width.ts";
import { formatDecimal } from "../words/format.ts";
import { ChartFigure } from "./chart-figure.tsx";

/** A share with the ends of its 95 % interval; null if these rows have none. */
export interface BarShare {
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

export interface ClassBar {
  readonly name: string;
  /** Bar and whisker: of the version that is judged. */
  readonly judged: BarShare;
  /** Ring and whisker: of the other. */
  readonly other: BarShare;
}

interface ClassBarsProps {
  readonly title: string;
  readonly note: string;
  readonly label: string;
  readonly fileName: string;
  /** "version 15", "version 12". */
  readonly names: { readonly judged: string; readonly other: string };
  readonly bars: readonly ClassBar[];
}

const ROW_PX = 30;
const AXIS_PX = 24;
const VALUE_PX = 44;

/** One row for each class: a bar from 0 to 1 for the version judged, a ring for the other, whiskers on both. */
export function ClassBars(props: ClassBarsProps) {
  const { bars, names } = props;
  const height = ROW_PX * bars.length + AXIS_PX;
  const said = ({ value, low, high }: BarShare) =>
    value === null
      ? "undefined"
      : `${formatDecimal(value)}${low === null || high === null ? "" : ` (${formatDecimal(low)} to ${formatDecimal(high)})`}`;
  return (
    <ChartFigure
      title={props.title}
      note={props.note}
      height={height}
      table={{
        columns: ["class", names.judged, "from", "to", names.other, "from ", "to "],
        rows: bars.map(({ name, judged, other }) => [
          name,
          judged.value,
          judged.low,
          judged.high,
          other.value,
          other.low,
          other.high,
        ]),
      }}
      fileName={props.fileName}
      readings={bars.map(
        ({ name, judged, other }) =>
          `${name}: ${names.judged} ${said(judged)}; ${names.other} ${said(other)}.`,
      )}
      stepAt={() => null}
      draw={(width, step) => <Drawing {...props} {...{ width, height, step }} />}
    />
  );
}

interface DrawingProps extends ClassBarsProps {
  readonly width: number;
  readonly height: number;
  readonly step: number | null;
}

function Drawing({ label, bars, width, height, step }: DrawingProps) {
  const left = Math.min(width / 3, Math.max(...bars.map(({ name }) => textWidth(name))) + 12);
  const right = width - VALUE_PX;
  const x = (share: number) => left + share * (right - left);
  const bottom = ROW_PX * bars.length;
  return (
    <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
      {[0, 0.5, 1].map((tick) => (
        <g key={tick}>
          <line className={tick === 0 ? "axis" : "grid-line"} x1={x(tick)} x2={x(tick)} y1={0} y2={bottom} />
          <text className="ink-note" x={x(tick)} y={bottom + 16} textAnchor="middle">
            {tick}
          </text>
        </g>
      ))}
      {bars.map(({ name, judged, other }, index) => {
        const y = ROW_PX * index;
        return (
          <g key={name}>
            <text
              className={index === step ? "ink-strong" : "ink-note"}
              x={left - 8}
              y={y + 14}
              textAnchor="end"
            >
              {name}
            </text>
            {judged.value !== null && (
              <rect className="bar-summed" x={left} y={y + 5} width={x(judged.value) - left} height={9} />
            )}
            <Whisker share={judged} y={y + 9.5} x={x} />
            <Whisker share={other} y={y + 20} x={x} />
            {other.value !== null && (
              <circle className="point ring" cx={x(other.value)} cy={y + 20} r={3.5} />
            )}
            <text className="ink-text" x={right + 8} y={y + 14}>
              {judged.value === null ? "undefined" : judged.value.toFixed(2)}
            </text>
          </g>
        );
      })}
    </svg>
  );
}

function Whisker(props: {
  readonly share: BarShare;
  readonly y: number;
  readonly x: (share: number) => number;
}) {
  const { share, y, x } = props;
  if (share.low === null || share.high === null) return null;
  const ends = { x1: x(share.low), x2: x(share.high), y1: y, y2: y };
  return (
    <>
      <line className="whisker-edge" {...ends} />
      <line className="whisker ink" {...ends} />
    </>
  );
}
