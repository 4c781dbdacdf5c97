"use client";
import { scaleLinear } from "d3-scale";
import { line } from "d3-shape";
import { useWidth } from "../ui/use-width.ts";

interface SparkLineProps {
  readonly values: readonly number[];
  readonly label: string;
}

const HEIGHT = 33;

/** The course of a figure in a list; its newest value is printed beside it. */
export function SparkLine({ values, label }: SparkLineProps) {
  const [box, width] = useWidth<HTMLDivElement>();
  const last = values.at(-1);
  return (
    <div ref={box} className="h-[33px]">
      {width > 0 && last !== undefined && values.length > 1 && (
        <Drawing width={width} values={values} last={last} label={label} />
      )}
    </div>
  );
}

function Drawing({ width, values, last, label }: SparkLineProps & { width: number; last: number }) {
  const x = scaleLinear()
    .domain([0, values.length - 1])
    .range([1, width - 4]);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const y = scaleLinear()
    .domain([low, high === low ? low + 1 : high])
    .range([30, 3]);
  const path = line<number>()
    .x((_, index) => x(index))
    .y((value) => y(value));
  return (
    <svg width={width} height={HEIGHT} viewBox={`0 0 ${width} ${HEIGHT}`} role="img" aria-label={label}>
      <path className="series sum spark" d={path(values) ?? ""} />
      <circle className="point sum" cx={x(values.length - 1)} cy={y(last)} r={2.5} />
    </svg>
  );
}
