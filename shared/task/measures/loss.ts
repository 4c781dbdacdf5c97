import { meanMeasure } from "../../stats/intervals.ts";
import type { MeasureSpec } from "./measure-spec.ts";

/** The mean cross-entropy of the rows. Devices do not sum the squares of their losses, so theirs would have no interval. */
export const loss: MeasureSpec = {
  of: "classes",
  name: "loss",
  label: "Loss",
  unit: "nats",
  better: "lower",
  note: (rows) => `Cross-entropy on ${rows}, in nats; lower is better.`,
  guessing: (target, shares) => {
    if (target.kind !== "classes") return null;
    return shares === null
      ? { value: Math.log(target.classes.length), words: "guessing" }
      : { value: entropyOf(shares), words: "the classes' shares for all" };
  },
  central: (sums) => ("correct" in sums ? meanMeasure(sums.lossSum, sums.lossSquareSum, sums.count) : null),
};

function entropyOf(shares: readonly number[]): number {
  return shares.reduce((sum, share) => sum - (share > 0 ? share * Math.log(share) : 0), 0);
}
