import { ok, type Result } from "../kernel/result.ts";
import type { Dataset } from "../task/dataset.ts";
import { type Features, inputSize } from "../task/features.ts";
import type { Imported, ImportRefusal, ImportReport } from "./report.ts";

/** Where the good rows of a file go, one after the other. */
export interface RowSink {
  /** @param inputs  One row in the model's format. The reader writes its next row into the same memory. */
  take(inputs: Float32Array, label: number): void;
}

/**
 * A reader opens it again, and begins again, if the later part of a file shows that it was misunderstood.
 *
 * @param expected  Rows that will come; absent if nobody knows.
 */
export type OpenRowSink = (expected?: number) => RowSink;

/** Numbers in a piece of memory, if nobody knows how many rows will come. */
const PIECE_SIZE = 1_000_000;

/** Keeps the rows of the last reading in memory. */
export class KeptRows {
  readonly #width: number;
  #rows: DatasetRows;

  constructor(features: Features) {
    this.#width = inputSize(features);
    this.#rows = new DatasetRows(this.#width, 0);
  }

  readonly openRows: OpenRowSink = (expected = 0) => {
    this.#rows = new DatasetRows(this.#width, expected);
    return this.#rows;
  };

  /** The rows together with the report of their reading. */
  imported(outcome: Result<ImportReport, ImportRefusal>): Result<Imported, ImportRefusal> {
    return outcome.ok ? ok({ dataset: this.#rows.dataset(), report: outcome.value }) : outcome;
  }
}

class DatasetRows implements RowSink {
  readonly #width: number;
  readonly #pieceRows: number;
  readonly #pieces: Float32Array[] = [];
  readonly #labels: number[] = [];

  /**
   * @param width     Numbers in one row.
   * @param expected  Rows for which memory is set aside at once; 0 if unknown.
   */
  constructor(width: number, expected: number) {
    this.#width = width;
    this.#pieceRows = expected > 0 ? expected : Math.max(1, Math.floor(PIECE_SIZE / width));
  }

  take(inputs: Float32Array, label: number): void {
    const count = this.#labels.length;
    const index = Math.floor(count / this.#pieceRows);
    let piece = this.#pieces[index];
    if (piece === undefined) {
      piece = new Float32Array(this.#pieceRows * this.#width);
      this.#pieces[index] = piece;
    }
    piece.set(inputs, (count % this.#pieceRows) * this.#width);
    this.#labels.push(label);
  }

  dataset(): Dataset {
    const count = this.#labels.length;
    const labels = Float32Array.from(this.#labels);
    const [first] = this.#pieces;
    // A copy of the part in use, unless that is nearly all: a view would keep the rest alive.
    if (first !== undefined && count <= this.#pieceRows && count > 0.9 * this.#pieceRows)
      return { inputs: first.subarray(0, count * this.#width), labels, count };
    const inputs = new Float32Array(count * this.#width);
    for (const [index, piece] of this.#pieces.entries()) {
      const from = index * this.#pieceRows * this.#width;
      inputs.set(piece.subarray(0, inputs.length - from), from);
    }
    return { inputs, labels, count };
  }
}

/** Keeps the labels alone, for a check that takes memory by rows and not by their width. */
export class LabelRows implements RowSink {
  readonly labels: number[] = [];

  take(_inputs: Float32Array, label: number): void {
    this.labels.push(label);
  }
}
