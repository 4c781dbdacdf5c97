import type { BudgetView, Calibration, ContributionSummary, EngineView } from "#client/index.ts";
import { meanAbsoluteError } from "#shared/task/measures/mean-absolute-error.ts";
import type { Target } from "#shared/task/target.ts";
import { capitalise, countInWords, formatCount, formatDecimal, formatFigure, plural } from "./format.ts";

/* The participant page's words for training on this device: its loss, its speed, its own limit. */

/** The chart of the loss, for people who cannot see it. @param losses  One for each pass. */
export function lossSentence(losses: readonly number[]): string {
  const [first = 0] = losses;
  const last = losses.at(-1) ?? 0;
  return losses.length === 1
    ? `Your loss after one pass is ${formatDecimal(last)}.`
    : `Your loss went from ${formatDecimal(first)} to ${formatDecimal(last)} over ${plural(losses.length, "pass", "passes")}.`;
}

/**
 * How the round's model and the one trained here do on the rows that this device keeps back: "Of the 8 drawings that you
 * keep back, the round's model was right for 6, yours after training for 7." Null without such rows.
 *
 * @param many  What the examples are called: "drawings".
 */
export function ownFigures(
  target: Target,
  { before, after }: Pick<ContributionSummary, "before" | "after">,
  many: string,
): string | null {
  if (before.count < 1 || after.count < 1) return null;
  const rows = `the ${formatCount(before.count)} ${many} that you keep back`;
  if ("correct" in before && "correct" in after)
    return `Of ${rows}, the round's model was right for ${formatCount(before.correct)}, yours after training for ${formatCount(after.correct)}.`;
  const [off, own] = [before, after].map((sums) => meanAbsoluteError.onDevices?.(sums, target)?.value);
  if (target.kind !== "number" || off === undefined || own === undefined) return null;
  return `On ${rows}, the round's model was off by ${formatFigure(off)}\u00a0${target.unit} on average, yours after training by ${formatFigure(own, off)}.`;
}

/** What a loss is counted in. */
export function lossUnit(learns: Target["kind"]): string {
  return learns === "classes" ? "nats" : "scaled units";
}

/** "Two engines were timed here; the fastest is used." */
export function speedSentence({ calibrating, table }: Pick<EngineView, "calibrating" | "table">): string {
  if (calibrating && table.length === 0) return "Being timed now.";
  const usable = table.filter(({ msPerStep }) => msPerStep !== null).length;
  const engines =
    usable === 1 ? "One engine works" : `${capitalise(countInWords(usable))} engines were timed`;
  return `${engines} here; ${usable > 1 ? "the fastest is used" : "it is used"}.`;
}

/** Milliseconds, or why there are none. */
export function stepTime(row: Pick<Calibration, "msPerStep" | "untimed">): string {
  if (row.untimed === "lost") return "stopped";
  if (row.msPerStep === null) return row.untimed === undefined ? "not usable" : "not timed";
  return row.msPerStep < 10 ? row.msPerStep.toFixed(1) : formatCount(row.msPerStep);
}

/** "8 of 15 rounds used" */
export function budgetWords({ used, limit }: BudgetView): string {
  return `${formatCount(used)} of ${plural(limit, "round")} used`;
}
