"use client";
import { useState } from "react";
import { textWidth } from "../ui/text-width.ts";
import { formatDecimal } from "../words/format.ts";
import { Axes } from "./axes.tsx";
import { ChartFigure } from "./chart-figure.tsx";
import { plotFrame } from "./scale.ts";
import { acrossScale, focusLow, nameHeights } from "./scatter.ts";
import { WholeAxis } from "./whole-axis.tsx";

export interface ScatterPoint {
  readonly key: string;
  /** Stands beside the point: "run 6". */
  readonly label: string;
  readonly x: number;
  readonly y: number;
  /** Half width of the 95 % interval; null if there is none. */
  readonly halfWidth: number | null;
  /** Drawn in the colour of the sum: what is in use. */
  readonly isStrong: boolean;
  /** Read aloud: "run 6: 0.2, 0.964 ± 0.019". */
  readonly words: string;
}

interface ScatterChartProps {
  readonly title: string;
  readonly note: string;
  /** The chart in one sentence. */
  readonly label: string;
  readonly fileName: string;
  readonly xTitle: string;
  readonly yTitle: string;
  /** At least one. */
  readonly points: readonly ScatterPoint[];
  /** Upper bound of values, e.g. 1 for a fraction. */
  readonly yMost?: number | undefined;
  /** Which axes are logarithms; values there are above 0. */
  readonly logs: { readonly x: boolean; readonly y: boolean };
}

const HEIGHT = 300;

/** Points with their 95 % intervals, each with its name; arrow keys read them from left to right. */
export function ScatterChart(props: ScatterChartProps) {
  const { logs } = props;
  const [wantsWhole, setWantsWhole] = useState(false);
  const points = props.points.toSorted((one, other) => one.x - other.x);
  const focus = logs.y ? null : focusLow(points.map(({ y }) => y));
  const low = wantsWhole ? null : focus;
  const frameOf = (width: number) => {
    const near = points.filter(({ y }) => low === null || y >= low);
    const ends = near.flatMap(({ y, halfWidth }) => [y - (halfWidth ?? 0), y + (halfWidth ?? 0)]);
    const high = Math.min(Math.max(...ends), props.yMost ?? Number.POSITIVE_INFINITY);
    // The lower end of an interval may be 0 or less, which a logarithm does not have.
    const least = logs.y ? Math.min(...near.map(({ y }) => y)) : Math.min(...ends);
    return plotFrame({
      ...{ width, height: HEIGHT, x: [0, 1], labelWidth: 24, isLogY: logs.y },
      y: [least, Math.max(high, least)],
    });
  };
  const scaleOf = (width: number) => {
    return acrossScale(
      points.map(({ x }) => x),
      logs.x,
      frameOf(width),
    );
  };
  const stepAt = (xPx: number, width: number) => {
    const { at } = scaleOf(width);
    const distances = points.map(({ x }) => Math.abs(at(x) - xPx));
    return distances.indexOf(Math.min(...distances));
  };
  return (
    <ChartFigure
      title={props.title}
      note={props.note}
      height={HEIGHT}
      table={{
        columns: ["run", props.xTitle, props.yTitle, "± 95 %"],
        rows: points.map(({ label, x, y, halfWidth }) => [label, x, y, halfWidth]),
      }}
      fileName={props.fileName}
      readings={points.map(({ words }) => words)}
      stepAt={stepAt}
      actions={focus !== null && <WholeAxis isOn={wantsWhole} onChange={setWantsWhole} />}
      draw={(width, step) => (
        <Drawing {...props} {...{ width, step, points }} frame={frameOf(width)} scale={scaleOf(width)} />
      )}
    />
  );
}

interface DrawingProps extends ScatterChartProps {
  readonly width: number;
  readonly step: number | null;
  readonly frame: ReturnType<typeof plotFrame>;
  readonly scale: ReturnType<typeof acrossScale>;
}

function Drawing({ label, xTitle, yTitle, points, logs, width, step, frame, scale }: DrawingProps) {
  const { bottom, y } = frame;
  const across = logs.x ? `${xTitle}, log scale` : xTitle;
  const [low = 0] = y.domain();
  const named = points.map((point) => ({
    ...point,
    label: point.y < low ? `${point.label}: ${formatDecimal(point.y)}, below this axis` : point.label,
  }));
  const heights = nameHeights(
    named.map(({ x, y: value, label: name }) => ({
      x: scale.at(x),
      y: value < low ? bottom - 12 : y(value),
      width: textWidth(name),
    })),
  );
  return (
    <svg width={width} height={HEIGHT} viewBox={`0 0 ${width} ${HEIGHT}`} role="img" aria-label={label}>
      <Axes
        frame={{ ...frame, xTicks: [] }}
        xTitle={across}
        yTitle={logs.y ? `${yTitle}, log scale` : low > 0 ? `${yTitle}, axis does not begin at 0` : yTitle}
        notch={low > 0 && !logs.y}
      />
      {scale.ticks.map((tick) => (
        <g key={tick}>
          <line className="axis" x1={scale.at(tick)} x2={scale.at(tick)} y1={bottom} y2={bottom + 4} />
          <text className="ink-note" x={scale.at(tick)} y={bottom + 17} textAnchor="middle">
            {formatDecimal(tick, 6).replace(/\.?0+$/, "")}
          </text>
        </g>
      ))}
      {named.map((point, index) => (
        <Point
          key={point.key}
          point={point}
          x={scale.at(point.x)}
          nameY={heights[index] ?? 0}
          frame={frame}
          isRead={index === step}
        />
      ))}
    </svg>
  );
}

interface PointProps {
  readonly point: ScatterPoint;
  readonly x: number;
  readonly nameY: number;
  readonly frame: ReturnType<typeof plotFrame>;
  readonly isRead: boolean;
}

function Point({ point, x, nameY, frame, isRead }: PointProps) {
  const { y, top, bottom, right } = frame;
  const colour = point.isStrong ? "sum" : "ink";
  const [low = 0] = y.domain();
  const isBelow = point.y < low;
  const half = point.halfWidth;
  const isLeft = x + 12 + textWidth(point.label) > right;
  return (
    <g>
      {half !== null && !isBelow && (
        <line
          className={`whisker ${colour}`}
          x1={x}
          x2={x}
          y1={point.y - half <= low ? bottom : y(point.y - half)}
          y2={Math.max(top, y(point.y + half))}
        />
      )}
      {isBelow ? (
        <>
          <circle className="point ring" cx={x} cy={bottom - 12} r={isRead ? 5 : 3.5} />
          <path className="leader" d={`M${x} ${bottom - 8}v7m-3 -3l3 3l3 -3`} />
        </>
      ) : (
        <circle
          className={`point ${colour}`}
          cx={x}
          cy={y(point.y)}
          r={isRead ? 6 : point.isStrong ? 5 : 3.5}
        />
      )}
      <text
        className={point.isStrong ? "ink-text halo of-sum" : "ink-note halo"}
        x={isLeft ? x - 9 : x + 9}
        y={nameY + 4}
        textAnchor={isLeft ? "end" : "start"}
      >
        {point.label}
      </text>
    </g>
  );
}
