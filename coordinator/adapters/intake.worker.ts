import { closeSync, fstatSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { VECTOR_CHUNK_BYTES } from "#shared/codec/vector-bytes.ts";
import { returnRingBlock, takeRingBlock } from "#shared/crypto/ring-block.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";
import { release } from "#shared/kernel/release.ts";
import { answerJobs } from "./answer-jobs.ts";
import { leafHash, readFully, rootOf } from "./chunk-hashes.ts";
import type { HeldVector, IntakeJob, IntakeResult } from "./intake-job.ts";

/* Hashes complete uploads from disk, and adds them to a sum from the memory in which they were hashed. */

/**
 * Bound on vectors that are verified but not added yet; eight vectors of a million numbers. The oldest makes
 * room.
 */
const HELD_BYTES_MAX = 32 * 1024 * 1024;
/** Chunks hashed between two beats. */
const CHUNKS_PER_BEAT = 64;
/** Bound on `spare`. */
const SPARE_MAX = 2;

const held = new Map<string, HeldVector>();
/** Memory of added vectors, reused for the next ones. */
const spare: Bytes[] = [];

answerJobs<IntakeJob, IntakeResult>(
  async (job, beat) => {
    switch (job.type) {
      case "verify":
        return { type: "verified", isGood: await verify(job, beat) };
      case "add":
        return add(job);
      case "forget":
        for (const [path, { bytes }] of held) {
          if (dirname(path) !== job.folder || job.kept.includes(path)) continue;
          held.delete(path);
          release(bytes);
        }
        while (spare.length > 0) release(spare.pop() ?? new Uint8Array(0));
        return { type: "forgotten" };
    }
  },
  (result) => (result.type === "added" ? [result.sum.buffer] : []),
);

async function verify(
  { file, byteCount, root, keepAs }: IntakeJob & { type: "verify" },
  beat: () => void,
): Promise<boolean> {
  if (keepAs === null || byteCount > HELD_BYTES_MAX) {
    return (await rootOfFile(file, byteCount, new Uint8Array(VECTOR_CHUNK_BYTES), beat)) === root;
  }
  const bytes = vectorMemory(byteCount);
  const isGood = (await rootOfFile(file, byteCount, bytes, beat)) === root;
  if (isGood) held.set(keepAs, { root, bytes });
  else giveBack(bytes);
  return isGood;
}

/**
 * Merkle root over a file's chunks, in hex; null if its length differs. If `memory` is as long as the file,
 * all bytes stay in it. Otherwise it holds one chunk.
 */
async function rootOfFile(
  file: string,
  byteCount: number,
  memory: Bytes,
  beat: () => void,
): Promise<string | null> {
  const leaves: Bytes[] = [];
  const handle = openSync(file, "r");
  try {
    if (fstatSync(handle).size !== byteCount) return null;
    for (let offset = 0; offset < byteCount; offset += VECTOR_CHUNK_BYTES) {
      const start = memory.length === byteCount ? offset : 0;
      const chunk = memory.subarray(start, start + Math.min(VECTOR_CHUNK_BYTES, byteCount - offset));
      if (!readFully(handle, chunk, offset)) return null;
      leaves.push(new Uint8Array(leafHash(chunk)));
      if (leaves.length % CHUNKS_PER_BEAT === 0) beat();
    }
  } finally {
    closeSync(handle);
  }
  return rootOf(leaves);
}

/**
 * Makes room for one more vector and reuses memory if it can. Allocating costs a fifth of the time that
 * hashing takes.
 */
function vectorMemory(byteCount: number): Bytes {
  let heldByteCount = 0;
  for (const { bytes } of held.values()) heldByteCount += bytes.length;
  for (const [oldest, { bytes }] of held) {
    if (heldByteCount + byteCount <= HELD_BYTES_MAX) break;
    held.delete(oldest);
    heldByteCount -= bytes.length;
    giveBack(bytes);
  }
  for (let memory = spare.pop(); memory !== undefined; memory = spare.pop()) {
    if (memory.length === byteCount) return memory;
    release(memory);
  }
  return new Uint8Array(byteCount);
}

function giveBack(memory: Bytes): void {
  if (spare.length < SPARE_MAX) spare.push(memory);
  else release(memory);
}

function add({ sum: begun, length, inputs }: IntakeJob & { type: "add" }): IntakeResult {
  const sum = begun ?? new Uint32Array(length);
  const missing: number[] = [];
  const vectors: Bytes[] = [];
  for (const [index, { path, root }] of inputs.entries()) {
    const vector = held.get(path);
    held.delete(path);
    if (vector?.root === root && vector.bytes.length === 4 * length) vectors.push(vector.bytes);
    else missing.push(index);
  }
  addVectors(sum, vectors);
  vectors.forEach(giveBack);
  return { type: "added", sum, missing };
}

/** Adds each chunk of all vectors before the next chunk. */
function addVectors(sum: Uint32Array, vectors: readonly Bytes[]): void {
  if (vectors.length === 0) return;
  const chunkWords = VECTOR_CHUNK_BYTES / 4;
  const block = takeRingBlock();
  for (let done = 0; done < sum.length; done += chunkWords) {
    const words = sum.subarray(done, done + chunkWords);
    block.sum.set(words);
    for (const vector of vectors) {
      block.input.set(vector.subarray(4 * done, 4 * done + words.byteLength));
      block.add(words.byteLength);
    }
    words.set(block.sum.subarray(0, words.length));
  }
  returnRingBlock(block);
}
