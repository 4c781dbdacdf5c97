import { formatCount } from "../../words/format.ts";
import type { PlannedRound } from "../../words/workshop-rules.ts";

interface PlanProps {
  readonly plan: PlannedRound;
  readonly width: number;
  readonly label: string;
}

/** Lines that are drawn at most; of a larger plan each stands for several devices. */
const VOICES_MAX = 64;
const NAMES = ["join", "train", "keys", "send"] as const;

/** Counts of a plan in lines of the drawing. */
function inLines({ invited, goal, min, needed }: PlannedRound) {
  const share = Math.min(1, VOICES_MAX / invited);
  const lines = (count: number) => Math.max(1, Math.round(count * share));
  return {
    invited: lines(invited),
    goal: lines(goal),
    min: lines(min),
    needed: lines(needed),
    isScaled: share < 1,
  };
}

/** A fixed, uneven sequence from 0 to 1, so that the dotted devices that leave do so at different times. */
const uneven = (index: number): number => (index * 0.618_034 + 0.21) % 1;

type Point = readonly [x: number, y: number];

/** A line that must be reached, dashed on a bed that keeps it clear of the voices. */
function Needed({ from: [x1, y1], to: [x2, y2] }: { readonly from: Point; readonly to: Point }) {
  return ["plan-bed", "plan-needed"].map((name) => (
    <line key={name} className={name} {...{ x1, y1, x2, y2 }} />
  ));
}

/** What comes of a round: a hollow disc, because nothing has been opened. */
function OneSum(props: { readonly at: Point; readonly wordsX: number; readonly needed: number }) {
  const { at, wordsX, needed } = props;
  const [cx, cy] = at;
  return (
    <>
      <circle className="plan-sum" cx={cx} cy={cy} r={8} />
      <text className="plan-words" x={wordsX} y={cy - 3}>
        one sum
      </text>
      <text className="plan-words quiet" x={wordsX} y={cy + 14}>
        of {formatCount(needed)} or more
      </text>
    </>
  );
}

/** Time runs across. */
export function PlanAcross({ plan, width, label }: PlanProps) {
  const lines = inLines(plan);
  const pitch = Math.min(24, Math.max(5, Math.round(224 / lines.invited)));
  const [left, top] = [52, 46];
  const zone = Math.max(200, width * 0.24);
  const right = Math.round(width - zone);
  const bottom = top + lines.invited * pitch;
  const end = plan.ends[3];
  const x = (seconds: number) => Math.round(left + (seconds / end) * (right - left));
  const y = (line: number) => Math.round(top + (lines.invited - line) * pitch) + 0.5;
  const below = (line: number) => y(line) - pitch / 2;
  const middle = (y(1) + y(lines.needed)) / 2;
  const merge = right + zone * 0.46;
  const disc = width - 104;
  const counts = [
    [1, 1],
    [lines.min, plan.min],
    [lines.goal, plan.goal],
    [lines.invited, plan.invited],
  ] as const;
  return (
    <svg
      width={width}
      height={bottom + 32}
      viewBox={`0 0 ${width} ${bottom + 32}`}
      role="img"
      aria-label={label}
    >
      <line className="plan-axis" x1={left} y1={bottom + 4.5} x2={right} y2={bottom + 4.5} />
      <text className="plan-words quiet" x={0} y={top - 30}>
        devices
      </text>
      {timeTicks(plan).map((seconds) => (
        <text
          key={seconds}
          className="plan-words quiet"
          x={x(seconds)}
          y={bottom + 22}
          textAnchor={seconds === 0 ? "start" : "middle"}
        >
          {seconds} s
        </text>
      ))}
      {apart(counts.map(([line, count]) => ({ at: y(line), count }))).map(({ at, count }) => (
        <text key={count} className="plan-words quiet" x={left - 8} y={at + 4} textAnchor="end">
          {formatCount(count)}
        </text>
      ))}
      <Voices
        lines={lines}
        plan={plan}
        voice={(line, from, to) => `M${x(from)} ${y(line)}H${x(to)}`}
        ring={(line, at) => [x(at) + 3, y(line)]}
      />
      {plan.ends.map((seconds, index) => {
        const before = index === 0 ? 0 : (plan.ends[index - 1] ?? 0);
        const fits = x(seconds) - x(before) > 64;
        return (
          <g key={NAMES[index]}>
            <line
              className="plan-bar"
              x1={x(seconds) + 0.5}
              y1={top - 22}
              x2={x(seconds) + 0.5}
              y2={bottom + 4}
            />
            <text className="plan-words" x={x(before) + 6} y={top - 12}>
              {NAMES[index]}
              {fits ? `, ${Number((seconds - before).toFixed(1))} s` : ""}
            </text>
          </g>
        );
      })}
      <Needed from={[left, below(lines.min)]} to={[x(plan.ends[0]), below(lines.min)]} />
      <text className="plan-words" x={left + 6} y={below(lines.min) - 6}>
        {formatCount(plan.min)} must join
      </text>
      <line
        className="plan-wanted"
        x1={x(plan.ends[2])}
        y1={below(lines.goal)}
        x2={right}
        y2={below(lines.goal)}
      />
      {lines.goal - lines.needed > 1 && (
        <text className="plan-words quiet" x={x(plan.ends[2]) + 8} y={below(lines.goal) - 6}>
          {formatCount(plan.goal)} wanted
        </text>
      )}
      <Needed from={[x(plan.ends[2]), below(lines.needed)]} to={[right, below(lines.needed)]} />
      <text className="plan-words" x={right - 8} y={below(lines.needed) + 16} textAnchor="end">
        {formatCount(plan.needed)} of {formatCount(plan.goal)} must send
      </text>
      {[lines.needed, 1].map((line) => (
        <path
          key={line}
          className="plan-ghost"
          d={`M${right + 6} ${y(line)}C${(right + merge) / 2} ${y(line)} ${(right + merge) / 2} ${middle} ${merge} ${middle}`}
        />
      ))}
      <path className="plan-ghost" d={`M${merge} ${middle}H${disc - 9}`} />
      <OneSum at={[disc, middle]} wordsX={disc + 16} needed={plan.needed} />
    </svg>
  );
}

/** Time runs down, for a phone. */
export function PlanDown({ plan, width, label }: PlanProps) {
  const lines = inLines(plan);
  const left = 44;
  const pitch = Math.max(3, Math.floor((width - left - 8) / lines.invited));
  const [top, length] = [40, 290];
  const end = plan.ends[3];
  const y = (seconds: number) => Math.round(top + (seconds / end) * length) + 0.5;
  const x = (line: number) => left + (line - 1) * pitch + pitch / 2;
  const last = x(lines.invited) + 4;
  const bottom = top + length;
  const middle = (x(1) + x(lines.needed)) / 2;
  const edge = (line: number) => x(line) + pitch / 2;
  const words = ["join", "trained", "keys", "sent"].map((name, index) => `${name} by ${plan.ends[index]} s`);
  return (
    <svg
      width={width}
      height={bottom + 128}
      viewBox={`0 0 ${width} ${bottom + 128}`}
      role="img"
      aria-label={label}
    >
      <line className="plan-axis" x1={left - 4.5} y1={top} x2={left - 4.5} y2={bottom} />
      <Voices
        lines={lines}
        plan={plan}
        voice={(line, from, to) => `M${x(line)} ${y(from)}V${y(to)}`}
        ring={(line, at) => [x(line), y(at) + 2.5]}
      />
      {plan.ends.map((seconds, index) => (
        <g key={NAMES[index]}>
          <line className="plan-bar" x1={left - 4} y1={y(seconds)} x2={last} y2={y(seconds)} />
          {(index === 0 || index === 3 || y(seconds) - y(plan.ends[index - 1] ?? 0) > 24) && (
            <text className="plan-words" x={last} y={y(seconds) - 6} textAnchor="end">
              {words[index]}
            </text>
          )}
        </g>
      ))}
      <Needed from={[edge(lines.min), top - 6]} to={[edge(lines.min), y(plan.ends[0])]} />
      <text className="plan-words" x={edge(lines.min)} y={top - 12} textAnchor="middle">
        {formatCount(plan.min)} must join
      </text>
      <Needed from={[edge(lines.needed), y(plan.ends[2])]} to={[edge(lines.needed), bottom]} />
      <text className="plan-words" x={edge(lines.needed) - 6} y={y(plan.ends[2]) + 18} textAnchor="end">
        {formatCount(plan.needed)} must send
      </text>
      {[1, lines.needed].map((line) => (
        <path
          key={line}
          className="plan-ghost"
          d={`M${x(line)} ${bottom + 6}C${x(line)} ${bottom + 50} ${middle} ${bottom + 30} ${middle} ${bottom + 84}`}
        />
      ))}
      <path className="plan-ghost" d={`M${middle} ${bottom + 84}V${bottom + 98}`} />
      <OneSum at={[middle, bottom + 108]} wordsX={middle + 18} needed={plan.needed} />
    </svg>
  );
}

function Voices(props: {
  readonly plan: PlannedRound;
  readonly lines: ReturnType<typeof inLines>;
  readonly voice: (line: number, fromS: number, toS: number) => string;
  readonly ring: (line: number, atS: number) => readonly [number, number];
}) {
  const { plan, lines, voice, ring } = props;
  const [joined, trained, keys, sent] = plan.ends;
  return Array.from({ length: lines.invited }, (_, index) => {
    const line = index + 1;
    const from = (line / lines.invited) * joined * 0.85;
    if (line <= lines.goal) {
      const sends = keys + (line / lines.goal) * (sent - keys) * 0.6;
      return (
        <g key={line}>
          <path className="plan-thin" d={voice(line, from, sends)} />
          <path className="plan-heavy" d={voice(line, sends, sent)} />
        </g>
      );
    }
    const leaves = joined + (0.15 + 0.8 * uneven(index)) * (trained - joined);
    const [cx, cy] = ring(line, leaves);
    return (
      <g key={line}>
        <path className="plan-thin" d={voice(line, from, leaves)} />
        <circle className="plan-gone" cx={cx} cy={cy} r={2.4} />
      </g>
    );
  });
}

/** 0 and the ends that are far enough from one another to be named. */
function timeTicks({ ends }: PlannedRound): number[] {
  const ticks = [0];
  for (const end of ends.slice(0, 3)) {
    if (end - (ticks.at(-1) ?? 0) > 0.09 * ends[3] && ends[3] - end > 0.09 * ends[3]) ticks.push(end);
  }
  return [...ticks, ends[3]];
}

/** Counts whose words do not meet, from the top down; the greatest and the least always stay. */
function apart(marks: readonly { readonly at: number; readonly count: number }[]) {
  const sorted = [...new Map(marks.map((mark) => [mark.count, mark])).values()].toSorted(
    (a, b) => a.at - b.at,
  );
  return sorted.filter((mark, index) => index === 0 || mark.at - (sorted[index - 1]?.at ?? 0) >= 14);
}
