import { buildMerkleTree, merkleLeafHash } from "../crypto/merkle.ts";
import type { Bytes } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";
import { LIMITS } from "../protocol/limits.ts";

const PLATFORM_IS_LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;
/** Chunks hashed at a time: bounds the copies that the leaf prefix costs to 1 MiB. */
const CHUNKS_IN_FLIGHT = 16;

/** Words of the ring as they travel: u32 little-endian. Shares memory with `words` where the platform allows it. */
export function ringToBytes(words: Uint32Array<ArrayBuffer>): Bytes {
  const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
  if (PLATFORM_IS_LITTLE_ENDIAN) return bytes;
  const swapped = new Uint8Array(words.byteLength);
  const view = new DataView(swapped.buffer);
  for (let index = 0; index < words.length; index++) view.setUint32(4 * index, words[index] as number, true);
  return swapped;
}

/** Root over the 64-KiB chunks of an input, the last one shorter. RFC 6962, leaf data = the chunk. */
export async function inputRoot(primitives: Primitives, body: Bytes): Promise<Bytes> {
  const chunkCount = Math.ceil(body.length / LIMITS.chunkByteCount);
  const hashes: Bytes[] = [];
  for (let first = 0; first < chunkCount; first += CHUNKS_IN_FLIGHT) {
    const count = Math.min(CHUNKS_IN_FLIGHT, chunkCount - first);
    const batch = Array.from({ length: count }, (_, index) => {
      const start = (first + index) * LIMITS.chunkByteCount;
      return merkleLeafHash(primitives, body.subarray(start, start + LIMITS.chunkByteCount));
    });
    hashes.push(...(await Promise.all(batch)));
  }
  return (await buildMerkleTree(primitives, hashes)).root;
}

/** RFC 6962 leaf of a survivor in the tree whose root the outcome states: leaf data = its input root. */
export function inputLeafHash(primitives: Primitives, root: Bytes): Promise<Bytes> {
  return merkleLeafHash(primitives, root);
}
