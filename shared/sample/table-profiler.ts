import { isBlankFrom } from "../data/table/table-reader.ts";
import { type ColumnProfile, ColumnProfiler } from "./column-profiler.ts";

/** What is known of a table so far. */
export interface TableProfile {
  /** Rows with as many cells as the header has names, or blank ones beyond; columns are profiled from these. */
  readonly rows: number;
  /** Rows with another number of cells, or with quotes that cannot be read. */
  readonly otherWidth: number;
  readonly columns: readonly ColumnProfile[];
}

/** Columns of a sample. A table of a task takes LIMITS.columnsMax of them, and a series up to 16,384. */
export const SAMPLE_COLUMNS_MAX = 20_000;

/** Values that are kept of all columns together, so that a wide table takes no more memory than one of 1,024 columns. */
const KEPT_VALUES_MAX = 2 ** 20;
const KEPT_OF_COLUMN = { least: 32, most: 1_024 };

/** A power of two, so that it can be halved. */
function keptMax(columnCount: number): number {
  const share = 2 ** Math.floor(Math.log2(KEPT_VALUES_MAX / Math.max(1, columnCount)));
  return Math.max(KEPT_OF_COLUMN.least, Math.min(KEPT_OF_COLUMN.most, share));
}

/** Profiles a table row by row, in memory that depends on the number of columns alone. */
export class TableProfiler {
  readonly #columns: readonly ColumnProfiler[];
  #rows = 0;
  #otherWidth = 0;

  /** @param header  At most SAMPLE_COLUMNS_MAX names. */
  constructor(header: readonly string[]) {
    const kept = keptMax(header.length);
    this.#columns = header.map((name) => new ColumnProfiler(name, kept));
  }

  add(cells: readonly string[]): void {
    const columns = this.#columns;
    if (cells.length !== columns.length && !isBlankFrom(cells, columns.length)) {
      this.#otherWidth += 1;
      return;
    }
    this.#rows += 1;
    for (let at = 0; at < columns.length; at++) (columns[at] as ColumnProfiler).add(cells[at] as string);
  }

  /** Counts a row that could not be read. */
  leaveOut(): void {
    this.#otherWidth += 1;
  }

  profile(): TableProfile {
    const marks = this.#columns.flatMap(({ markSeen }) => markSeen ?? []);
    const mostlyComma = 2 * marks.filter((mark) => mark === "comma").length > marks.length;
    return {
      rows: this.#rows,
      otherWidth: this.#otherWidth,
      columns: this.#columns.map((column) => column.profile(mostlyComma)),
    };
  }
}
