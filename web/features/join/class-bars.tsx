"use client";
import { useWidth } from "../../ui/use-width.ts";
import { classSentence } from "../../words/classes.ts";
import { formatCount } from "../../words/format.ts";

const HEIGHT = 108;
const FLOOR = 88;
const TALLEST = 66;
/** Longer class names do not fit under a bar. */
const NAME_MAX = 6;

/** The number of examples of each class. */
export function ClassBars(props: {
  readonly classes: readonly string[];
  readonly counts: readonly number[];
  readonly noun: string;
}) {
  const { classes, counts, noun } = props;
  const [box, width] = useWidth<HTMLDivElement>();
  const most = Math.max(1, ...counts);
  if (classes.length > 12 || classes.some((name) => name.length > NAME_MAX)) {
    return (
      <ul className="grid gap-1 text-sm">
        {classes.map((name, index) => (
          <li key={name} className="grid grid-cols-[7rem_minmax(0,1fr)_3rem] items-center gap-2">
            <span className="truncate">{name}</span>
            <svg viewBox="0 0 100 10" preserveAspectRatio="none" className="h-2.5 w-full" aria-hidden="true">
              <rect width={(100 * (counts[index] ?? 0)) / most} height="10" className="bar-you" />
            </svg>
            <span className="text-right">{formatCount(counts[index] ?? 0)}</span>
          </li>
        ))}
      </ul>
    );
  }
  const slot = width / classes.length;
  return (
    <div ref={box}>
      <svg
        width={width || "100%"}
        height={HEIGHT}
        role="img"
        aria-label={classSentence(classes, counts, noun)}
      >
        {width > 0 &&
          classes.map((name, index) => {
            const count = counts[index] ?? 0;
            const height = (TALLEST * count) / most;
            const middle = slot * (index + 0.5);
            return (
              <g key={name}>
                {count > 0 && (
                  <rect
                    x={slot * index + 2}
                    y={FLOOR - height}
                    width={Math.max(1, slot - 4)}
                    height={height}
                    className="bar-you"
                  />
                )}
                <text x={middle} y={FLOOR - height - 4} textAnchor="middle" className="ink-note">
                  {formatCount(count)}
                </text>
                <text x={middle} y={105} textAnchor="middle" className="ink-text">
                  {name}
                </text>
              </g>
            );
          })}
        <line x1={0} x2={width} y1={FLOOR + 0.5} y2={FLOOR + 0.5} className="axis" />
      </svg>
    </div>
  );
}
