import type { Dataset } from "../task/dataset.ts";
import { type Features, inputSize } from "../task/features.ts";
import type { CsvColumn } from "./csv-columns.ts";
import { encodeRow } from "./encode-row.ts";
import { LeftOut, type LeftOutRow, type RowFault } from "./left-out.ts";
import { ColumnCells, NumberStyle } from "./match/column-cells.ts";
import type { DecimalMark } from "./match/numbers.ts";
import type { ColumnMatch } from "./match/propose-mapping.ts";
import { isBlankFrom, type TableRow } from "./table/table-reader.ts";

/* Rows of a table whose columns are matched become rows for a model. Every row is taken, or left out with its reason. */

/** Numbers in a piece of memory. */
const PIECE_SIZE = 1_000_000;

export interface TakingRows {
  readonly features: Features;
  readonly matches: readonly ColumnMatch[];
  /** Columns that the header names. */
  readonly headerWidth: number;
  /** Rows that show how numbers are written. */
  readonly sample: readonly (readonly string[])[];
  /** Good rows beyond are counted and not kept. */
  readonly rowsMax: number;
  /** Decimal marks that an earlier reading of the whole file found, by column. */
  readonly revised: ReadonlyMap<string, DecimalMark>;
  readonly onLeftOut?: ((row: LeftOutRow) => void) | undefined;
}

export class RowTaker {
  readonly leftOut: LeftOut;
  readonly columns: readonly ColumnCells[];
  readonly #rows: TakingRows;
  readonly #taskColumns: readonly CsvColumn[];
  readonly #width: number;
  readonly #pieceRows: number;
  readonly #pieces: Float32Array[] = [];
  readonly #labels: number[] = [];
  readonly #spare: Float32Array;
  #count = 0;

  constructor(rows: TakingRows) {
    const { features, matches, sample, revised } = rows;
    this.#rows = rows;
    this.leftOut = new LeftOut(rows.onLeftOut);
    // The columns of a picture or a series hold numbers of one kind, written in one way.
    const shared = features.kind === "tabular" ? null : new NumberStyle();
    this.columns = matches.map((match) => new ColumnCells(match, shared));
    for (const cells of this.columns) cells.learn(sample);
    const marks = this.columns.flatMap((cells) => cells.markSeen ?? []);
    const mostlyComma = marks.filter((mark) => mark === "comma").length * 2 > marks.length;
    for (const cells of this.columns) cells.settle(revised, mostlyComma);
    this.#taskColumns = matches.map(({ column }) => column);
    this.#width = inputSize(features);
    this.#pieceRows = Math.max(1, Math.floor(PIECE_SIZE / this.#width));
    this.#spare = new Float32Array(this.#width);
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
    const { headerWidth } = this.#rows;
    if (cells.length === headerWidth || isBlankFrom(cells, headerWidth)) return null;
    const columns = cells.length === 1 ? "column" : "columns";
    return {
      reason: `not the ${headerWidth} columns of the first line`,
      sentence: `has ${cells.length} ${columns} where ${headerWidth} are needed`,
    };
  }

  /** Stores the row. Null if it is good. */
  #encode(cells: readonly string[]): RowFault | null {
    const isKept = this.#count < this.#rows.rowsMax;
    const target = isKept ? this.#place() : this.#spare;
    const texts = this.columns.map((column) => column.text(cells));
    const label = encodeRow(texts, this.#taskColumns, target);
    if (!label.ok || !isKept) target.fill(0);
    if (!label.ok) return label.error;
    if (isKept) this.#labels.push(label.value);
    this.#count += 1;
    return null;
  }

  /** Where the next good row goes. */
  #place(): Float32Array {
    const at = this.#count % this.#pieceRows;
    const piece = Math.floor(this.#count / this.#pieceRows);
    this.#pieces[piece] ??= new Float32Array(this.#pieceRows * this.#width);
    return this.#pieces[piece].subarray(at * this.#width, (at + 1) * this.#width);
  }

  dataset(): Dataset {
    const count = this.#labels.length;
    const inputs = new Float32Array(count * this.#width);
    for (const [index, piece] of this.#pieces.entries()) {
      const from = index * this.#pieceRows * this.#width;
      inputs.set(piece.subarray(0, inputs.length - from), from);
    }
    return { inputs, labels: Float32Array.from(this.#labels), count };
  }
}
