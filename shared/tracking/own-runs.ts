import type { Condition, Ordering } from "./condition.ts";
import type { Subject } from "./search-text.ts";

/* Searches for Chorus's own runs: the words of MLflow, and those of Chorus. Rule L15. */

export const OWN_RUNS: Subject = {
  name: "A run",
  texts: ["task", "state", "strategy", "by", "run_id", "run_name", "status", "measured_on"],
  numbers: ["run", "version", "rounds"],
  times: ["started", "ended"],
  aliases: {
    number: "run",
    user_id: "by",
    start_time: "started",
    created: "started",
    end_time: "ended",
  },
  entities: ["metric", "param", "tag"],
};

/** What the rows are called that devices keep back. */
export const ON_DEVICES = "devices";

/** A run's strategy is one of its params. */
export function stored<Part extends Pick<Condition | Ordering, "entity" | "key">>(part: Part): Part {
  return part.entity === "attribute" && part.key === "strategy"
    ? { ...part, entity: "param", key: "strategy.kind" }
    : part;
}

/**
 * Keeps figures together that were measured on the same rows of one task: others are not of one kind. A run whose rows are
 * not known is alone, so it stands in no order among others. Rule V12.
 */
export function withinSets(orderings: readonly Ordering[]): readonly Ordering[] {
  const isOfFigures = orderings.some(({ entity }) => entity === "metric");
  const first = (key: string): Ordering => ({ entity: "attribute", key, isAscending: true });
  return isOfFigures ? [first("task"), first("measured_on"), ...orderings] : orderings;
}

/** The entries of an order that is written as one text: "metrics.accuracy DESC, started". */
export function orderEntries(text: string): readonly string[] {
  return (text.match(/(?:[^,"`]|"[^"]*"?|`[^`]*`?)+/g) ?? []).map((entry) => entry.trim());
}
