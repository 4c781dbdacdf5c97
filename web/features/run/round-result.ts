import type { RoundView } from "#shared/protocol/api.ts";
import type { ScoreResult } from "../../score/projection.ts";
import { headlineFigure } from "../../words/measures.ts";
import { missingFigures, roundModelTitle } from "../../words/waiting.ts";

/** The result of an opened round, shown beside its sum in the picture. */
export function resultOf(round: RoundView): ScoreResult | null {
  if (round.phase !== "committed") return null;
  return {
    title: roundModelTitle(round),
    note: headlineFigure(round.measures) ?? missingFigures(round),
  };
}
