import { readFile, stat } from "node:fs/promises";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";

/** Size of the file at `path`; null if there is none. */
export async function byteCountOf(path: string): Promise<number | null> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

/** Reads a file and unpacks it if it is a gzip file. */
export async function readUnpacked(path: string): Promise<Uint8Array> {
  const bytes = await readFile(path);
  // RFC 1952: a gzip file starts with these two bytes.
  return bytes[0] === 0x1f && bytes[1] === 0x8b ? promisify(gunzip)(bytes) : bytes;
}
