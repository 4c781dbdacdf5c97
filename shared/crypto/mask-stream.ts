import { assert } from "../kernel/assert.ts";
import type { Bytes } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";
import { release } from "../kernel/release.ts";

/** One mask over a vector: its 32-byte key and whether it is added or subtracted. */
export interface Mask {
  readonly key: Bytes;
  readonly sign: 1 | -1;
}

/** 256 KiB: large enough that WebCrypto's per-call cost vanishes, small enough to stay in a second-level cache. */
const BLOCK_WORDS = 64 * 1024;
/** Several requests at once keep WebCrypto's threads busy (measured 2 times one at a time). */
const IN_FLIGHT_MAX = 8;
const WORDS_PER_AES_BLOCK = 4;
const PLATFORM_IS_LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

/**
 * Adds all `masks` to `target` in the ring 2^32, in place.
 *
 * Goes through the vector block by block and applies every mask to a block before the next, with a few key-stream
 * requests in flight: memory is a few blocks, whatever the number of neighbours and the length of the model.
 *
 * @param target     Words of the ring, modified. Do not touch it until the promise settles.
 * @param firstWord  Index in the mask stream of `target[0]`; any block of a vector can be re-made alone.
 * Source: AES-256-CTR (SP 800-38A), zero initial counter, read as little-endian u32.
 * Does not protect: a mask hides only once per key; keys must be bound to one attempt. No integrity.
 */
export async function addMasks(
  primitives: Primitives,
  target: Uint32Array,
  masks: readonly Mask[],
  firstWord = 0,
): Promise<void> {
  assert(Number.isSafeInteger(4 * (firstWord + target.length)) && firstWord >= 0, "mask offset out of range");
  const blockCount = Math.ceil(target.length / BLOCK_WORDS);
  const jobCount = blockCount * masks.length;
  let nextJob = 0;

  async function worker(): Promise<void> {
    while (nextJob < jobCount) {
      const job = nextJob++;
      const start = Math.floor(job / masks.length) * BLOCK_WORDS;
      const block = target.subarray(start, start + BLOCK_WORDS);
      const { key, sign } = masks[job % masks.length] as Mask;
      const words = await keystreamWords(primitives, key, firstWord + start, block.length);
      // Additions of the ring commute and none of them spans an await, so workers cannot disturb one another.
      if (sign === 1)
        for (let i = 0; i < words.length; i++) block[i]! += words[i]!; // hot loop
      else for (let i = 0; i < words.length; i++) block[i]! -= words[i]!; // hot loop
      release(words);
    }
  }

  await Promise.all(Array.from({ length: Math.min(IN_FLIGHT_MAX, jobCount) }, worker));
}

/** The words `firstWord` up to `firstWord + wordCount` of the AES-256-CTR key stream under `key`, little-endian. */
export async function keystreamWords(
  primitives: Primitives,
  key: Bytes,
  firstWord: number,
  wordCount: number,
): Promise<Uint32Array<ArrayBuffer>> {
  const firstBlock = Math.floor(firstWord / WORDS_PER_AES_BLOCK);
  const skippedBytes = 4 * (firstWord % WORDS_PER_AES_BLOCK);
  const stream = await primitives.aes256CtrKeystream(key, firstBlock, skippedBytes + 4 * wordCount);
  const start = stream.byteOffset + skippedBytes;
  if (PLATFORM_IS_LITTLE_ENDIAN && start % 4 === 0) {
    return new Uint32Array(stream.buffer, start, wordCount);
  }
  const view = new DataView(stream.buffer, start, 4 * wordCount);
  return Uint32Array.from({ length: wordCount }, (_, index) => view.getUint32(4 * index, true));
}
