import type { Condition, Ordering } from "#shared/tracking/condition.ts";

/** All conditions hold. What has no value stands last, NaN before it. Then the newest come first. */
export interface RunQuery {
  readonly experimentIds: readonly string[];
  readonly shows: "active" | "deleted" | "all";
  readonly conditions: readonly Condition[];
  readonly orderings: readonly Ordering[];
  readonly limit: number;
  readonly offset: number;
}
