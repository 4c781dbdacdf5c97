import type { OutcomeView, StepTimes } from "#client/index.ts";
import type { RoundView } from "#shared/protocol/api.ts";
import { countsAt, scoreOf } from "../../score/geometry.ts";

type RoundCounts = Parameters<typeof scoreOf>[0] & Pick<RoundView, "openedAt">;

/**
 * The line of the score that is this device's own: its place in the newest count that it belongs to, found from times
 * that only this device knows. Counts have no ids, so nobody else can tell. If the clock is off, it is a neighbouring
 * line.
 *
 * @returns 1 for the lowest line; null until this device is in a count.
 */
export function ownLine(round: RoundCounts, stepsAt: StepTimes, outcome: OutcomeView | null): number | null {
  const score = scoreOf(round);
  if (score.voices.length === 0) return null;
  const secondsIn = (at: number) => (at - Date.parse(round.openedAt)) / 1_000;
  // The count at second s is taken at the end of that second.
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
