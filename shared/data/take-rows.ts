import { type Features, inputSize } from "../task/features.ts";
import type { CsvColumn } from "./csv-columns.ts";
import { encodeRow } from "./encode-row.ts";
import { LeftOut, type LeftOutRow, type RowFault } from "./left-out.ts";
import { ColumnCells, NumberStyle } from "./match/column-cells.ts";
import type { DecimalMark } from "./match/numbers.ts";
import type { ColumnMatch } from "./match/propose-mapping.ts";
import type { RowSink } from "./row-sink.ts";
import { isBlankFrom, type TableRow } from "./table/table-reader.ts";

/* Rows of a table whose columns are matched become rows for a model. Every row is taken, or left out with its reason. */

export interface TakingRows {
  readonly features: Features;
  readonly matches: readonly ColumnMatch[];
  /** Columns that the header names. */
  readonly headerWidth: number;
  /** Rows that show how numbers are written. */
  readonly sample: readonly (readonly string[])[];
  /** Good rows beyond are counted, and do not go into `rows`. */
  readonly rowsMax: number;
  readonly rows: RowSink;
  /** Decimal marks that an earlier reading of the whole file found, by column. */
  readonly revised: ReadonlyMap<string, DecimalMark>;
  readonly onLeftOut?: ((row: LeftOutRow) => void) | undefined;
}

export class RowTaker {
  readonly leftOut: LeftOut;
  readonly columns: readonly ColumnCells[];
  readonly #taking: TakingRows;
  readonly #taskColumns: readonly CsvColumn[];
  readonly #row: Float32Array;
  #count = 0;

  constructor(taking: TakingRows) {
    const { features, matches, sample, revised } = taking;
    this.#taking = taking;
    this.leftOut = new LeftOut(taking.onLeftOut);
    // The columns of a picture or a series hold numbers of one kind, written in one way.
    const shared = features.kind === "tabular" ? null : new NumberStyle();
    this.columns = matches.map((match) => new ColumnCells(match, shared));
    for (const cells of this.columns) cells.learn(sample);
    const marks = this.columns.flatMap((cells) => cells.markSeen ?? []);
    const mostlyComma = marks.filter((mark) => mark === "comma").length * 2 > marks.length;
    for (const cells of this.columns) cells.settle(revised, mostlyComma);
    this.#taskColumns = matches.map(({ column }) => column);
    this.#row = new Float32Array(inputSize(features));
  }

  /** Good rows so far, those beyond `rowsMax` included. */
  get count(): number {
    return this.#count;
  }

  take(row: TableRow): void {
    const fault = this.#faultOf(row) ?? this.#encode(row.cells);
    if (fault !== null) this.leftOut.add(row, fault);
  }

  /** Null if its cells can be told apart and are as many as the names. */
  #faultOf({ cells, fault }: TableRow): RowFault | null {
    if (fault === "open") {
      const sentence = "opens a quote that is never closed; close it or remove it";
      return { reason: "a quote that is never closed", sentence };
    }
    if (fault === "text-after") {
      const sentence = "has text after a closing quote; a quote inside a quoted cell is written twice";
      return { reason: "text after a closing quote", sentence };
    }
    const { headerWidth } = this.#taking;
    if (cells.length === headerWidth || isBlankFrom(cells, headerWidth)) return null;
    const columns = cells.length === 1 ? "column" : "columns";
    return {
      reason: `not the ${headerWidth} columns of the first line`,
      sentence: `has ${cells.length} ${columns} where ${headerWidth} are needed`,
    };
  }

  /** Null if the row is good. */
  #encode(cells: readonly string[]): RowFault | null {
    const row = this.#row.fill(0);
    const texts = this.columns.map((column) => column.text(cells));
    const label = encodeRow(texts, this.#taskColumns, row);
    if (!label.ok) return label.error;
    if (this.#count < this.#taking.rowsMax) this.#taking.rows.take(row, label.value);
    this.#count += 1;
    return null;
  }
}
