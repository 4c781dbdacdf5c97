import { createReadStream, createWriteStream } from "node:fs";
import { readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { EarlierHeldOut } from "#coordinator/core/ports/held-out-files.ts";
import { syncFile } from "#shared/node/durable-files.ts";
import { readUnpacked } from "#shared/node/read-files.ts";

/*
 * Data folders from before sets had names: a CSV file `<slug>-v<version>.csv`, or a folder `<slug>-v<version>` with an IDX
 * pair, packed or not.
 */

/**
 * @param base        Path without the ending.
 * @param uploadPath  File of an upload.
 * @returns null if there is nothing.
 */
export async function findEarlier(
  base: string,
  uploadPath: (uploadId: string) => string,
): Promise<EarlierHeldOut | null> {
  for (const path of [`${base}.csv`, base]) {
    const found = await stat(path).catch(() => null);
    if (found?.isDirectory() === true) return pairIn(path, uploadPath);
    if (found?.isFile() === true) return csvAt(path, found.size, uploadPath);
  }
  return null;
}

function csvAt(path: string, byteCount: number, uploadPath: (uploadId: string) => string): EarlierHeldOut {
  return {
    format: "csv",
    byteCount,
    copyInto: async (uploadId) => {
      await pipeline(createReadStream(path), createWriteStream(uploadPath(uploadId)));
      await syncFile(uploadPath(uploadId));
    },
    remove: () => rm(path, { force: true }),
  };
}

async function pairIn(
  folder: string,
  uploadPath: (uploadId: string) => string,
): Promise<EarlierHeldOut | null> {
  const names = await readdir(folder);
  const pictures = names.find((name) => /idx3-ubyte(\.gz)?$/.test(name));
  const labels = names.find((name) => /idx1-ubyte(\.gz)?$/.test(name));
  if (pictures === undefined || labels === undefined) return null;
  const files = [pictures, labels].map((name) => join(folder, name));
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
  return {
    format: "idx",
    byteCount: sizes.reduce((sum, size) => sum + size, 0),
    copyInto: async (uploadId) => {
      // One may be packed and the other not.
      const bytes = await Promise.all(files.map(readUnpacked));
      await writeFile(uploadPath(uploadId), Buffer.concat(bytes), { flush: true });
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
