import type { TrialPoint } from "./trial.ts";

/**
 * A clip that no update of the trial would have been shortened by, rounded up to two digits. Devices' updates are of this
 * length if their rows are about as many and as varied as the trial's.
 *
 * @param points  At least one.
 */
export function proposedClip(points: readonly Pick<TrialPoint, "updateNormL2">[]): number {
  const longest = Math.max(1e-6, ...points.map(({ updateNormL2 }) => updateNormL2));
  const digit = 10 ** (Math.floor(Math.log10(longest)) - 1);
  return Number((Math.ceil(longest / digit) * digit).toPrecision(2));
}
