import { createHash, randomUUID } from "node:crypto";
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { FileLost } from "#coordinator/core/ports/outage.ts";
import type { Blobs } from "#coordinator/core/ports/ports.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";
import { syncFolder, writeDurably, writeStream } from "#shared/node/durable-files.ts";
import { byteCountOf } from "#shared/node/read-files.ts";
import { isErrorCode } from "./system-errors.ts";

/**
 * Chunk size of a stream. A whole cohort downloads a new model at once, and each device holds a few chunks.
 */
const CHUNK_BYTES = 64 * 1024;

/**
 * Content-addressed files: `aa/<hash>` for each SHA-256, where aa are its first two digits.
 *
 * A write is durable before `put` returns, and every read checks the hash.
 * @throws the file system's error; a blob whose bytes do not match its hash rejects (a failing disk).
 */
export async function openBlobs(folder: string): Promise<Blobs> {
  await mkdir(folder, { recursive: true });
  await removePartials(folder);
  const pathOf = (hash: string) => join(folder, hash.slice(0, 2), hash);

  return {
    put: async (bytes) => {
      const hash = sha256Hex(bytes);
      const path = pathOf(hash);
      if ((await byteCountOf(path)) !== null) {
        // Already stored, unless the file is damaged. Then it is replaced.
        if (sha256Hex(await readFile(path)) === hash) return hash;
      }
      if ((await mkdir(join(folder, hash.slice(0, 2)), { recursive: true })) !== undefined)
        await syncFolder(folder);
      await writeDurably(path, bytes);
      return hash;
    },
    stage: async (body) => {
      const partial = join(folder, `${randomUUID()}.partial`);
      const { sha256: hash, byteCount } = await writeStream(partial, body);
      const discard = () => rm(partial, { force: true });
      const keep = async () => {
        try {
          // A blob that is there is replaced by the same bytes.
          if ((await mkdir(dirname(pathOf(hash)), { recursive: true })) !== undefined)
            await syncFolder(folder);
          await rename(partial, pathOf(hash));
        } catch (error) {
          await discard();
          throw error;
        }
        await syncFolder(dirname(pathOf(hash)));
      };
      return { hash, byteCount, keep, discard };
    },
    get: async (hash) => {
      if (!isHash(hash)) return null;
      let bytes: Bytes;
      try {
        bytes = await readFile(pathOf(hash));
      } catch (error) {
        if (isErrorCode(error, "ENOENT")) return null;
        throw error;
      }
      if (sha256Hex(bytes) !== hash) throw new FileLost(hash, "damaged");
      return bytes;
    },
    byteCount: async (hash) => (isHash(hash) ? byteCountOf(pathOf(hash)) : null),
    stream: async (hash) => (isHash(hash) ? checkedStream(pathOf(hash), hash) : null),
    remove: async (hash) => {
      if (isHash(hash)) await rm(pathOf(hash), { force: true });
    },
  };
}

/**
 * Streams the file. Its last chunk is held back until the hash is verified, so that a damaged file ends
 * early.
 */
async function checkedStream(path: string, hash: string): Promise<ReadableStream<Uint8Array> | null> {
  const file = await openToRead(path);
  if (file === null) return null;
  const digest = createHash("sha256");
  let left = await sizeOf(file);
  return new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      try {
        // Asks for one extra byte, because a read of zero bytes is not possible and a longer file is damaged.
        const { bytesRead, buffer } = await file.read(new Uint8Array(Math.min(CHUNK_BYTES, left + 1)));
        digest.update(buffer.subarray(0, bytesRead));
        left -= bytesRead;
        const isLast = left <= 0 || bytesRead === 0;
        if (isLast && digest.digest("hex") !== hash) throw new FileLost(hash, "damaged");
        if (bytesRead > 0) controller.enqueue(buffer.subarray(0, bytesRead));
        if (!isLast) return;
        controller.close();
        await file.close();
      } catch (error) {
        controller.error(error);
        await file.close();
      }
    },
    cancel: () => file.close(),
  });
}

async function openToRead(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, "r");
  } catch (error) {
    if (isErrorCode(error, "ENOENT")) return null;
    throw error;
  }
}

/** Closes the file if its size cannot be read. */
async function sizeOf(file: FileHandle): Promise<number> {
  try {
    return (await file.stat()).size;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Removes what a kill during `put` left behind. */
async function removePartials(folder: string): Promise<void> {
  for (const name of await readdir(folder, { recursive: true })) {
    if (name.endsWith(".partial")) await rm(join(folder, name), { force: true });
  }
}

function isHash(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}

function sha256Hex(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
