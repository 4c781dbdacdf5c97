import { bytesToWords, VECTOR_CHUNK_BYTES } from "../codec/vector-bytes.ts";
import { addMasks, type Mask } from "../crypto/mask-stream.ts";
import { merkleLeafHash, verifyInclusion } from "../crypto/merkle.ts";
import { assert } from "../kernel/assert.ts";
import type { Bytes } from "../kernel/bytes.ts";
import type { Primitives, RandomBytes } from "../kernel/ports.ts";
import { ok } from "../kernel/result.ts";
import type { VectorLayout } from "../vector/layout.ts";
import type { CheckedSession } from "./check-session.ts";
import { type Checked, fault } from "./fault.ts";

/** Words of the ring in one chunk. */
export const CHUNK_WORDS = VECTOR_CHUNK_BYTES / 4;

/** A part of one masked input and the way to its root. */
export interface InputChunk {
  readonly bytes: Bytes;
  readonly path: readonly Bytes[];
}

export function chunkCountOf(layout: VectorLayout): number {
  return Math.ceil(layout.length / CHUNK_WORDS);
}

/**
 * Makes one chunk of a session's sum anew: that chunk of every survivor's masked input, each proved against the root that
 * its device signed, and the masks of that place alone. Memory: one chunk of the sum and one of an input. Rule A4.
 *
 * @param masks  Of the whole session; see `reconstructMasks`.
 * @param fetch  That chunk of the input at this position.
 */
export async function remakeChunk(
  primitives: Primitives,
  layout: VectorLayout,
  session: CheckedSession,
  masks: readonly Mask[],
  index: number,
  fetch: (position: number, index: number) => Promise<Checked<InputChunk>>,
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

/** The first word of a chunk that is not as expected; null if all agree. */
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

/** Whether these chunks hold all evidence of the vector. */
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
 * `count` different chunks of `total`, each set as likely as any other, ascending.
 *
 * @param random  Of the one who checks: who knows the draw beforehand knows where nobody looks.
 */
export function drawChunks(random: RandomBytes, count: number, total: number): readonly number[] {
  assert(count >= 1 && count <= total, "chunks are drawn without replacement");
  // Floyd's sampling: one draw for each chunk, whatever the total.
  const drawn = new Set<number>();
  for (let last = total - count; last < total; last++) {
    const candidate = below(random, last + 1);
    drawn.add(drawn.has(candidate) ? last : candidate);
  }
  return [...drawn].sort((left, right) => left - right);
}

/** Uniform below `bound`, by rejection. */
function below(random: RandomBytes, bound: number): number {
  const limit = 2 ** 32 - (2 ** 32 % bound);
  for (;;) {
    const value = new DataView(random(4).buffer).getUint32(0);
    if (value < limit) return value % bound;
  }
}

/**
 * How likely `drawn` of `total` chunks have at least one of the `wrong` ones among them: 1 - C(total - wrong, drawn) /
 * C(total, drawn), the hypergeometric tail; about 1 - (1 - f)^q for a part f of many chunks.
 */
export function detectionProbability(total: number, wrong: number, drawn: number): number {
  assert(wrong >= 0 && wrong <= total && drawn >= 0 && drawn <= total, "a part of the chunks");
  let missed = 1;
  for (let i = 0; i < drawn; i++) missed *= Math.max(0, total - wrong - i) / (total - i);
  return 1 - missed;
}
