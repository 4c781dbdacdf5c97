import type { Score, ScoreState, Voice } from "./geometry.ts";
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

/* The parts of a score, in any direction and size. */

/** What was drawn before; lines beyond it fade in. */
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
    if (mark.kind === "path") return <path key={key} className={mark.className} d={mark.d} />;
    return (
      <text key={key} className={mark.className} x={mark.x} y={mark.y} textAnchor={mark.anchor}>
        {mark.text}
      </text>
    );
  });
}

/** Width of this device's own line until it has sent. */
const OWN_WIDTH = 2;

interface VoiceProps {
  readonly voice: Voice;
  readonly to: Projection;
  readonly score: Score;
  readonly you: OwnLine | null;
  /** Null draws everything at once. */
  readonly seen: Seen | null;
}

/** The line of one place: light, firm once trained, heavy once sent, with a ring if a device left. */
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
          strokeWidth={own ? OWN_WIDTH : to.thinWidth}
        />
      )}
      {lightEndS > voice.firmS && (
        <path
          className={kind("voice-2", false)}
          d={path(to.time(voice.firmS), to.time(lightEndS))}
          strokeWidth={own ? OWN_WIDTH : to.thinWidth}
        />
      )}
      {voice.sentS !== null && (
        <path
          className={kind("voice-3", voice.line > (seen?.sent ?? 0))}
          d={path(to.time(voice.sentS), heavyEnd(to, score, voice.sentS))}
          strokeWidth={own ? to.sentWidth + 1.4 : to.sentWidth}
        />
      )}
      {voice.leftS !== null && (
        <circle
          className="left-ring"
          {...centre(to, round1(to.time(voice.leftS) + 3), place)}
          r={to.ringRadius}
        />
      )}
    </g>
  );
}

/** End of a heavy line: at the opening, or now; at least 1 px long, so that it is visible at once. */
function heavyEnd(to: Projection, score: Score, sentS: number): number {
  return score.state === "committed" ? to.cut : Math.max(to.time(score.nowS), to.time(sentS) + 1);
}

interface MergeProps {
  readonly score: Score;
  readonly to: Projection;
  readonly you: OwnLine | null;
  /** Id of the gradients, see `Gradients`. */
  readonly id: string;
}

/** The survivors' lines merge into one. */
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

interface SumMarkProps {
  readonly cx: number;
  readonly cy: number;
  readonly r: number;
  readonly state: ScoreState;
}

/** The mark at the end: a disc is a sum, a circle waits, struck is given up, a square was stopped by a person. */
export function SumMark({ cx, cy, r, state }: SumMarkProps) {
  if (state === "committed") return <circle className="sum-dot" cx={cx} cy={cy} r={r} />;
  if (state === "stopped") {
    const half = r - 0.5;
    return <rect className="sum-stopped" x={cx - half} y={cy - half} width={2 * half} height={2 * half} />;
  }
  if (state === "live") return <circle className="sum-shut" cx={cx} cy={cy} r={r} />;
  const reach = r + 3 * (r / 8);
  return (
    <>
      <circle className="sum-dead" cx={cx} cy={cy} r={r} />
      <line className="sum-dead" x1={cx - reach} y1={cy + reach} x2={cx + reach} y2={cy - reach} />
    </>
  );
}

/** Gradients from a voice to the sum, under `id`; from the person's own line, under `id` and "you". */
export function Gradients({ id, to, you }: Pick<MergeProps, "id" | "to" | "you">) {
  return (
    <defs>
      <SumGradient id={id} to={to} />
      {you && <SumGradient id={`${id}you`} to={to} own />}
    </defs>
  );
}

/** From voice to sum: the only gradient in the product. */
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

/** Puts the person's own line last, so that it is on top. */
export function ownLast<Item extends { line: number }>(items: readonly Item[], you: OwnLine | null): Item[] {
  if (you === null) return [...items];
  return [
    ...items.filter((item) => item.line !== you.line),
    ...items.filter((item) => item.line === you.line),
  ];
}
