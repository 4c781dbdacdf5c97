import { open } from "node:fs/promises";
import type { Spool } from "#coordinator/core/ports/ports.ts";
import { VECTOR_CHUNK_BYTES } from "#shared/codec/vector-bytes.ts";
import { buildMerkleTree, type MerkleTree, merkleLeafHash, merklePath } from "#shared/crypto/merkle.ts";
import { type Bytes, bytesToHex, equalBytes } from "#shared/kernel/bytes.ts";
import type { Primitives } from "#shared/kernel/ports.ts";
import { err, ok } from "#shared/kernel/result.ts";
import { isErrorCode } from "./system-errors.ts";

/** Limit for all cached trees. A thousand inputs of 4 MB fit, or a hundred of 40 MB. */
const TREE_BYTES_MAX = 2 ** 25;
/** A 32-byte hash and its object. Each chunk takes two. */
const NODE_BYTES = 200;

interface Remembered {
  readonly tree: Promise<MerkleTree>;
  readonly byteCount: number;
}

/**
 * Reads chunks of complete uploads with their Merkle paths (A4, R50). The first request hashes the upload,
 * chunk by chunk, and caches its tree. Concurrent requests wait for it.
 */
export function chunkReader(primitives: Primitives, treeBytesMax = TREE_BYTES_MAX) {
  const trees = new Map<string, Remembered>();
  let byteCount = 0;

  const forget = (path: string) => {
    byteCount -= trees.get(path)?.byteCount ?? 0;
    trees.delete(path);
  };
  const remember = (path: string, chunkCount: number, make: () => Promise<MerkleTree>) => {
    const tree = make();
    const entry = { tree, byteCount: 2 * chunkCount * NODE_BYTES };
    trees.set(path, entry);
    byteCount += entry.byteCount;
    // If the build fails, the next request tries again.
    tree.catch(() => trees.get(path) === entry && forget(path));
    for (const oldest of trees.keys()) {
      if (byteCount <= treeBytesMax) break;
      forget(oldest);
    }
    return tree;
  };

  return {
    /** Checks chunk and tree against `root` (hex). */
    async read(path: string, index: number, root: string): ReturnType<Spool["chunk"]> {
      let file: Awaited<ReturnType<typeof open>>;
      try {
        file = await open(path, "r");
      } catch (error) {
        if (isErrorCode(error, "ENOENT")) return err({ type: "not-found" });
        throw error;
      }
      try {
        const { size } = await file.stat();
        const count = Math.ceil(size / VECTOR_CHUNK_BYTES);
        if (index < 0 || index >= count) return err({ type: "not-found" });
        const chunkAt = async (at: number): Promise<Bytes> => {
          const start = at * VECTOR_CHUNK_BYTES;
          const bytes = new Uint8Array(Math.min(VECTOR_CHUNK_BYTES, size - start));
          const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
          if (bytesRead < bytes.length) throw new Error(`the spool's file ends at byte ${start + bytesRead}`);
          return bytes;
        };
        const makeTree = async () => {
          const hashes: Bytes[] = [];
          for (let at = 0; at < count; at++) hashes.push(await merkleLeafHash(primitives, await chunkAt(at)));
          return buildMerkleTree(primitives, hashes);
        };
        const tree = await (trees.get(path)?.tree ?? remember(path, count, makeTree));
        const bytes = await chunkAt(index);
        // Checked each time, because the file may have been damaged after the tree was built.
        const leafHash = await merkleLeafHash(primitives, bytes);
        const isGood =
          bytesToHex(tree.root) === root && equalBytes(leafHash, tree.rows[0]?.[index] ?? new Uint8Array(0));
        return isGood ? ok({ bytes, path: merklePath(tree, index) }) : err({ type: "damaged" });
      } finally {
        await file.close();
      }
    },
  };
}
