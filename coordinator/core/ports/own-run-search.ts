import type { Condition, Ordering } from "#shared/tracking/condition.ts";
import type { Readable } from "./readable.ts";
import type { RunRow } from "./run-row.ts";
import type { Entry, TrackedMetric } from "./tracking-store.ts";

/*
 * Searches for Chorus's own runs, over all projects that their reader may read. Rounds are not among them. Rule L15.
 *
 * | attribute        | is                                                                                  |
 * | ---------------- | ----------------------------------------------------------------------------------- |
 * | task, state, by  | as in the run's row; `by` is its actor                                              |
 * | run, version     | its number, and the version of its task                                             |
 * | rounds           | how many have been committed                                                        |
 * | started, ended   | Unix milliseconds                                                                   |
 * | run_id           |                                                                                     |
 * | run_name, status | as MLflow shows them                                                                |
 * | measured_on      | see `measuredOnOf`                                                                  |
 */

/** All conditions hold. What has no value stands last; params that are numbers are ordered as such, before texts. */
export interface OwnRunQuery {
  readonly readable: Readable;
  readonly conditions: readonly Condition[];
  /** After these, the newest come first. */
  readonly orderings: readonly Ordering[];
}

export interface Stretch {
  readonly limit: number;
  readonly offset: number;
}

export interface FoundRun extends RunRow {
  readonly runId: string;
  readonly params: readonly Entry[];
  readonly tags: readonly Entry[];
  /** Of each the newest. */
  readonly metrics: readonly TrackedMetric[];
}

/** What own runs have values of, in alphabetical order. */
export interface RunNames {
  readonly params: readonly string[];
  readonly metrics: readonly string[];
  readonly tags: readonly string[];
}

export interface OwnRunSearch {
  /** Ids of the runs that are found, in order. No view is read but for what a condition or an ordering names. */
  findOwnRuns(query: OwnRunQuery, stretch: Stretch): Promise<readonly string[]>;
  /** How many there are, on all pages. */
  countOwnRuns(query: Pick<OwnRunQuery, "readable" | "conditions">): Promise<number>;
  /** The first of these runs that fit a page, at least one unless all were deleted, in the order of their ids. */
  readOwnRuns(runIds: readonly string[]): Promise<ReadRuns>;
  /** Whether a run has a param or metric of this key. */
  hasRunName(readable: Readable, entity: "param" | "metric", key: string): Promise<boolean>;
  listRunNames(readable: Readable): Promise<RunNames>;
}

export interface ReadRuns {
  readonly runs: readonly FoundRun[];
  /** How many of the ids were read, from the first on; fewer than were asked for if the runs are too large together. */
  readonly readCount: number;
}
