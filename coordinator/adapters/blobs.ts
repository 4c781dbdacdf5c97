import { createHash } from "node:crypto";
import { type FileHandle, mkdir, open, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { FileLost } from "#coordinator/core/outage.ts";
import type { Blobs } from "#coordinator/core/ports.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";
import { syncFolder, writeDurably } from "#shared/node/durable-files.ts";
import { isErrorCode } from "./system-errors.ts";

/** Chunks of a stream. A whole cohort asks for a new model at once, and each waits with a few of them. */
const CHUNK_BYTES = 64 * 1024;

/**
 * Content-addressed files: `aa/<hash>` for each SHA-256, where aa are its first two digits.
 *
 * A name is the promise of its bytes: writing is durable before `put` returns, and every read checks the hash.
 * @throws the error of the file system; a blob whose bytes do not have its hash rejects (a failing disk).
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
        // The same bytes again; a damaged file is replaced.
        if (sha256Hex(await readFile(path)) === hash) return hash;
      }
      if ((await mkdir(join(folder, hash.slice(0, 2)), { recursive: true })) !== undefined)
        await syncFolder(folder);
      await writeDurably(path, bytes);
      return hash;
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
  };
}

/** The file's bytes; its last chunk is held back until the hash is seen to be right, so a damaged file ends cut. */
async function checkedStream(path: string, hash: string): Promise<ReadableStream<Uint8Array> | null> {
  const file = await openToRead(path);
  if (file === null) return null;
  const digest = createHash("sha256");
  let left = await sizeOf(file);
  return new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      try {
        // One more than there should be: nothing cannot be asked for, and a file that is longer is damaged.
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

/** Closes the file if that cannot be said. */
async function sizeOf(file: FileHandle): Promise<number> {
  try {
    return (await file.stat()).size;
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function byteCountOf(path: string): Promise<number | null> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isErrorCode(error, "ENOENT")) return null;
    throw error;
  }
}

/** What a kill in the middle of a `put` left behind. */
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
