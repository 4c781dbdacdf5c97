import type { JudgedNumbers } from "../judged-rows.ts";
import type { EvaluationReport } from "./report.ts";

type Residuals = Extract<EvaluationReport["rows"], { readonly kind: "number" }>["residuals"];

/** Bins of a histogram: odd, so that one is around 0. */
const BINS = 21;

/** The histogram spans half of the label's range in either direction, so that versions can be laid over one another. */
export function residualsOf({ target, labels, answers, count }: JudgedNumbers): Residuals {
  const [from, to] = target.range;
  const width = (to - from) / BINS;
  const counts = new Array<number>(BINS).fill(0);
  for (let row = 0; row < count; row++) {
    const residual = (answers[row] as number) - (labels[row] as number);
    const bin = Math.max(0, Math.min(BINS - 1, Math.floor(residual / width + BINS / 2)));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return counts.map((rows, index) => ({
    from: (index - BINS / 2) * width,
    to: (index + 1 - BINS / 2) * width,
    count: rows,
  }));
}
