import { readFileSync } from "node:fs";
import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { LogFiles } from "#coordinator/core/ports/public-log.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";
import { syncFolder, writeDurably } from "#shared/node/durable-files.ts";
import type { LogFile } from "#shared/tlog/grow.ts";
import { parseTilePath, TILE_WIDTH, tilePath } from "#shared/tlog/tiles.ts";
import { isErrorCode } from "./system-errors.ts";

/*
 * The public log on disk, as it is served:
 *
 * | below the folder       | holds                                                                      |
 * | ---------------------- | -------------------------------------------------------------------------- |
 * | checkpoint             | the newest signed checkpoint                                               |
 * | tile/..., tile/entries | tiles and bundles (c2sp.org/tlog-tiles)                                    |
 * | restored               | only in a copy that may not be the newest: why, for the operator           |
 */

/** In a data folder. */
export const LOG_FOLDER = "log";
export const LOG_CHECKPOINT = `${LOG_FOLDER}/checkpoint`;
export const LOG_TILES = `${LOG_FOLDER}/tile/`;

const CHECKPOINT = "checkpoint";
const RESTORED = "restored";
const MODE = 0o644;

export function openLogFiles(folder: string): LogFiles {
  return {
    read: async (path) => (parseTilePath(path) === undefined ? null : readIfThere(join(folder, path))),
    write: (files) => writeAll(folder, files),
    checkpoint: () => textIfThere(join(folder, CHECKPOINT)),
    publish: (note) => writeDurably(join(folder, CHECKPOINT), note, MODE),
    doubt: async () => (await textIfThere(join(folder, RESTORED)))?.trim() ?? null,
  };
}

/** As `read`, in the calling thread. */
export function readLogFileSync(folder: string, path: string): Bytes | null {
  if (parseTilePath(path) === undefined) return null;
  try {
    return new Uint8Array(readFileSync(join(folder, path)));
  } catch (error) {
    return nullIfGone(error);
  }
}

async function readIfThere(path: string): Promise<Bytes | null> {
  return readFile(path).then((bytes) => new Uint8Array(bytes), nullIfGone);
}

function nullIfGone(error: unknown): null {
  if (isErrorCode(error, "ENOENT", "ENOTDIR")) return null;
  throw error;
}

async function textIfThere(path: string): Promise<string | null> {
  const bytes = await readIfThere(path);
  return bytes === null ? null : Buffer.from(bytes).toString("utf8");
}

/** Writes all, renames all, and then makes the folders durable, each once. */
async function writeAll(folder: string, files: readonly LogFile[]): Promise<void> {
  const folders = new Set<string>();
  await Promise.all(
    files.map(async ({ path, bytes }) => {
      const target = join(folder, path);
      for (const made of await makeFolders(dirname(target))) folders.add(made);
      await writeFile(`${target}.partial`, bytes);
      await rename(`${target}.partial`, target);
      folders.add(dirname(target));
    }),
  );
  await Promise.all([...folders].map(syncFolder));
  // Readers of earlier checkpoints find its hashes in the full tile.
  for (const { path } of files) {
    const name = parseTilePath(path);
    if (name?.width === TILE_WIDTH)
      await rm(join(folder, `${tilePath(name)}.p`), { recursive: true, force: true });
  }
}

/** @returns The folders in which one was made. */
async function makeFolders(folder: string): Promise<readonly string[]> {
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return [];
  const changed: string[] = [];
  for (let made = folder; made.length >= first.length; made = dirname(made)) changed.push(dirname(made));
  return changed;
}

async function writeFile(path: string, bytes: Bytes): Promise<void> {
  // What a killed process left is replaced.
  const handle = await open(path, "w", MODE);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Keeps a log from signing until the operator says that it is the newest. @param why  A sentence that says what to do. */
export async function doubtLog(folder: string, why: string): Promise<void> {
  await writeDurably(join(folder, RESTORED), `${why}\n`, MODE);
}

/** @returns False if nobody doubted it. */
export async function trustLog(folder: string): Promise<boolean> {
  if ((await textIfThere(join(folder, RESTORED))) === null) return false;
  await rm(join(folder, RESTORED));
  await syncFolder(folder);
  return true;
}
