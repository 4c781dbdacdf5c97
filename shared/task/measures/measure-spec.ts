import type { Measure } from "../../stats/measure.ts";
import type { LocalMetrics } from "../../vector/segment.ts";
import type { Evaluation } from "../evaluation.ts";
import type { Target } from "../target.ts";

/**
 * One measure: how it is computed, and how people see it. A new measure is a file with one of these and an
 * entry in `list.ts`. Events, API, pages and the demo's output follow from that.
 */
export interface MeasureSpec {
  /** What the tasks learn that have this measure. */
  readonly of: Target["kind"];
  /** Name in logs and in the API. */
  readonly name: string;
  /** For a title. */
  readonly label: string;
  /** Name within a sentence; the name if absent. */
  readonly inText?: string;
  /** Unit of its values: a fraction of rows from 0 to 1, nats, that of the label, or none. */
  readonly unit: "share" | "nats" | "label" | "none";
  readonly better: "higher" | "lower";
  /**
   * Explains the measure below its chart.
   *
   * @param rows  The rows that it is measured on, e.g. "359 held-out drawings".
   */
  readonly note: (rows: string) => string;
  /** Completes "version 3 ...". If absent, the sentence names the measure and its value. */
  readonly sentence?: (words: SentenceWords) => string;
  /**
   * The best that is possible without looking at a row; absent or null if that is not known.
   *
   * @param shares  Of each class among the rows that are judged on; null if they are not known.
   */
  readonly guessing?: (target: Target, shares: readonly number[] | null) => Guess | null;
  /** From central evaluation. Null without rows, or if these are not the sums of its kind of task. */
  readonly central: (sums: Evaluation, target: Target) => Measure | null;
  /** From the sums over the devices' own validation rows; absent if these do not suffice. Null as above. */
  readonly onDevices?: (sums: LocalMetrics, target: Target) => Measure | null;
}

export interface Guess {
  readonly value: number;
  /** How it guesses, after the value: "always the most frequent". */
  readonly words: string;
}

export interface SentenceWords {
  /** Value and half width of the interval, formatted for people: "68.1 %" and "0.8 points". */
  readonly value: string;
  readonly halfWidth: string;
  /** Name of the rows, e.g. drawings. */
  readonly many: string;
}
