import { assert } from "../kernel/assert.ts";
import type { Bytes } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";
import { release } from "../kernel/release.ts";

/** One mask over a vector: its 32-byte key and whether it is added or subtracted. */
export interface Mask {
  readonly key: Bytes;
  readonly sign: 1 | -1;
}

interface Pace {
  /** Of the key stream that is asked for at a time. */
  readonly blockWords: number;
  /** Requests under way at once. */
  readonly inFlightMax: number;
}

/**
 * WebCrypto: 256 KiB, so that the cost of a call vanishes and a block stays in a second-level cache, and several at once,
 * which keeps its threads busy (measured 2 times one at a time). The others work in this thread and gain nothing from
 * that; Node's buffers up to 128 KiB come from memory that its allocator keeps, larger ones cost a fault for each page
 * (measured 2.3 and 1.3 GB per CPU second, additions included).
 */
const PACES: Readonly<Record<Primitives["name"], Pace>> = {
  webcrypto: { blockWords: 64 * 1024, inFlightMax: 8 },
  javascript: { blockWords: 64 * 1024, inFlightMax: 1 },
  node: { blockWords: 32 * 1024, inFlightMax: 1 },
};
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
  const { blockWords, inFlightMax } = PACES[primitives.name];
  const blockCount = Math.ceil(target.length / blockWords);
  const jobCount = blockCount * masks.length;
  let nextJob = 0;

  async function worker(): Promise<void> {
    while (nextJob < jobCount) {
      const job = nextJob++;
      const start = Math.floor(job / masks.length) * blockWords;
      const block = target.subarray(start, start + blockWords);
      const { key, sign } = masks[job % masks.length] as Mask;
      const words = await keystreamWords(primitives, key, firstWord + start, block.length);
      // Additions of the ring commute and none of them spans an await, so workers cannot disturb one another.
      if (sign === 1) addWords(block, words);
      else subtractWords(block, words);
      release(words);
    }
  }

  await Promise.all(Array.from({ length: Math.min(inFlightMax, jobCount) }, worker));
}

/*
 * Hot loops. Eight words a turn: 3 times the plain loop (2.3 against 0.7 GB per CPU second with the key stream, Node
 * 24.21), which checks at each word whether the buffer is still there.
 */

function addWords(block: Uint32Array, words: Uint32Array): void {
  const count = words.length;
  let i = 0;
  for (; i < count - 7; i += 8) {
    block[i]! += words[i]!;
    block[i + 1]! += words[i + 1]!;
    block[i + 2]! += words[i + 2]!;
    block[i + 3]! += words[i + 3]!;
    block[i + 4]! += words[i + 4]!;
    block[i + 5]! += words[i + 5]!;
    block[i + 6]! += words[i + 6]!;
    block[i + 7]! += words[i + 7]!;
  }
  for (; i < count; i++) block[i]! += words[i]!;
}

function subtractWords(block: Uint32Array, words: Uint32Array): void {
  const count = words.length;
  let i = 0;
  for (; i < count - 7; i += 8) {
    block[i]! -= words[i]!;
    block[i + 1]! -= words[i + 1]!;
    block[i + 2]! -= words[i + 2]!;
    block[i + 3]! -= words[i + 3]!;
    block[i + 4]! -= words[i + 4]!;
    block[i + 5]! -= words[i + 5]!;
    block[i + 6]! -= words[i + 6]!;
    block[i + 7]! -= words[i + 7]!;
  }
  for (; i < count; i++) block[i]! -= words[i]!;
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
