"use client";
import { useWidth } from "../../ui/use-width.ts";
import { capitalise, countInWords, formatCount } from "../../words/format.ts";

const HEIGHT = 108;
const FLOOR = 88;
const TALLEST = 66;
/** Class names longer than this do not fit under a bar. */
const NAME_MAX = 6;

/** How many examples of each class are here. */
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

/** "Drawings by class: 2 has 5, 4 has 6; none of 0, 1." */
export function classSentence(classes: readonly string[], counts: readonly number[], noun: string): string {
  const some = classes.flatMap((name, index) =>
    counts[index] ? [`${name} has ${formatCount(counts[index])}`] : [],
  );
  const none = classes.filter((_, index) => !counts[index]);
  const tail = none.length === 0 ? "" : `; none of ${none.join(", ")}`;
  return some.length === 0 ? `No ${noun} yet.` : `${capitalise(noun)} by class: ${some.join(", ")}${tail}.`;
}

/** Which classes are missing, and that this is fine. */
export function missingClasses(classes: readonly string[], counts: readonly number[]): string {
  const none = classes.filter((_, index) => !counts[index]);
  if (none.length === 0 || none.length === classes.length) return "";
  if (none.length > 6)
    return `${capitalise(countInWords(none.length))} classes are missing yet: that is fine, others have them.`;
  const last = none.at(-1) ?? "";
  const names = none.length === 1 ? last : `${none.slice(0, -1).join(", ")} or ${last}`;
  return `No ${names} yet: that is fine, others have them.`;
}
