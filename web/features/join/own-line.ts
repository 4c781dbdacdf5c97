import type { OutcomeView, StepTimes } from "#client/index.ts";
import type { RoundView } from "#shared/protocol/api.ts";
import { countsAt, scoreOf } from "../../score/geometry.ts";

type RoundCounts = Parameters<typeof scoreOf>[0] & Pick<RoundView, "openedAt">;

/**
 * Which line of the score is this device's own: the place that it took in the newest count it belongs to, by the times
 * that only this device knows. Counts carry no ids, so nobody else can tell; with a clock that is off, it is a
 * neighbouring line.
 *
 * @returns 1 for the lowest line; null before this device is in any count.
 */
export function ownLine(round: RoundCounts, stepsAt: StepTimes, outcome: OutcomeView | null): number | null {
  const score = scoreOf(round);
  if (score.voices.length === 0) return null;
  const secondsIn = (at: number) => (at - Date.parse(round.openedAt)) / 1_000;
  // A count of second s is the one at the end of it.
  const placeAt = (at: number, key: "joined" | "trained" | "sent" | "left") =>
    countsAt(round.counts, Math.ceil(secondsIn(at)))[key];
  const toLine = (place: number, top: number) =>
    Math.min(Math.max(1, Math.ceil(place / score.devicesPerLine)), Math.max(1, top));
  if (stepsAt.uploaded !== undefined) return toLine(placeAt(stepsAt.uploaded, "sent"), score.sentLines);
  if (outcome?.kind === "dropped") {
    return score.voices.length + 1 - toLine(placeAt(outcome.at, "left"), score.voices.length);
  }
  if (stepsAt.advertised !== undefined)
    return toLine(placeAt(stepsAt.advertised, "trained"), score.voices.length);
  const since = stepsAt.downloading ?? stepsAt.training;
  return since === undefined ? null : toLine(placeAt(since, "joined"), score.voices.length);
}
