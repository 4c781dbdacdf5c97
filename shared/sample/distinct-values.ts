/** Values of a column that are counted one by one at most; a column with more is no list of categories. */
export const EXACT_VALUES_MAX = 1_024;
/** Hashes that are kept once there are more. The estimate of the count then has a standard error of 1 / sqrt(k - 2), 6 %. */
const KEPT_HASHES = 256;
/** Characters of a value that are kept. Two values that differ later count as one. */
const VALUE_LENGTH_MAX = 128;

/** The different values of a column: exact with counts up to a limit, an estimated number above. */
export interface DistinctCount {
  readonly count: number;
  /** False if `count` is an estimate. */
  readonly isExact: boolean;
  /** Values with their numbers of rows, in the order in which they appeared. Null if there are too many. */
  readonly values: readonly (readonly [value: string, rows: number])[] | null;
}

/**
 * Counts different values in bounded memory.
 *
 * Source of the estimate: Bar-Yossef et al. 2002, "Counting distinct elements in a data stream", algorithm 1 (k minimum
 * values). The hash is not keyed: a file that is made to collide misleads its own profile only.
 */
export class DistinctValues {
  #rowsByValue: Map<string, number> | null = new Map();
  /** Ascending, without duplicates; the smallest KEPT_HASHES. */
  #hashes: number[] = [];
  readonly #exactMax: number;

  /** @param exactMax  Values that are counted one by one. */
  constructor(exactMax = EXACT_VALUES_MAX) {
    this.#exactMax = exactMax;
  }

  add(value: string): void {
    const text = value.length > VALUE_LENGTH_MAX ? value.slice(0, VALUE_LENGTH_MAX) : value;
    if (this.#rowsByValue === null) {
      this.#keep(hashOf(text));
      return;
    }
    const rows = this.#rowsByValue.get(text);
    if (rows !== undefined) {
      this.#rowsByValue.set(text, rows + 1);
    } else if (this.#rowsByValue.size < this.#exactMax) {
      this.#rowsByValue.set(detached(text), 1);
    } else {
      for (const known of this.#rowsByValue.keys()) this.#keep(hashOf(known));
      this.#rowsByValue = null;
      this.#keep(hashOf(text));
    }
  }

  /** @param rowCount  Values that were added; an estimate never exceeds it. */
  count(rowCount: number): DistinctCount {
    if (this.#rowsByValue !== null) {
      return { count: this.#rowsByValue.size, isExact: true, values: [...this.#rowsByValue] };
    }
    const { length } = this.#hashes;
    const greatest = this.#hashes.at(-1) as number;
    // Fewer values than hashes that are kept are all there.
    const estimate =
      length < KEPT_HASHES ? length : Math.round(((KEPT_HASHES - 1) * 2 ** 32) / (greatest + 1));
    const count = Math.min(rowCount, Math.max(this.#exactMax + 1, estimate));
    return { count, isExact: false, values: null };
  }

  #keep(hash: number): void {
    const hashes = this.#hashes;
    if (hashes.length === KEPT_HASHES && hash >= (hashes[KEPT_HASHES - 1] as number)) return;
    let low = 0;
    let high = hashes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((hashes[middle] as number) < hash) low = middle + 1;
      else high = middle;
    }
    if (hashes[low] === hash) return;
    hashes.splice(low, 0, hash);
    if (hashes.length > KEPT_HASHES) hashes.pop();
  }
}

/** FNV-1a over UTF-16 units, with the finalizer of MurmurHash3 so that the high bits are even too. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** A copy. Engines keep the whole parent of a part of a string alive, and a cell's parent is a piece of the file. */
function detached(text: string): string {
  return text.length < 13 ? text : (JSON.parse(JSON.stringify(text)) as string);
}
