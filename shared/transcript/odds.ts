import { detectionProbability } from "./spot-check.ts";

/** A line for people: how likely a draw of `drawn` chunks finds wrong ones. */
export function oddsLine(total: number, drawn: number): string {
  if (drawn === total)
    return `All ${total} chunks of 64 KiB of the sum recomputed: a wrong number anywhere would have been found.`;
  const percent = (wrong: number) =>
    percentOf(total - wrong < drawn, detectionProbability(total, wrong, drawn));
  const tenth = Math.max(1, Math.round(total / 10));
  const several = tenth === 1 ? "" : `, at least one of ${tenth} wrong chunks with ${percent(tenth)}`;
  return `${drawn} of ${total} chunks of 64 KiB of the sum recomputed: one wrong chunk is found with a probability of ${percent(1)}${several}.`;
}

/** Never rounds to 100 if it is not certain, or to 0 if it is possible. */
function percentOf(isCertain: boolean, probability: number): string {
  if (isCertain) return "100 %";
  if (probability > 0.999) return "over 99.9 %";
  const percent = 100 * probability;
  return `${percent < 0.1 ? percent.toPrecision(1) : percent.toFixed(1)} %`;
}
