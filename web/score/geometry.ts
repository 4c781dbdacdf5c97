import type { Counts, Phase, RoundView } from "#shared/protocol/api.ts";

/*
 * The geometry of a score, from counts over time only, so that no line can be a device. Line k starts when k devices
 * have joined, firms when k have trained, and turns heavy when k masked updates have arrived. The j-th device to leave
 * ends the j-th line from the top. Above LINES_MAX each line stands for several devices.
 */

export type ScoreRound = Pick<
  RoundView,
  | "round"
  | "phase"
  | "code"
  | "opened"
  | "nowS"
  | "deadlineS"
  | "phaseEndsS"
  | "joined"
  | "trained"
  | "sent"
  | "left"
  | "shared"
  | "survivors"
  | "threshold"
  | "goal"
  | "counts"
>;

/** A stopped round was ended by a person. */
export type ScoreState = "live" | "committed" | "given up" | "stopped";

interface PhaseBar {
  readonly phase: Phase;
  readonly atS: number;
  readonly past: boolean;
}

export interface Score {
  readonly state: ScoreState;
  /** True if the sum was opened, even if it was discarded afterwards. */
  readonly opened: boolean;
  /** Places drawn; the lines fill the lower ones. */
  readonly places: number;
  readonly devicesPerLine: number;
  readonly nowS: number;
  /** When collecting closes: the end of the time axis. The opening has its own zone without ticks. */
  readonly endS: number;
  readonly ticksS: readonly number[];
  readonly voices: readonly Voice[];
  readonly bars: readonly PhaseBar[];
  /** In lines; null until known. */
  readonly sentLines: number;
  readonly thresholdLines: number | null;
  readonly goalLines: number | null;
  /** In devices. */
  readonly facts: {
    /** What the top place counts: those that joined, or that are wanted. */
    readonly places: number;
    readonly joined: number;
    readonly trained: number;
    readonly sent: number;
    readonly left: number;
    readonly late: number;
    readonly shared: number | null;
    readonly threshold: number | null;
  };
}

export interface Voice {
  /** Counted from 1, the lowest. */
  readonly line: number;
  readonly startS: number;
  /** Where the line firms: a device has trained. Equals `sentS` or `endS` if that came first. */
  readonly firmS: number;
  /** Where the line turns heavy; null until a masked update fills this place. */
  readonly sentS: number | null;
  /** Where the line ends: when the device left, or now. */
  readonly endS: number;
  /** Position of the ring; null if nobody left. */
  readonly leftS: number | null;
}

export const LINES_MAX = 64;
/** Phases that end in a bar. Collecting ends at the closing; what follows has no time axis. */
const BAR_PHASES = ["recruiting", "training", "advertising", "sharing"] as const satisfies readonly Phase[];
const TICK_STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 14_400, 43_200];
const AXIS_ENDS_S = [
  5, 10, 15, 20, 30, 45, 60, 75, 90, 120, 150, 180, 240, 300, 450, 600, 900, 1_200, 1_800, 3_600,
];

/**
 * The seconds at which a cumulative count first reached 1, 2, 3 and so on; every `devicesPerLine`-th of them.
 *
 * Rows are at least a second apart, so the arrivals of one row are spread evenly over the second before it.
 *
 * @param span  When arrivals were possible: phases end to the millisecond, counts are published every second.
 */
export function arrivalsS(
  counts: readonly Counts[],
  key: "joined" | "trained" | "sent" | "left",
  devicesPerLine = 1,
  span: { readonly fromS: number; readonly toS: number } = { fromS: 0, toS: Number.POSITIVE_INFINITY },
): number[] {
  const arrivals: number[] = [];
  const within = (atS: number) => Math.max(span.fromS, Math.min(atS, span.toS));
  let seen = 0;
  let beforeS = 0;
  for (const row of counts) {
    const fromS = within(Math.max(beforeS, row.atS - 1));
    const toS = within(row.atS);
    const fresh = row[key] - seen;
    for (let index = 1; index <= fresh; index += 1) {
      if ((seen + index) % devicesPerLine === 0) arrivals.push(fromS + ((toS - fromS) * index) / fresh);
    }
    seen = Math.max(seen, row[key]);
    beforeS = row.atS;
  }
  return arrivals;
}

/** The counts at second `atS`: the last row that is not later. */
export function countsAt(counts: readonly Counts[], atS: number): Counts {
  let found: Counts = { atS: 0, joined: 0, trained: 0, sent: 0, left: 0 };
  for (const row of counts) {
    if (row.atS > atS) break;
    found = row;
  }
  return found;
}

/** At most six ticks from 0, at intervals that people use. */
export function ticksS(endS: number): number[] {
  const step = TICK_STEPS_S.find((candidate) => endS / candidate <= 6) ?? 86_400;
  const ticks: number[] = [];
  for (let tick = 0; tick <= endS; tick += step) ticks.push(tick);
  return ticks;
}

function stateOf({ phase, code, opened }: Pick<ScoreRound, "phase" | "code" | "opened">): ScoreState {
  if (phase === "committed") return "committed";
  if (phase !== "voided" && phase !== "failed") return "live";
  return code === "ABORTED_BY_OPERATOR" && !opened ? "stopped" : "given up";
}

/**
 * The end of the axis. An ended round ends at its closing. A live round ends at a round number beyond both now and
 * `expectedEndS`, so that the picture is seldom rescaled; a stopped one keeps the axis that it had. Deadlines are far
 * away and would flatten it.
 */
function axisEndS(round: ScoreRound, expectedEndS: number): number {
  const closedS = round.phaseEndsS.collecting;
  if (closedS !== undefined) return Math.max(closedS, 1);
  if (stateOf(round) === "given up") return Math.max(round.nowS, 1);
  const wantedS = Math.max(1.15 * round.nowS, expectedEndS);
  return AXIS_ENDS_S.find((end) => end >= wantedS) ?? 3_600 * Math.ceil(wantedS / 3_600);
}

/** @param expectedEndS  Closing of an earlier round of the run, to scale a live one. */
export function scoreOf(
  round: ScoreRound,
  options: { expectedEndS?: number | undefined; linesMax?: number } = {},
): Score {
  const linesMax = options.linesMax ?? LINES_MAX;
  const state = stateOf(round);
  const devicesPerLine = Math.max(1, Math.ceil(Math.max(round.joined, round.goal) / linesMax));
  const endS = axisEndS(round, options.expectedEndS ?? 0);
  const nowS = Math.min(round.nowS, endS);
  // An opened sum has the survivors only; an update that came after the list was fixed is not in it.
  const sent = state === "committed" ? (round.survivors ?? round.sent) : round.sent;
  const toLines = (count: number) => Math.ceil(count / devicesPerLine);
  const ends = round.phaseEndsS;
  const arrivals = (key: "joined" | "trained" | "sent" | "left", fromS = 0, toS = nowS) =>
    arrivalsS(round.counts, key, devicesPerLine, { fromS, toS: Math.min(toS, nowS) });
  const joinedS = arrivals("joined", 0, ends.recruiting);
  const sentS = arrivals("sent", ends.sharing, ends.collecting).slice(0, Math.floor(sent / devicesPerLine));
  const voices = voicesOf({
    joinedS,
    trainedS: arrivals("trained", ends.recruiting, ends.advertising),
    sentS,
    leftS: arrivals("left"),
    nowS,
  });
  const goalLines = toLines(round.goal);
  return {
    state,
    opened: round.opened,
    places: Math.max(joinedS.length, toLines(round.joined), goalLines, 1),
    devicesPerLine,
    nowS,
    endS,
    ticksS: ticksS(endS),
    voices,
    bars: barsOf(round, endS),
    sentLines: sentS.length,
    thresholdLines: round.threshold === null ? null : toLines(round.threshold),
    goalLines,
    facts: {
      places: Math.max(round.joined, round.goal, 1),
      joined: round.joined,
      trained: round.trained,
      sent,
      left: round.left,
      late: state === "live" || state === "stopped" ? 0 : Math.max(0, round.joined - round.left - sent),
      shared: round.shared,
      threshold: round.threshold,
    },
  };
}

interface Arrivals {
  readonly joinedS: readonly number[];
  readonly trainedS: readonly number[];
  readonly sentS: readonly number[];
  readonly leftS: readonly number[];
  readonly nowS: number;
}

function voicesOf({ joinedS, trainedS, sentS, leftS, nowS }: Arrivals): Voice[] {
  return joinedS.map((startS, index) => {
    const sent = sentS[index] ?? null;
    const left = leftS[joinedS.length - 1 - index] ?? null;
    // A device that left after it sent is still in the sum: its line continues and has the ring.
    const endS = sent === null && left !== null ? left : nowS;
    const firmS = Math.min(trainedS[index] ?? endS, sent ?? endS, endS);
    return {
      line: index + 1,
      startS: Math.min(startS, endS),
      firmS: Math.max(firmS, Math.min(startS, endS)),
      sentS: sent,
      endS,
      leftS: left === null ? null : Math.max(left, sent ?? 0),
    };
  });
}

/** Ended phases, and the deadline of the current one, dotted, if it is within the picture. */
function barsOf(round: ScoreRound, endS: number): PhaseBar[] {
  const bars: PhaseBar[] = [];
  for (const phase of BAR_PHASES) {
    const atS = round.phaseEndsS[phase];
    if (atS !== undefined) bars.push({ phase, atS: Math.min(atS, endS), past: true });
    else if (phase === round.phase && round.deadlineS !== null && round.deadlineS <= endS) {
      bars.push({ phase, atS: round.deadlineS, past: false });
    }
  }
  return bars;
}
