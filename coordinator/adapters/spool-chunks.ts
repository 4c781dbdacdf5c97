import { open } from "node:fs/promises";
import { VECTOR_CHUNK_BYTES } from "#shared/codec/vector-bytes.ts";
import { buildMerkleTree, type MerkleTree, merkleLeafHash, merklePath } from "#shared/crypto/merkle.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";
import type { Primitives } from "#shared/kernel/ports.ts";
import type { InputChunk } from "#shared/transcript/spot-check.ts";
import { isErrorCode } from "./system-errors.ts";

/** Trees that are remembered: 32 bytes a chunk, so 2 MB for a thousand inputs of 4 MB. */
const TREES_MAX = 1_000;

/** Reads chunks of complete uploads with their Merkle paths; an upload is hashed once, a chunk in memory at a time. */
export function chunkReader(primitives: Primitives) {
  const trees = new Map<string, MerkleTree>();
  return {
    /** Null where there is no such file or chunk. */
    async read(path: string, index: number): Promise<InputChunk | null> {
      let file: Awaited<ReturnType<typeof open>>;
      try {
        file = await open(path, "r");
      } catch (error) {
        if (isErrorCode(error, "ENOENT")) return null;
        throw error;
      }
      try {
        const { size } = await file.stat();
        const count = Math.ceil(size / VECTOR_CHUNK_BYTES);
        if (index < 0 || index >= count) return null;
        const chunkAt = async (at: number): Promise<Bytes> => {
          const start = at * VECTOR_CHUNK_BYTES;
          const bytes = new Uint8Array(Math.min(VECTOR_CHUNK_BYTES, size - start));
          const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
          if (bytesRead < bytes.length) throw new Error(`the spool's file ends at byte ${start + bytesRead}`);
          return bytes;
        };
        let tree = trees.get(path);
        if (tree === undefined) {
          const hashes: Bytes[] = [];
          for (let at = 0; at < count; at++) hashes.push(await merkleLeafHash(primitives, await chunkAt(at)));
          tree = await buildMerkleTree(primitives, hashes);
          trees.set(path, tree);
          const [oldest] = trees.keys();
          if (trees.size > TREES_MAX && oldest !== undefined) trees.delete(oldest);
        }
        return { bytes: await chunkAt(index), path: merklePath(tree, index) };
      } finally {
        await file.close();
      }
    },
  };
}
