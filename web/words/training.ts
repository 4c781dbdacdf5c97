import type { BudgetView, Calibration, EngineView } from "#client/index.ts";
import type { Target } from "#shared/task/target.ts";
import { capitalise, countInWords, formatCount, formatDecimal, plural } from "./format.ts";

/* The participant page's words for training on this device: its loss, its speed, its own limit. */

/** The chart of the loss, for people who cannot see it. @param losses  One for each pass. */
export function lossSentence(losses: readonly number[]): string {
  const [first = 0] = losses;
  const last = losses.at(-1) ?? 0;
  return losses.length === 1
    ? `Your loss after one pass is ${formatDecimal(last)}.`
    : `Your loss went from ${formatDecimal(first)} to ${formatDecimal(last)} over ${plural(losses.length, "pass", "passes")}.`;
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
