"use client";
import type { Histogram } from "#client/index.ts";
import { useWidth } from "../../ui/use-width.ts";
import { formatCount } from "../../words/format.ts";
import { cutOf } from "./bins.ts";

const HEIGHT = 84;
const FLOOR = 62;
const TALLEST = 50;

/** A histogram of 33 bars. If the tallest would flatten the others, it is drawn broken, with its count. */
export function Bars(props: {
  readonly histogram: Histogram;
  readonly colour: "you" | "ink";
  readonly ends: readonly [string, string];
  readonly unit: string;
  readonly label: string;
}) {
  const { histogram, colour, ends, unit, label } = props;
  const [box, width] = useWidth<HTMLDivElement>();
  const { counts } = histogram;
  const { top, brokenBin } = cutOf(counts);
  const slot = width / counts.length;
  return (
    <div ref={box}>
      <svg width={width || "100%"} height={HEIGHT} role="img" aria-label={label}>
        {width > 0 &&
          counts.map((count, bin) => {
            const height = (TALLEST * Math.min(count, top)) / top;
            return (
              <rect
                // biome-ignore lint/suspicious/noArrayIndexKey: a bin is its place
                key={bin}
                x={bin * slot + 0.5}
                y={FLOOR - height}
                width={Math.max(1, slot - 1)}
                height={height}
                className={colour === "you" ? "bar-you" : "bar-ink"}
              />
            );
          })}
        {width > 0 && brokenBin !== null && (
          <BrokenBar
            x={brokenBin * slot}
            slot={slot}
            text={`${formatCount(counts[brokenBin] ?? 0)} near zero`}
            width={width}
          />
        )}
        <line x1={0} x2={width} y1={FLOOR + 0.5} y2={FLOOR + 0.5} className="axis" />
        <text x={0} y={FLOOR + 16} className="ink-note">
          {ends[0]}
        </text>
        {width > 240 && (
          <text x={width / 2} y={FLOOR + 16} textAnchor="middle" className="ink-note">
            {unit}
          </text>
        )}
        <text x={width} y={FLOOR + 16} textAnchor="end" className="ink-note">
          {ends[1]}
        </text>
      </svg>
    </div>
  );
}

function BrokenBar(props: {
  readonly x: number;
  readonly slot: number;
  readonly text: string;
  readonly width: number;
}) {
  const { x, slot, text, width } = props;
  const right = x + slot + 7 + 6.4 * text.length <= width;
  return (
    <g>
      <line
        x1={x - 3}
        y1={FLOOR - TALLEST + 9}
        x2={x + slot + 3}
        y2={FLOOR - TALLEST + 4}
        className="stroke-paper"
        strokeWidth={3}
      />
      <text
        x={right ? x + slot + 7 : x - 7}
        y={FLOOR - TALLEST + 7}
        textAnchor={right ? "start" : "end"}
        className="ink-note"
      >
        {text}
      </text>
    </g>
  );
}
