import { bytesToWords, VECTOR_CHUNK_BYTES } from "../codec/vector-bytes.ts";
import { addMasks, type Mask } from "../crypto/mask-stream.ts";
import { merkleLeafHash, verifyInclusion } from "../crypto/merkle.ts";
import { assert } from "../kernel/assert.ts";
import type { Bytes } from "../kernel/bytes.ts";
import type { Position } from "../kernel/places.ts";
import type { Primitives, RandomBytes } from "../kernel/ports.ts";
import { ok } from "../kernel/result.ts";
import type { VectorLayout } from "../vector/layout.ts";
import type { CheckedSession } from "./check-session.ts";
import { type Checked, fault } from "./fault.ts";

/** Ring words in one chunk. */
export const CHUNK_WORDS = VECTOR_CHUNK_BYTES / 4;

/** A chunk of one masked input and its Merkle path to the root. */
export interface InputChunk {
  readonly bytes: Bytes;
  readonly path: readonly Bytes[];
}

export function chunkCountOf(layout: VectorLayout): number {
  return Math.ceil(layout.length / CHUNK_WORDS);
}

/**
 * Recomputes one chunk of a session's sum: adds up that chunk of every survivor's masked input, each proved against the
 * root that its device signed, and removes the masks there. Holds one chunk of the sum and one of an input. Rule A4.
 *
 * @param masks  All masks of the session, from `reconstructMasks`.
 * @param fetch  Fetches chunk `index` of the input at `position`.
 */
export async function remakeChunk(
  primitives: Primitives,
  layout: VectorLayout,
  session: CheckedSession,
  masks: readonly Mask[],
  index: number,
  fetch: (position: Position, index: number) => Promise<Checked<InputChunk>>,
): Promise<Checked<Uint32Array<ArrayBuffer>>> {
  const size = chunkCountOf(layout);
  const firstWord = index * CHUNK_WORDS;
  assert(index >= 0 && index < size, `no chunk ${index}`);
  const sum = new Uint32Array(Math.min(CHUNK_WORDS, layout.length - firstWord));
  for (const [position, root] of session.inputRoots) {
    const chunk = await fetch(position, index);
    if (!chunk.ok) return chunk;
    const { bytes, path } = chunk.value;
    const leafHash = await merkleLeafHash(primitives, bytes);
    const isSigned =
      bytes.length === 4 * sum.length &&
      (await verifyInclusion(primitives, { leafHash, index, size, path, root }));
    if (!isSigned)
      return fault(
        "CHUNK",
        `Chunk ${index} of the masked input at position ${position} is not the one that its device signed.`,
      );
    const words = bytesToWords(bytes);
    for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (words[i] as number);
  }
  await addMasks(primitives, sum, masks, firstWord);
  return ok(sum);
}

/** The first word of a chunk that differs from `expected`; null if all agree. */
export function firstDifference(
  expected: Uint32Array,
  chunk: Uint32Array,
  index: number,
): { readonly word: number; readonly said: number; readonly remade: number } | null {
  for (let i = 0; i < chunk.length; i++) {
    const word = index * CHUNK_WORDS + i;
    if (chunk[i] === expected[word]) continue;
    return { word, said: (expected[word] as number) | 0, remade: (chunk[i] as number) | 0 };
  }
  return null;
}

/** True if these chunks contain all evidence of the vector. */
export function coverEvidence(layout: VectorLayout, indexes: readonly number[]): boolean {
  return layout.segments
    .filter(({ publish }) => publish === "evidence")
    .every(({ offset, length }) => {
      const [first, last] = [
        Math.floor(offset / CHUNK_WORDS),
        Math.floor((offset + length - 1) / CHUNK_WORDS),
      ];
      return Array.from({ length: last - first + 1 }, (_, at) => first + at).every((chunk) =>
        indexes.includes(chunk),
      );
    });
}

/**
 * Draws `count` different chunks of `total`, uniformly among all such sets. Ascending.
 *
 * @param random  The auditor's own. Whoever knows the draw in advance knows where nobody will look.
 */
export function drawChunks(random: RandomBytes, count: number, total: number): readonly number[] {
  assert(count >= 1 && count <= total, "chunks are drawn without replacement");
  // Floyd's sampling: one random draw per chunk, however large the total.
  const drawn = new Set<number>();
  for (let last = total - count; last < total; last++) {
    const candidate = below(random, last + 1);
    drawn.add(drawn.has(candidate) ? last : candidate);
  }
  return [...drawn].sort((left, right) => left - right);
}

/** Uniform integer below `bound`, by rejection sampling. */
function below(random: RandomBytes, bound: number): number {
  const limit = 2 ** 32 - (2 ** 32 % bound);
  for (;;) {
    const value = new DataView(random(4).buffer).getUint32(0);
    if (value < limit) return value % bound;
  }
}

/**
 * Probability that `drawn` of `total` chunks include at least one of the `wrong` ones: 1 - C(total - wrong, drawn) /
 * C(total, drawn), the hypergeometric tail. About 1 - (1 - f)^drawn if a fraction f of many chunks is wrong.
 */
export function detectionProbability(total: number, wrong: number, drawn: number): number {
  assert(wrong >= 0 && wrong <= total && drawn >= 0 && drawn <= total, "a part of the chunks");
  let missed = 1;
  for (let i = 0; i < drawn; i++) missed *= Math.max(0, total - wrong - i) / (total - i);
  return 1 - missed;
}
