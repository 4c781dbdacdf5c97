import { assert } from "../kernel/assert.ts";

/*
 * Two coordinates of the 16-bit ring in one word of the ring 2^32.
 *
 * | word | value                              |
 * | ---- | ---------------------------------- |
 * | i    | x[2i] + 2^16 x[2i + 1], mod 2^32    |
 *
 * Words are masked and added like all others, as whole words mod 2^32. A sum of words is
 * sum x[2i] + 2^16 sum x[2i + 1]. If both sums fit 16 bits with sign, they can be read back uniquely: the lower half is
 * the first sum, and subtracting it leaves the second. So a carry between the halves does no harm, code that adds does
 * not need to know of halves, and a mask still hides the whole word.
 */

/** @param words  Output, [ceil(values.length / 2)]. An odd last value gets a word of its own. */
export function packPairs(values: Int32Array, words: Uint32Array): void {
  assert(words.length === Math.ceil(values.length / 2), "two values to a word");
  const pairCount = values.length >>> 1;
  for (let i = 0; i < pairCount; i++) words[i] = values[2 * i]! + (values[2 * i + 1]! << 16); // hot loop
  if (values.length % 2 === 1) words[pairCount] = values[2 * pairCount] as number;
}

/**
 * Unpacks sums of packed values, each in [-2^15, 2^15).
 *
 * @param count  Number of values that were packed.
 */
export function unpackPairs(words: Uint32Array, count: number): Int32Array<ArrayBuffer> {
  assert(words.length === Math.ceil(count / 2), "two values to a word");
  const values = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const word = words[i >>> 1]!; // hot loop
    const low = (word << 16) >> 16;
    values[i] = i % 2 === 0 ? low : (word - low) >> 16;
  }
  return values;
}
