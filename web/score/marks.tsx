import type { Score, Voice } from "./geometry.ts";
import {
  bendPath,
  centre,
  type Mark,
  mergedPlace,
  type OwnLine,
  type Projection,
  round1,
  runPath,
} from "./projection.ts";

/* The parts of a score, whatever its direction and size. */

/** What was drawn before; lines past it fade in. */
export interface Seen {
  readonly joined: number;
  readonly sent: number;
}

export function Marks({ marks }: { readonly marks: readonly Mark[] }) {
  return marks.map((mark, index) => {
    const key = `${index}${mark.kind}`;
    if (mark.kind === "line") {
      const { x1, x2, y1, y2 } = mark;
      return <line key={key} className={mark.className} x1={x1} x2={x2} y1={y1} y2={y2} />;
    }
    return (
      <text key={key} className={mark.className} x={mark.x} y={mark.y} textAnchor={mark.anchor}>
        {mark.text}
      </text>
    );
  });
}

interface VoiceProps {
  readonly voice: Voice;
  readonly to: Projection;
  readonly score: Score;
  readonly you: OwnLine | null;
  /** Null draws everything at once. */
  readonly seen: Seen | null;
}

/** The line of one place: light, firm once trained, heavy once sent, a ring at who left. */
export function VoiceLine({ voice, to, score, you, seen }: VoiceProps) {
  const own = you?.line === voice.line;
  const kind = (name: string, arriving: boolean) =>
    `${name}${own ? " you" : ""}${arriving && seen !== null ? " arriving" : ""}`;
  const place = to.place(voice.line);
  const path = (from: number, end: number) => runPath(to, round1(from), round1(end), place);
  const lightEndS = voice.sentS ?? voice.endS;
  return (
    <g>
      {voice.firmS > voice.startS && (
        <path
          className={kind("voice-1", voice.line > (seen?.joined ?? 0))}
          d={path(to.time(voice.startS), to.time(voice.firmS))}
        />
      )}
      {lightEndS > voice.firmS && (
        <path className={kind("voice-2", false)} d={path(to.time(voice.firmS), to.time(lightEndS))} />
      )}
      {voice.sentS !== null && (
        <path
          className={kind("voice-3", voice.line > (seen?.sent ?? 0))}
          d={path(to.time(voice.sentS), heavyEnd(to, score, voice.sentS))}
          strokeWidth={own ? to.sentWidth + 1.4 : to.sentWidth}
        />
      )}
      {voice.leftS !== null && to.ringRadius !== null && (
        <circle
          className="left-ring"
          {...centre(to, round1(to.time(voice.leftS) + 2.5), place)}
          r={to.ringRadius}
        />
      )}
    </g>
  );
}

/** Where a heavy line ends: at the opening, or now; never under 1 px, so that it is seen at once. */
function heavyEnd(to: Projection, score: Score, sentS: number): number {
  return score.state === "committed" ? to.cut : Math.max(to.time(score.nowS), to.time(sentS) + 1);
}

interface MergeProps {
  readonly score: Score;
  readonly to: Projection;
  readonly you: OwnLine | null;
  /** Of the gradients, see `Gradients`. */
  readonly id: string;
}

/** The lines of the survivors become one. */
export function Merge({ score, to, you, id }: MergeProps) {
  const sent = score.voices.filter((voice) => voice.sentS !== null);
  const times = [to.cut, round1((to.cut + to.merged) / 2), round1(to.merged)] as const;
  return ownLast(sent, you).map(({ line }) => {
    const own = you?.line === line;
    return (
      <path
        key={line}
        className="merge"
        stroke={`url(#${id}${own ? "you" : ""})`}
        strokeWidth={own ? 2.6 : to.mergeWidth}
        d={bendPath(to, times, to.place(line), mergedPlace(to, score, line))}
      />
    );
  });
}

/** A masked sum that is still shut, or was struck out. */
export function ShutSum({
  cx,
  cy,
  dead,
}: {
  readonly cx: number;
  readonly cy: number;
  readonly dead: boolean;
}) {
  return (
    <>
      <circle cx={cx} cy={cy} r={8} className={dead ? "sum-dead" : "sum-shut"} />
      {dead && <line x1={cx - 11} y1={cy + 11} x2={cx + 11} y2={cy - 11} className="sum-dead" />}
    </>
  );
}

/** From a voice to the sum, under `id`; from one's own line, under `id` and "you". */
export function Gradients({ id, to, you }: Pick<MergeProps, "id" | "to" | "you">) {
  return (
    <defs>
      <SumGradient id={id} to={to} />
      {you && <SumGradient id={`${id}you`} to={to} own />}
    </defs>
  );
}

/** Voice to sum: the one gradient of the product. */
function SumGradient({ id, to, own }: { id: string; to: Projection; own?: boolean }) {
  const box =
    to.direction === "across"
      ? { x1: to.cut, x2: to.merged, y1: 0, y2: 0 }
      : { x1: 0, x2: 0, y1: to.cut, y2: to.merged };
  return (
    <linearGradient id={id} gradientUnits="userSpaceOnUse" {...box}>
      <stop offset={own ? 0.2 : 0} className={own ? "stop-you" : "stop-voice"} />
      <stop offset={own ? 0.95 : 0.9} className="stop-sum" />
    </linearGradient>
  );
}

/** One's own line last, so that it lies on top. */
export function ownLast<Item extends { line: number }>(items: readonly Item[], you: OwnLine | null): Item[] {
  if (you === null) return [...items];
  return [
    ...items.filter((item) => item.line !== you.line),
    ...items.filter((item) => item.line === you.line),
  ];
}
