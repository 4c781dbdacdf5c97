import { ok, type Result } from "../kernel/result.ts";
import { LeftOut } from "./left-out.ts";
import { type ImportRefusal, type ImportReport, type ReadingNote, refuseImport } from "./report.ts";
import type { RowSink } from "./row-sink.ts";

/** Counts the rows of a set and what was left out, so that both add up. */
export interface RowCollector {
  /** Rows taken so far. */
  readonly count: number;
  /** @param inputs  One row in the model's format. */
  take(inputs: Float32Array, label: number): void;
  /** @param count  How many rows or files the sentence speaks of. */
  leaveOut(sentence: string, row?: number | null, count?: number): void;
  /** Something that was done to the rows and that their owner should know, as a sentence. */
  note(sentence: string): void;
  /** @param nothing  What to say if no row was taken; the first reason follows it. */
  finish(nothing: string): Result<ImportReport, ImportRefusal>;
}

/** @param rows  Gets the rows that are taken. */
export function createRowCollector(rows: RowSink): RowCollector {
  const leftOut = new LeftOut();
  const notes: ReadingNote[] = [];
  let count = 0;
  return {
    get count() {
      return count;
    },
    take: (row, label) => {
      rows.take(row, label);
      count += 1;
    },
    leaveOut: (sentence, row = null, of = 1) => {
      leftOut.addNamed(sentence, row, of);
    },
    note: (sentence) => {
      notes.push({ kind: "pictures", sentence });
    },
    finish: (nothing) => {
      const { problems } = leftOut;
      if (count === 0)
        return refuseImport("no-good-rows", `${nothing} ${problems[0]?.sentence ?? ""}`.trim(), problems);
      return ok({
        rowsRead: count + leftOut.count,
        rowsTaken: count,
        rowsLeftOut: leftOut.count,
        reasons: leftOut.reasons(),
        problems,
        notes,
      });
    },
  };
}
