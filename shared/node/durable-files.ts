import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";

const CHUNK_BYTES = 2 ** 20;

/** Makes a rename or a removal inside `folder` survive a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes the content of a file that another program wrote survive a power cut. */
export async function syncFile(path: string): Promise<void> {
  const handle = await open(path, "r+");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Copies a file durably and computes its SHA-256 on the way.
 *
 * @param to    Must not exist. Only this user can read it.
 * @returns The hash, hex, and the size of what was copied.
 * @throws the error of the file system. May leave a part of the file behind.
 */
export async function copyDurably(from: string, to: string): Promise<FileDigest> {
  const target = await open(to, "wx", 0o600);
  try {
    const digest = await digestFile(from, async (chunk) => {
      await target.writeFile(chunk);
    });
    await target.sync();
    return digest;
  } finally {
    await target.close();
  }
}

/** Copies a folder and all files below it, durably. @param to  Must not exist. Only this user can read it. */
export async function copyFolderDurably(from: string, to: string): Promise<void> {
  await mkdir(to, { mode: 0o700 });
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) await copyFolderDurably(source, target);
    else await copyDurably(source, target);
  }
  await syncFolder(to);
}

export interface FileDigest {
  readonly byteCount: number;
  /** Hex. */
  readonly sha256: string;
}

/** @param onChunk  Gets the file's bytes in order. @throws the error of the file system. */
export async function digestFile(
  path: string,
  onChunk: (chunk: Uint8Array) => Promise<void> = async () => undefined,
): Promise<FileDigest> {
  const hash = createHash("sha256");
  let byteCount = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES })) {
    const bytes: Uint8Array = chunk;
    hash.update(bytes);
    byteCount += bytes.length;
    await onChunk(bytes);
  }
  return { byteCount, sha256: hash.digest("hex") };
}

let written = 0;

/**
 * Writes `bytes` to `path` atomically and durably: write, fsync, rename, fsync the folder. After a crash the file has all
 * of them or its old content.
 *
 * @param mode  As for `open`, less the umask.
 * @throws the error of the file system. Leaves no partial file behind.
 */
export async function writeDurably(path: string, bytes: Uint8Array | string, mode = 0o666): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const partial = `${path}.${process.pid}-${++written}.partial`;
  try {
    const handle = await open(partial, "wx", mode);
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

/**
 * Writes what comes to `partial` and makes it durable, hashing it on the way. Memory does not grow with its size.
 *
 * @returns The hash and the size.
 * @throws the error of the file system or of the stream. Leaves nothing behind then.
 */
export async function writeStream(partial: string, body: AsyncIterable<Uint8Array>): Promise<FileDigest> {
  const hash = createHash("sha256");
  let byteCount = 0;
  try {
    const handle = await open(partial, "wx");
    try {
      for await (const chunk of body) {
        hash.update(chunk);
        byteCount += chunk.length;
        await handle.writeFile(chunk);
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
  return { byteCount, sha256: hash.digest("hex") };
}
