import type { PromotionRules } from "#shared/task/gates/index.ts";
import type { BundledTask } from "./tasks.ts";

/*
 * What a version of a bundled task has to meet, once it is made. It is then put in use by itself: clearly better than what
 * the most frequent answer gives, and not worse than the version in use by more than a margin. Without a margin the interval of
 * the difference would have to lie above 0: on a few hundred rows, no version would follow one that is right for 94 %.
 */

/** Two points, or two hundredths of the variance that is explained. */
const MARGIN = 0.02;

const hardlyWorse = (name: string, threshold: number): PromotionRules => ({
  gates: [{ kind: "measure", name, threshold, minAbsoluteChange: -MARGIN }],
  promoteByItself: true,
});

export const BUNDLED_GATES: Readonly<Record<BundledTask, PromotionRules>> = {
  digits: hardlyWorse("accuracy", 0.8),
  // Always saying no gives 0.88.
  hmda: hardlyWorse("accuracy", 0.885),
  "fashion-mnist": hardlyWorse("accuracy", 0.7),
  // Of the variance; the mean explains none of it.
  cps1998: hardlyWorse("r2", 0.1),
  // Always benign gives 0.63.
  tumours: hardlyWorse("accuracy", 0.85),
  "pen-digits": hardlyWorse("accuracy", 0.8),
  emoji: hardlyWorse("accuracy", 0.6),
};
