import { createHash } from "node:crypto";
import type { Blobs, Folder, Spool } from "#coordinator/core/ports/ports.ts";
import { chunkTree, VECTOR_CHUNK_BYTES } from "#shared/codec/vector-bytes.ts";
import { addMasks } from "#shared/crypto/mask-stream.ts";
import { merklePath } from "#shared/crypto/merkle.ts";
import { type Bytes, bytesToHex } from "#shared/kernel/bytes.ts";
import type { Primitives } from "#shared/kernel/ports.ts";
import { err, ok } from "#shared/kernel/result.ts";

/** What is on disk; it outlives the coordinator that wrote it. */
export interface MemoryDisk {
  readonly blobs: Map<string, Bytes>;
  /** Complete uploads by path. */
  readonly spool: Map<string, Bytes>;
}

export function memoryDisk(): MemoryDisk {
  return { blobs: new Map(), spool: new Map() };
}

export function memoryBlobs(disk: MemoryDisk): Blobs {
  const put = (bytes: Uint8Array) => {
    const hash = createHash("sha256").update(bytes).digest("hex");
    disk.blobs.set(hash, new Uint8Array(bytes));
    return hash;
  };
  return {
    put: async (bytes) => put(bytes),
    stage: async (body) => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of body) chunks.push(new Uint8Array(chunk));
      const bytes = Buffer.concat(chunks);
      const hash = createHash("sha256").update(bytes).digest("hex");
      return { hash, byteCount: bytes.length, keep: async () => void put(bytes), discard: async () => {} };
    },
    get: async (hash) => disk.blobs.get(hash)?.slice() ?? null,
    byteCount: async (hash) => disk.blobs.get(hash)?.length ?? null,
    stream: async (hash) => {
      const bytes = disk.blobs.get(hash);
      return bytes === undefined ? null : new Blob([bytes]).stream();
    },
    remove: async (hash) => void disk.blobs.delete(hash),
  };
}

/** Takes an upload as a whole; the real spool's tests cover parts and chunk roots. */
export function memorySpool(disk: MemoryDisk, primitives: Primitives): Spool {
  const path = (sid: string, position: number) => `${sid}/${position}`;
  return {
    path,
    chunk: async (sid, position, index, root) => {
      const bytes = disk.spool.get(path(sid, position));
      const start = index * VECTOR_CHUNK_BYTES;
      if (bytes === undefined || start < 0 || start >= bytes.length) return err({ type: "not-found" });
      const tree = await chunkTree(primitives, bytes);
      if (bytesToHex(tree.root) !== root) return err({ type: "damaged" });
      return ok({ bytes: bytes.slice(start, start + VECTOR_CHUNK_BYTES), path: merklePath(tree, index) });
    },
    offset: async (sid, position) => disk.spool.get(path(sid, position))?.length ?? 0,
    receive: async (upload, body) => {
      const parts: Uint8Array[] = [];
      try {
        for await (const part of body) parts.push(part);
      } catch {
        // A lost connection ends the body, as in the real spool.
      }
      const bytes = new Uint8Array(Buffer.concat(parts));
      if (bytes.length !== upload.byteCount) return err({ type: "bad-length" });
      if (bytesToHex((await chunkTree(primitives, bytes)).root) !== upload.root)
        return err({ type: "bad-root" });
      disk.spool.set(path(upload.sid, upload.position), bytes);
      return ok("complete");
    },
    sessions: async () => [
      ...new Set([...disk.spool.keys()].map((name) => name.slice(0, name.indexOf("/")))),
    ],
    discard: async (sid, kept = []) => {
      const keptPaths = new Set(kept.map((position) => path(sid, position)));
      for (const name of disk.spool.keys()) {
        if (name.startsWith(`${sid}/`) && !keptPaths.has(name)) disk.spool.delete(name);
      }
    },
  };
}

/** Adds in this thread. */
export function memoryFolder(disk: MemoryDisk, primitives: Primitives): Folder {
  return {
    fold: async ({ length, inputs, initial, masks }) => {
      const sum = initial === undefined ? new Uint32Array(length) : Uint32Array.from(initial);
      const indexes: number[] = [];
      for (const [index, { path, root }] of inputs.entries()) {
        const bytes = disk.spool.get(path)?.slice();
        if (bytes?.length !== 4 * length || bytesToHex((await chunkTree(primitives, bytes)).root) !== root) {
          indexes.push(index);
          continue;
        }
        const words = new Uint32Array(bytes.buffer);
        for (let word = 0; word < length; word++)
          sum[word] = ((sum[word] as number) + (words[word] as number)) >>> 0;
      }
      if (indexes.length > 0) return err({ type: "input-damaged", indexes });
      await addMasks(primitives, sum, masks);
      return ok(sum);
    },
    close: async () => {},
  };
}
