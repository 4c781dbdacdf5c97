import type { Extremes } from "./range.ts";

/** Values that are kept to draw the column: every row at first, then every 2nd, 4th, ... so that they stay spread evenly. */
const KEPT_NUMBERS_MAX = 1_024;

/** Counts the numbers of a column in memory that does not grow with them. */
export class NumberTally {
  #count = 0;
  #whole = 0;
  #least = Number.POSITIVE_INFINITY;
  #greatest = Number.NEGATIVE_INFINITY;
  #leastRows = 0;
  #greatestRows = 0;
  #kept: number[] = [];
  #keepEvery = 1;

  /** @param value  Finite. */
  add(value: number): void {
    if (this.#count % this.#keepEvery === 0) this.#keep(value);
    this.#count += 1;
    if (Number.isInteger(value)) this.#whole += 1;
    if (value < this.#least) {
      this.#least = value;
      this.#leastRows = 1;
    } else if (value === this.#least) {
      this.#leastRows += 1;
    }
    if (value > this.#greatest) {
      this.#greatest = value;
      this.#greatestRows = 1;
    } else if (value === this.#greatest) {
      this.#greatestRows += 1;
    }
  }

  /** One that has counted the same so far. */
  copy(): NumberTally {
    const other = new NumberTally();
    other.#count = this.#count;
    other.#whole = this.#whole;
    other.#least = this.#least;
    other.#greatest = this.#greatest;
    other.#leastRows = this.#leastRows;
    other.#greatestRows = this.#greatestRows;
    other.#kept = [...this.#kept];
    other.#keepEvery = this.#keepEvery;
    return other;
  }

  get count(): number {
    return this.#count;
  }

  /** Null if there are none. */
  extremes(): Extremes | null {
    if (this.#count === 0) return null;
    return {
      least: this.#least,
      greatest: this.#greatest,
      leastRows: this.#leastRows,
      greatestRows: this.#greatestRows,
      isWhole: this.#whole === this.#count,
    };
  }

  /** Some of the numbers in the order of the file; see ColumnProfile. */
  spread(): Float64Array {
    return Float64Array.from(this.#kept);
  }

  #keep(value: number): void {
    if (this.#kept.length === KEPT_NUMBERS_MAX) {
      for (let at = 0; at < KEPT_NUMBERS_MAX / 2; at++) this.#kept[at] = this.#kept[2 * at] as number;
      this.#kept.length = KEPT_NUMBERS_MAX / 2;
      this.#keepEvery *= 2;
      if (this.#count % this.#keepEvery !== 0) return;
    }
    this.#kept.push(value);
  }
}
