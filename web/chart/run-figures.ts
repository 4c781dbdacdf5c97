import type { RoundView, Traffic } from "#shared/protocol/api.ts";
import type { RoundTimes } from "./time-chart.tsx";
import type { RoundVoices } from "./voices-chart.tsx";

/* What the charts of a run are drawn from. Pure. */

export function voicesOfRounds(rounds: readonly RoundView[]): RoundVoices[] {
  return rounds.map((round) => {
    const live = round.endedAt === null;
    const inSum = round.phase === "committed" ? (round.survivors ?? round.sent) : live ? round.sent : 0;
    return { round: round.round, joined: round.joined, inSum, needed: round.threshold, live };
  });
}

/** Seconds by part of the committed rounds; devices train until the last of them has announced its keys. */
export function timesOfRounds(rounds: readonly RoundView[]): RoundTimes[] {
  return rounds
    .filter(({ phase }) => phase === "committed")
    .map(({ round, phaseEndsS: ends }) => {
      const recruited = ends.recruiting ?? 0;
      const advertised = ends.advertising ?? ends.training ?? recruited;
      const shared = ends.sharing ?? advertised;
      const collected = ends.collecting ?? shared;
      const opened = ends.unmasking ?? ends.confirming ?? collected;
      return {
        round,
        seconds: {
          join: recruited,
          train: advertised - recruited,
          keys: shared - advertised,
          send: collected - shared,
          open: opened - collected,
        },
      };
    });
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}

/** The median of each step over the committed rounds, in the order of the protocol. */
export function medianTraffic(rounds: readonly RoundView[]): Traffic[] {
  const committed = rounds.filter(({ phase, traffic }) => phase === "committed" && traffic.length > 0);
  const steps = committed.at(-1)?.traffic.map(({ step }) => step) ?? [];
  return steps.map((step) => {
    const all = committed.flatMap(({ traffic }) => traffic.filter((row) => row.step === step));
    return {
      step,
      upByteCount: Math.round(median(all.map(({ upByteCount }) => upByteCount))),
      downByteCount: Math.round(median(all.map(({ downByteCount }) => downByteCount))),
    };
  });
}

/** Closing of the newest committed round: the scale on which a live one is drawn. */
export function expectedEndS(rounds: readonly RoundView[]): number | undefined {
  return rounds.filter(({ phase }) => phase === "committed").at(-1)?.phaseEndsS.collecting;
}
