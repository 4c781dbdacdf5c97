import { assert, present } from "../kernel/assert.ts";
import type { Bytes } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";
import { release } from "../kernel/release.ts";
import { RING_BLOCK_BYTES, type RingBlock, returnRingBlock, takeRingBlock } from "./ring-block.ts";

/** One mask over a vector: its 32-byte key and whether it is added or subtracted. */
export interface Mask {
  readonly key: Bytes;
  readonly sign: 1 | -1;
}

const WORDS_PER_AES_BLOCK = 4;
const PLATFORM_IS_LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

/**
 * Bytes read from one key stream at a time, if this thread generates it. Sum, summand and key stream then stay in the
 * second-level cache. Node takes up to 128 KiB from its allocator, and more than that page by page from the system
 * (measured with additions: 32 KiB 4.7, 64 KiB 5.2, 128 KiB 5.3, 256 KiB 1.0 GB/s).
 */
const READ_BYTES = 64 * 1024;
/** Key streams open at once. Opening one takes 12 microseconds and 2.4 kB (Node 24.21). */
const OPEN_STREAMS_MAX = 1024;
/** Requests in flight. Several keep WebCrypto's threads busy (measured: twice as fast as one at a time). */
const REQUESTS_MAX: Readonly<Record<Primitives["name"], number>> = { webcrypto: 8, javascript: 1, node: 1 };

/**
 * Adds all `masks` to `target` in the ring 2^32, in place.
 *
 * Applies every mask to a block before it goes on to the next, so it needs memory for a few blocks only, however many
 * neighbours there are and however long the model is.
 *
 * @param target     Words of the ring, modified. Do not touch it until the promise settles. If it rejects, only some of
 *                   the masks have been added.
 * @param firstWord  Index of `target[0]` in the mask stream, so that any block of a vector can be computed alone.
 * Source: AES-256-CTR (SP 800-38A), zero initial counter, read as little-endian u32.
 * Does not protect if a key is used twice: keys must be bound to one attempt. Gives no integrity.
 */
export async function addMasks(
  primitives: Primitives,
  target: Uint32Array,
  masks: readonly Mask[],
  firstWord = 0,
): Promise<void> {
  assert(Number.isSafeInteger(4 * (firstWord + target.length)) && firstWord >= 0, "mask offset out of range");
  const { openAes256CtrKeystream: open } = primitives;
  if (open === undefined) return await requestAndAdd(primitives, target, masks, firstWord);
  for (let first = 0; first < masks.length; first += OPEN_STREAMS_MAX) {
    readAndAdd(open, target, masks.slice(first, first + OPEN_STREAMS_MAX), firstWord);
  }
}

/** Works in this thread: opens each key stream once and reads it block by block. */
function readAndAdd(
  open: NonNullable<Primitives["openAes256CtrKeystream"]>,
  target: Uint32Array,
  masks: readonly Mask[],
  firstWord: number,
): void {
  const { firstBlock, skippedBytes } = blockPlace(firstWord);
  const block = takeRingBlock();
  try {
    const streams = masks.map(({ key, sign }) => {
      const stream = open(key, firstBlock);
      stream.read(block.input.subarray(0, skippedBytes));
      return { stream, sign };
    });
    for (let start = 0; start < target.length; start += READ_BYTES / 4) {
      const words = target.subarray(start, start + READ_BYTES / 4);
      const input = block.input.subarray(0, words.byteLength);
      block.sum.set(words);
      for (const { stream, sign } of streams) {
        stream.read(input);
        if (sign === 1) block.add(input.length);
        else block.subtract(input.length);
      }
      words.set(block.sum.subarray(0, words.length));
    }
  } finally {
    returnRingBlock(block);
  }
}

/** Keeps a few requests for key stream in flight, which other threads may serve. */
async function requestAndAdd(
  primitives: Primitives,
  target: Uint32Array,
  masks: readonly Mask[],
  firstWord: number,
): Promise<void> {
  const blockWords = RING_BLOCK_BYTES / 4;
  const jobCount = Math.ceil(target.length / blockWords) * masks.length;
  /** Blocks of `target` that still wait for some of their masks, by their first word. */
  const open = new Map<number, { readonly sum: RingBlock; left: number }>();
  let nextJob = 0;

  async function worker(): Promise<void> {
    while (nextJob < jobCount) {
      const job = nextJob++;
      const start = Math.floor(job / masks.length) * blockWords;
      const words = target.subarray(start, start + blockWords);
      const { key, sign } = present(masks[job % masks.length], "a mask for each job");
      const { firstBlock, skippedBytes } = blockPlace(firstWord + start);
      const stream = await primitives.aes256CtrKeystream(key, firstBlock, skippedBytes + words.byteLength);
      // Ring additions commute and none spans an await, so the workers cannot disturb one another.
      const block = open.get(start) ?? { sum: takeRingBlock(), left: masks.length };
      if (block.left === masks.length) block.sum.sum.set(words);
      block.sum.input.set(stream.subarray(skippedBytes));
      release(stream);
      if (sign === 1) block.sum.add(words.byteLength);
      else block.sum.subtract(words.byteLength);
      block.left -= 1;
      if (block.left > 0) {
        open.set(start, block);
        continue;
      }
      words.set(block.sum.sum.subarray(0, words.length));
      returnRingBlock(block.sum);
      open.delete(start);
    }
  }

  const workerCount = Math.min(REQUESTS_MAX[primitives.name], jobCount);
  const workers = Array.from({ length: workerCount }, worker);
  try {
    await Promise.all(workers);
  } finally {
    // After a failure, start no more requests and wait for those in flight, which still write to their blocks.
    nextJob = jobCount;
    await Promise.allSettled(workers);
    for (const { sum } of open.values()) returnRingBlock(sum);
  }
}

function blockPlace(firstWord: number): { readonly firstBlock: number; readonly skippedBytes: number } {
  return {
    firstBlock: Math.floor(firstWord / WORDS_PER_AES_BLOCK),
    skippedBytes: 4 * (firstWord % WORDS_PER_AES_BLOCK),
  };
}

/** `wordCount` words of the AES-256-CTR key stream under `key`, from `firstWord` on, read as little-endian u32. */
export async function keystreamWords(
  primitives: Primitives,
  key: Bytes,
  firstWord: number,
  wordCount: number,
): Promise<Uint32Array<ArrayBuffer>> {
  const { firstBlock, skippedBytes } = blockPlace(firstWord);
  const stream = await primitives.aes256CtrKeystream(key, firstBlock, skippedBytes + 4 * wordCount);
  const start = stream.byteOffset + skippedBytes;
  if (PLATFORM_IS_LITTLE_ENDIAN && start % 4 === 0) {
    return new Uint32Array(stream.buffer, start, wordCount);
  }
  const view = new DataView(stream.buffer, start, 4 * wordCount);
  return Uint32Array.from({ length: wordCount }, (_, index) => view.getUint32(4 * index, true));
}
