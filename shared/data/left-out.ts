import { type LeftOutReason, PROBLEMS_MAX, type RowProblem } from "./report.ts";

/** Why a row cannot be used. */
export interface RowFault {
  /** The same for all rows that lack the same: "nothing in “age”". */
  readonly reason: string;
  /** The end of a sentence that starts with the row: "has nothing in the column “age”". */
  readonly sentence: string;
}

/** A row that was left out, as it stands in the file. */
export interface LeftOutRow {
  readonly row: number;
  readonly line: number;
  readonly cells: readonly string[];
  readonly sentence: string;
}

/** Row numbers that are kept of a reason. */
const ROWS_SHOWN = 20;
/** Reasons follow from the task's columns, so that there are few. */
const REASONS_MAX = 2_000;

/** Counts rows that are left out, by reason. */
export class LeftOut {
  readonly #onRow: ((row: LeftOutRow) => void) | undefined;
  readonly #reasons = new Map<string, { count: number; readonly rows: number[] }>();
  readonly #problems: RowProblem[] = [];
  #count = 0;

  constructor(onRow?: (row: LeftOutRow) => void) {
    this.#onRow = onRow;
  }

  get count(): number {
    return this.#count;
  }

  /** The first PROBLEMS_MAX. */
  get problems(): readonly RowProblem[] {
    return this.#problems;
  }

  add({ row, line, cells }: Omit<LeftOutRow, "sentence">, { reason, sentence }: RowFault): void {
    this.#note(reason, row, `Row ${row} ${sentence}.`);
    this.#onRow?.({ row, line, cells, sentence });
  }

  /**
   * Pictures of a set. @param sentence  Begins with the name of the picture or folder, which is no part of the reason.
   *
   * @param count  Of rows or files that the sentence speaks of.
   */
  addNamed(sentence: string, row: number | null, count: number): void {
    const reason = sentence.replace(/^(?:“[^”]*”|Picture [\d,]+) /, "").replace(/\.$/, "");
    this.#note(reason, row, sentence, count);
  }

  #note(reason: string, row: number | null, sentence: string, count = 1): void {
    this.#count += count;
    const key = this.#reasons.size < REASONS_MAX || this.#reasons.has(reason) ? reason : "other reasons";
    const known = this.#reasons.get(key) ?? { count: 0, rows: [] };
    known.count += count;
    if (row !== null && known.rows.length < ROWS_SHOWN) known.rows.push(row);
    this.#reasons.set(key, known);
    if (this.#problems.length < PROBLEMS_MAX) this.#problems.push({ row, sentence });
  }

  /** The most frequent first. Their counts add up to `count`. */
  reasons(): LeftOutReason[] {
    return [...this.#reasons]
      .map(([sentence, { count, rows }]) => ({ sentence, count, rows: [...rows] }))
      .sort((left, right) => right.count - left.count);
  }
}
