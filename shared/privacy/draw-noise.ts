import { assert } from "../kernel/assert.ts";
import type { Bytes } from "../kernel/bytes.ts";
import type { RandomBytes } from "../kernel/ports.ts";
import type { NoiseTable } from "./noise-table.ts";

/** Coordinates whose random bytes are asked for at once: 66 kB, about one call of `crypto.getRandomValues`. */
const BLOCK = 4064;
/** 128 bits for the absolute value. Signs take one more bit each. */
const WORDS_EACH = 4;

/**
 * Adds independent discrete Gaussian noise to each number, in place, modulo 2^32.
 *
 * Each draw compares 128 random bits with the table in a fixed number of steps, whatever comes out. A rejection sampler
 * would show by its time how large the noise is. The two exceptions have a probability below 2^-30 for a draw.
 *
 * @param random  Secure randomness used for nothing else. Never the stream of a mask: whoever removes the mask would know
 *                the noise.
 * Does not protect against someone who reads this process's memory or its cache.
 */
export function addNoise(numbers: Int32Array, table: NoiseTable, random: RandomBytes): void {
  const { high, noiseMax } = table;
  for (let start = 0; start < numbers.length; start += BLOCK) {
    const block = numbers.subarray(start, start + BLOCK);
    const wordBytes = 4 * WORDS_EACH * block.length;
    const bytes = random(wordBytes + Math.ceil(block.length / 8));
    assert(
      bytes.length === wordBytes + Math.ceil(block.length / 8),
      "the random source returned another length",
    );
    const words = wordsOf(bytes, WORDS_EACH * block.length);
    for (let i = 0; i < block.length; i++) {
      const second = words[4 * i + 1]!; // hot loop
      const top = words[4 * i]! * 2 ** 20 + (second >>> 12);
      // Counts the entries that are at most `top`.
      let count = 0;
      for (let half = high.length >>> 1; half > 0; half >>>= 1) {
        count += high[count + half - 1]! <= top ? half : 0;
      }
      if (count > 0 && high[count - 1] === top) count = settleTie(table, words.subarray(4 * i), count);
      const magnitude = Math.min(count, noiseMax);
      const sign = (bytes[wordBytes + (i >>> 3)]! >>> (i & 7)) & 1;
      block[i] = block[i]! + ((magnitude ^ -sign) + sign);
    }
    bytes.fill(0);
    words.fill(0);
  }
}

/** The highest 52 bits are those of one or more entries: the lower 76 decide. */
function settleTie({ high, middle, low }: NoiseTable, words: Uint32Array, count: number): number {
  const [, second = 0, third = 0, fourth = 0] = words;
  const top = high[count - 1];
  const next = (second & 0xfff) * 2 ** 32 + third;
  let settled = count;
  while (settled > 0 && high[settled - 1] === top) {
    const entry = settled - 1;
    const isAtMost = middle[entry]! < next || (middle[entry]! === next && low[entry]! <= fourth); // hot loop
    if (isAtMost) break;
    settled = entry;
  }
  return settled;
}

function wordsOf(bytes: Bytes, count: number): Uint32Array {
  if (bytes.byteOffset % 4 === 0) return new Uint32Array(bytes.buffer, bytes.byteOffset, count);
  return new Uint32Array(bytes.slice().buffer, 0, count);
}
