import { assert } from "../kernel/assert.ts";

/**
 * 0..count-1, shuffled by `seed` in the same way on every platform: Fisher and Yates with the generator splitmix32. For
 * batch order and data splits. No secret may depend on it.
 *
 * @param seed  An integer, 0 <= seed < 2^32.
 * Source: Knuth, The Art of Computer Programming 2, algorithm 3.4.2P; Steele et al. 2014 (splitmix).
 */
export function shuffledIndices(count: number, seed: number): Uint32Array {
  const next = seededUniform(seed);
  const indices = Uint32Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last--) {
    const other = Math.floor(next() * (last + 1));
    const kept = indices[last] as number;
    indices[last] = indices[other] as number;
    indices[other] = kept;
  }
  return indices;
}

/** Uniform numbers in [0, 1) with 32 bits, the same sequence for the same seed. */
export function seededUniform(seed: number): () => number {
  assert(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32, "a seed is a u32");
  let state = seed;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}
