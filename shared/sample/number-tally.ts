import type { Extremes } from "./range.ts";

/** Counts the numbers of a column in memory that does not grow with them. */
export class NumberTally {
  readonly #keptMax: number;
  #count = 0;
  #whole = 0;
  #least = Number.POSITIVE_INFINITY;
  #greatest = Number.NEGATIVE_INFINITY;
  #leastRows = 0;
  #greatestRows = 0;
  #kept: number[] = [];
  #keepEvery = 1;

  /** @param keptMax  Numbers that are kept: every row's at first, then every 2nd, 4th, ... so that they stay spread evenly. */
  constructor(keptMax: number) {
    this.#keptMax = keptMax;
  }

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
    const other = new NumberTally(this.#keptMax);
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
    if (this.#kept.length === this.#keptMax) {
      const half = this.#keptMax / 2;
      for (let at = 0; at < half; at++) this.#kept[at] = this.#kept[2 * at] as number;
      this.#kept.length = half;
      this.#keepEvery *= 2;
      if (this.#count % this.#keepEvery !== 0) return;
    }
    this.#kept.push(value);
  }
}
