import { TIMED_PHASES } from "#shared/round/phases.ts";
import { countsAt, type ScoreRound } from "./geometry.ts";

/** Steps of a replay: one a second, and a last one in which the round is over. */
export function replayEndS({ phaseEndsS, nowS }: Pick<ScoreRound, "phaseEndsS" | "nowS">): number {
  return Math.ceil(phaseEndsS.collecting ?? nowS) + 1;
}

/** The round as it stood `atS` seconds after it opened; from `replayEndS` on, as it ended. */
export function roundAt<Round extends ScoreRound>(round: Round, atS: number): Round {
  if (atS >= replayEndS(round)) return round;
  const { phaseEndsS } = round;
  const phase =
    TIMED_PHASES.find((one) => (phaseEndsS[one] ?? Number.POSITIVE_INFINITY) > atS) ?? round.phase;
  const isPast = (ended: (typeof TIMED_PHASES)[number]) =>
    (phaseEndsS[ended] ?? Number.POSITIVE_INFINITY) <= atS;
  const { joined, trained, sent, left } = countsAt(round.counts, atS);
  const ends = Object.fromEntries(Object.entries(phaseEndsS).filter(([, endS]) => endS <= atS));
  return {
    ...round,
    phase,
    code: null,
    opened: false,
    nowS: atS,
    deadlineS: null,
    phaseEndsS: ends,
    joined,
    trained,
    sent,
    left,
    shared: isPast("sharing") ? round.shared : null,
    survivors: null,
    threshold: isPast("advertising") ? round.threshold : null,
    counts: round.counts.filter((row) => row.atS <= atS),
  };
}
