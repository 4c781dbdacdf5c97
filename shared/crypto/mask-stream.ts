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
 * Of one summand at a time where the key stream is made in this thread: sum, summand and key stream stay in a
 * second-level cache, and Node's memory of up to 128 KiB comes from its allocator, of more from the system by the page
 * (measured, additions included: 32 KiB 4.7, 64 KiB 5.2, 128 KiB 5.3, 256 KiB 1.0 GB/s).
 */
const READ_BYTES = 64 * 1024;
/** Key streams that are open at once. One takes 12 microseconds to open and 2.4 kB (Node 24.21). */
const OPEN_STREAMS_MAX = 1024;
/** WebCrypto's threads are busy if several requests are under way (measured 2 times one at a time). */
const REQUESTS_MAX: Readonly<Record<Primitives["name"], number>> = { webcrypto: 8, javascript: 1, node: 1 };

/**
 * Adds all `masks` to `target` in the ring 2^32, in place.
 *
 * Goes through the vector block by block and applies every mask to a block before the next: memory is a few blocks,
 * whatever the number of neighbours and the length of the model.
 *
 * @param target     Words of the ring, modified. Do not touch it until the promise settles; if it rejects, some masks
 *                   are added and others are not.
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
  const { openAes256CtrKeystream: open } = primitives;
  if (open === undefined) return await requestAndAdd(primitives, target, masks, firstWord);
  for (let first = 0; first < masks.length; first += OPEN_STREAMS_MAX) {
    readAndAdd(open, target, masks.slice(first, first + OPEN_STREAMS_MAX), firstWord);
  }
}

/** In this thread: every key stream is opened once and read on from block to block. */
function readAndAdd(
  open: NonNullable<Primitives["openAes256CtrKeystream"]>,
  target: Uint32Array,
  masks: readonly Mask[],
  firstWord: number,
): void {
  const { firstBlock, skippedBytes } = placeOf(firstWord);
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

/** With a few requests for key stream under way, which other threads may work on. */
async function requestAndAdd(
  primitives: Primitives,
  target: Uint32Array,
  masks: readonly Mask[],
  firstWord: number,
): Promise<void> {
  const blockWords = RING_BLOCK_BYTES / 4;
  const jobCount = Math.ceil(target.length / blockWords) * masks.length;
  /** Blocks of `target` of which some masks are on their way, by where they start. */
  const open = new Map<number, { readonly sum: RingBlock; left: number }>();
  let nextJob = 0;

  async function worker(): Promise<void> {
    while (nextJob < jobCount) {
      const job = nextJob++;
      const start = Math.floor(job / masks.length) * blockWords;
      const words = target.subarray(start, start + blockWords);
      const { key, sign } = present(masks[job % masks.length], "a mask for each job");
      const { firstBlock, skippedBytes } = placeOf(firstWord + start);
      const stream = await primitives.aes256CtrKeystream(key, firstBlock, skippedBytes + words.byteLength);
      // Additions of the ring commute and none of them spans an await, so workers cannot disturb one another.
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
    // After a failure: no request is begun any more, and those under way still write to their blocks.
    nextJob = jobCount;
    await Promise.allSettled(workers);
    for (const { sum } of open.values()) returnRingBlock(sum);
  }
}

function placeOf(firstWord: number): { readonly firstBlock: number; readonly skippedBytes: number } {
  return {
    firstBlock: Math.floor(firstWord / WORDS_PER_AES_BLOCK),
    skippedBytes: 4 * (firstWord % WORDS_PER_AES_BLOCK),
  };
}

/** The words `firstWord` up to `firstWord + wordCount` of the AES-256-CTR key stream under `key`, little-endian. */
export async function keystreamWords(
  primitives: Primitives,
  key: Bytes,
  firstWord: number,
  wordCount: number,
): Promise<Uint32Array<ArrayBuffer>> {
  const { firstBlock, skippedBytes } = placeOf(firstWord);
  const stream = await primitives.aes256CtrKeystream(key, firstBlock, skippedBytes + 4 * wordCount);
  const start = stream.byteOffset + skippedBytes;
  if (PLATFORM_IS_LITTLE_ENDIAN && start % 4 === 0) {
    return new Uint32Array(stream.buffer, start, wordCount);
  }
  const view = new DataView(stream.buffer, start, 4 * wordCount);
  return Uint32Array.from({ length: wordCount }, (_, index) => view.getUint32(4 * index, true));
}
