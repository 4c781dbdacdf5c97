import { err, type Result } from "../kernel/result.ts";
import { LIMITS } from "../protocol/limits.ts";
import type { Dataset } from "../task/dataset.ts";
import { type Features, inputSize } from "../task/features.ts";

/* What became of a file. One with the wrong columns is refused as a whole; bad rows are left out and named, the rest is used. */

/** The result of reading a file: what became of every row, and what was done to read it. */
export interface ImportReport {
  /** Taken and left out together. */
  readonly rowsRead: number;
  readonly rowsTaken: number;
  readonly rowsLeftOut: number;
  /** Why rows were left out, the most frequent first. Their counts add up to `rowsLeftOut`. */
  readonly reasons: readonly LeftOutReason[];
  /** The first 50 rows that were left out. */
  readonly problems: readonly RowProblem[];
  readonly notes: readonly ReadingNote[];
}

export interface LeftOutReason {
  /** Completes "3 rows:", e.g. "nothing in “age”". */
  readonly sentence: string;
  readonly count: number;
  /** The first of them; empty for pictures that are files of their own. */
  readonly rows: readonly number[];
}

/** Something that was done to read a file, so that its owner can say if it was wrong. */
export interface ReadingNote {
  readonly kind:
    | "ignored"
    | "names"
    | "decimal-commas"
    | "groups"
    | "percent"
    | "units"
    | "words"
    | "missing"
    | "layout"
    | "blank-lines"
    | "pictures";
  readonly sentence: string;
}

/** `row` counts the file's data lines from 1, without the header; null for a picture that is a file of its own. */
export interface RowProblem {
  readonly row: number | null;
  /** A sentence that says what is wrong and what is wanted. */
  readonly sentence: string;
}

/** The whole file was refused. */
export interface ImportRefusal {
  readonly type:
    | "empty"
    | "not-text"
    | "missing-columns"
    | "too-many-columns"
    | "unsure-columns"
    | "no-rows"
    | "no-good-rows"
    | "too-many-rows"
    | "not-a-picture"
    | "bad-shape"
    | "several-sets"
    | "stopped"
    /** The file cannot be read any more, or what was read cannot be stored. */
    | "unreadable"
    | "no-room";
  /** What is wrong and what to do. */
  readonly sentence: string;
  /** With no-good-rows: the first rows and their problems. */
  readonly problems: readonly RowProblem[];
  /** With several-sets: their names, of which someone chooses one. */
  readonly choices?: readonly string[];
}

export interface Imported {
  readonly dataset: Dataset;
  readonly report: ImportReport;
}

export const PROBLEMS_MAX = 50;

/** Numbers in all rows together: 200 MB, which leaves a page enough memory to train. */
const VALUES_MAX = 50_000_000;

/** The largest number of rows that one device uses for a task. */
export function rowsMaxOf(features: Features): number {
  return Math.min(LIMITS.rowsMax, Math.floor(VALUES_MAX / inputSize(features)));
}

export function refuseImport(
  type: ImportRefusal["type"],
  sentence: string,
  problems: readonly RowProblem[] = [],
): Result<never, ImportRefusal> {
  return err({ type, sentence, problems });
}

/** Whoever reads has been told to stop. */
export const STOPPED = refuseImport("stopped", "Reading was stopped.");

/** Of a file whose every row was taken as it stands. */
export function wholeReport(rowCount: number): ImportReport {
  return { rowsRead: rowCount, rowsTaken: rowCount, rowsLeftOut: 0, reasons: [], problems: [], notes: [] };
}
