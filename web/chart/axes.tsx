import { formatDecimal } from "../words/format.ts";
import { type PlotFrame, tickDecimals } from "./scale.ts";

interface AxesProps {
  readonly frame: PlotFrame;
  readonly xTitle: string;
  /** Title above the axis, with the unit. */
  readonly yTitle: string;
  /** For bars, which start at 0: the lowest hairline becomes the axis. */
  readonly fromZero?: boolean;
  /** Marks an axis that does not begin at 0. */
  readonly notch?: boolean;
}

/** Horizontal hairlines with their values, ticks below, titles with units. */
export function Axes({ frame, xTitle, yTitle, fromZero = false, notch = false }: AxesProps) {
  const { left, right, bottom, x, y, xTicks, yTicks } = frame;
  const decimals = tickDecimals(yTicks);
  return (
    <g>
      {yTicks.map((tick) => (
        <g key={tick}>
          <line
            className={fromZero && tick === 0 ? "axis" : "grid-line"}
            x1={left}
            x2={right}
            y1={y(tick)}
            y2={y(tick)}
          />
          <text className="ink-note" x={left - 7} y={y(tick) + 4} textAnchor="end">
            {formatDecimal(tick, decimals)}
          </text>
        </g>
      ))}
      {xTicks.map((tick) => (
        <g key={tick}>
          <line className="axis" x1={x(tick)} x2={x(tick)} y1={bottom} y2={bottom + 4} />
          <text className="ink-note" x={x(tick)} y={bottom + 17} textAnchor="middle">
            {tick}
          </text>
        </g>
      ))}
      <line className="axis" x1={left} x2={right} y1={bottom} y2={bottom} />
      {notch && <path className="axis-notch" d={`M${left} ${bottom - 14}v3l-5 3l10 4l-5 3v1`} />}
      <text className="ink-note" x={0} y={12}>
        {yTitle}
      </text>
      <text className="ink-note" x={right} y={bottom + 29} textAnchor="end">
        {xTitle}
      </text>
    </g>
  );
}

/** A hairline at the step that is being read. */
export function ReadingLine({ frame, at }: { readonly frame: PlotFrame; readonly at: number | undefined }) {
  if (at === undefined) return null;
  return (
    <line className="reading-line" x1={frame.x(at)} x2={frame.x(at)} y1={frame.top - 4} y2={frame.bottom} />
  );
}
