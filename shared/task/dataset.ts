/** What reading a file gave: how many rows were taken, and which were left out and why. */
export interface ImportReport {
  readonly rowsRead: number;
  readonly rowsLeftOut: number;
  /** The first 50 rows that were left out. */
  readonly problems: readonly RowProblem[];
}
/** `row` counts the file's lines of data from 1 (the header is not counted); null where a picture is not in a row. */
export interface RowProblem {
  readonly row: number | null;
  /** A sentence with what is wrong and what is wanted. */
  readonly sentence: string;
}

/** The whole file was refused; nothing was taken. */
export interface ImportRefusal {
  readonly type:
    | "empty"
    | "not-text"
    | "missing-columns"
    | "too-many-columns"
    | "no-rows"
    | "no-good-rows"
    | "too-many-rows"
    | "not-a-picture"
    | "bad-shape"
    | "unreadable";
  /** What is wrong and what to do. */
  readonly sentence: string;
  /** With no-good-rows: the first rows and their problems. */
  readonly problems: readonly RowProblem[];
}
