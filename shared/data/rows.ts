import { ok, type Result } from "../kernel/result.ts";
import { LeftOut } from "./left-out.ts";
import { type Imported, type ImportRefusal, type ReadingNote, refuseImport } from "./report.ts";

/** Collects the rows of a set and what was left out, so that both add up. */
export interface RowCollector {
  /** Rows taken so far. */
  readonly count: number;
  /** @param inputs  One row in the model's format; copied. */
  take(inputs: Float32Array, label: number): void;
  /** @param count  How many rows or files the sentence speaks of. */
  leaveOut(sentence: string, row?: number | null, count?: number): void;
  /** Something that was done to the rows and that their owner should know, as a sentence. */
  note(sentence: string): void;
  /** @param nothing  What to say if no row was taken; the first reason follows it. */
  finish(nothing: string): Result<Imported, ImportRefusal>;
}

/**
 * @param rowSize  Numbers in one row.
 * @param rowsMax  The most rows that will be taken; their memory is set aside at once.
 */
export function createRowCollector(rowSize: number, rowsMax: number): RowCollector {
  const inputs = new Float32Array(rowSize * rowsMax);
  const labels = new Float32Array(rowsMax);
  const leftOut = new LeftOut();
  const notes: ReadingNote[] = [];
  let count = 0;
  return {
    get count() {
      return count;
    },
    take: (row, label) => {
      inputs.set(row, count * rowSize);
      labels[count] = label;
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
      // A copy of the part in use, unless that is nearly all: a view would keep the rest alive.
      const isFull = count > 0.9 * rowsMax;
      const part = isFull ? inputs.subarray(0, count * rowSize) : inputs.slice(0, count * rowSize);
      return ok({
        dataset: { inputs: part, labels: labels.slice(0, count), count },
        report: {
          rowsRead: count + leftOut.count,
          rowsTaken: count,
          rowsLeftOut: leftOut.count,
          reasons: leftOut.reasons(),
          problems,
          notes,
        },
      });
    },
  };
}
