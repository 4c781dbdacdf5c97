import type { RoundView, RunView, Traffic } from "#shared/protocol/api.ts";
import { lowerMedian } from "#shared/stats/median.ts";
import type { RoundTimes, RoundVoices } from "../words/charts.ts";

/* The data behind a run's charts. Pure. */

export function voicesOfRounds(rounds: readonly RoundView[]): RoundVoices[] {
  return rounds.map((round) => {
    const live = round.endedAt === null;
    const inSum = round.phase === "committed" ? (round.survivors ?? round.sent) : live ? round.sent : 0;
    return { round: round.round, joined: round.joined, inSum, needed: round.threshold, live };
  });
}

/** Seconds per part of the committed rounds. Training lasts until the last device has announced its keys. */
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

/** The median of each step over the committed rounds, in protocol order. */
export function medianTraffic(rounds: readonly RoundView[]): Traffic[] {
  const committed = rounds.filter(({ phase, traffic }) => phase === "committed" && traffic.length > 0);
  const steps = committed.at(-1)?.traffic.map(({ step }) => step) ?? [];
  return steps.map((step) => {
    const all = committed.flatMap(({ traffic }) => traffic.filter((row) => row.step === step));
    return {
      step,
      upByteCount: lowerMedian(all.map(({ upByteCount }) => upByteCount)) ?? 0,
      downByteCount: lowerMedian(all.map(({ downByteCount }) => downByteCount)) ?? 0,
    };
  });
}

/**
 * Figures on the rows that devices keep back, by the round whose model they judge.
 *
 * What devices measure before a round is of the model that it starts from: of the round that was committed before it.
 * Coordinators of earlier versions leave that to the reader.
 */
export function onDevicesOf(
  { deviceHistory }: Pick<RunView, "deviceHistory">,
  rounds: readonly RoundView[],
): NonNullable<RunView["deviceHistory"]> {
  if (deviceHistory !== undefined) return deviceHistory;
  const committed = rounds.filter(({ phase }) => phase === "committed");
  return committed.map(({ deviceMeasures }, index) => ({
    round: committed[index - 1]?.round ?? 0,
    measures: deviceMeasures.before,
  }));
}

/** When the newest committed round closed: the scale for a live one. */
export function expectedEndS(rounds: readonly RoundView[]): number | undefined {
  return rounds.filter(({ phase }) => phase === "committed").at(-1)?.phaseEndsS.collecting;
}
