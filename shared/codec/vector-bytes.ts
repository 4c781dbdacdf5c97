import { buildMerkleTree, type MerkleTree, merkleLeafHash } from "../crypto/merkle.ts";
import { assert } from "../kernel/assert.ts";
import type { Bytes } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";

/** Devices commit to a masked vector in chunks of 64 KiB, so that an auditor can ask for a single one. */
export const VECTOR_CHUNK_BYTES = 64 * 1024;

const PLATFORM_IS_LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

/** Little-endian bytes of ring words: a view on a little-endian platform, else a copy. */
export function wordsToBytes(words: Uint32Array<ArrayBuffer>): Bytes {
  const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
  return PLATFORM_IS_LITTLE_ENDIAN ? bytes : swapWords(bytes);
}

/**
 * Ring words from little-endian bytes: a view if platform and alignment allow, else a copy.
 *
 * @param bytes  A multiple of 4 bytes. The caller has checked the length against the layout.
 */
export function bytesToWords(bytes: Bytes): Uint32Array<ArrayBuffer> {
  assert(bytes.length % 4 === 0, "words have four bytes");
  const native = PLATFORM_IS_LITTLE_ENDIAN ? bytes : swapWords(bytes);
  if (native.byteOffset % 4 === 0)
    return new Uint32Array(native.buffer, native.byteOffset, native.length / 4);
  return new Uint32Array(native.slice().buffer);
}

/** Little-endian bytes of float32 values. See `wordsToBytes`. */
export function floatsToBytes(values: Float32Array<ArrayBuffer>): Bytes {
  return wordsToBytes(new Uint32Array(values.buffer, values.byteOffset, values.length));
}

/** Float32 values from little-endian bytes. See `bytesToWords`. */
export function bytesToFloats(bytes: Bytes): Float32Array<ArrayBuffer> {
  const words = bytesToWords(bytes);
  return new Float32Array(words.buffer, words.byteOffset, words.length);
}

/**
 * The Merkle tree over the 64-KiB chunks of a vector's bytes; the last chunk may be shorter. Devices sign its root and the
 * byte length. Hashes one chunk at a time, so it needs memory for one chunk and 32 bytes for each.
 */
export async function chunkTree(primitives: Primitives, bytes: Uint8Array): Promise<MerkleTree> {
  const hashes: Bytes[] = [];
  for (let start = 0; start < bytes.length; start += VECTOR_CHUNK_BYTES) {
    hashes.push(await merkleLeafHash(primitives, bytes.subarray(start, start + VECTOR_CHUNK_BYTES)));
  }
  return buildMerkleTree(primitives, hashes);
}

function swapWords(bytes: Bytes): Bytes {
  const swapped = new Uint8Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) swapped[i] = bytes[i ^ 3]!; // hot loop
  return swapped;
}
