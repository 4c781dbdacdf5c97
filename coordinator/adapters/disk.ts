import { lstat, readdir, statfs } from "node:fs/promises";
import { join } from "node:path";
import type { Disk } from "#coordinator/core/ports/ports.ts";
import type { MonotonicClock } from "#shared/kernel/ports.ts";
import { LIMITS } from "#shared/protocol/limits.ts";

/** Every upload asks, so the answer is kept for a second. */
const KEPT_MS = 1_000;
/** Files are counted this often: a folder of many takes a while to read. */
const COUNTED_MS = 10_000;

export interface DiskOptions {
  /** The data folder. */
  readonly folder: string;
  /** Folders of models and uploads, whose files count towards the quota. */
  readonly counted: readonly string[];
  /** Null for no quota. */
  readonly quotaByteCount: number | null;
}

export interface DiskFacts {
  /** Null if the disk does not say. */
  readonly freeByteCount: number | null;
  readonly floorByteCount: number;
  /** Of models and uploads, at most `COUNTED_MS` ago. */
  readonly usedByteCount: number;
  readonly quotaByteCount: number | null;
}

/** A disk that does not answer has no room. What arrives between two counts of the files may exceed the quota. */
export function openDisk(
  { folder, counted, quotaByteCount }: DiskOptions,
  clock: MonotonicClock,
): Disk & { facts(): Promise<DiskFacts> } {
  const free = kept(clock, KEPT_MS, () => freeByteCount(folder).catch(() => null));
  const used = kept(clock, COUNTED_MS, () => byteCountOf(counted));
  const facts = async (): Promise<DiskFacts> => ({
    freeByteCount: await free(),
    floorByteCount: LIMITS.diskFreeByteCountMin,
    usedByteCount: await used(),
    quotaByteCount,
  });
  return {
    facts,
    hasRoom: async (byteCount = 0) => {
      const now = await facts();
      const used = now.usedByteCount + byteCount;
      const isWithin = now.quotaByteCount === null || used < now.quotaByteCount;
      return isWithin && now.freeByteCount !== null && now.freeByteCount - byteCount >= now.floorByteCount;
    },
  };
}

/** Asks again once the last answer is older than `keptMs`. */
function kept<Value>(clock: MonotonicClock, keptMs: number, ask: () => Promise<Value>): () => Promise<Value> {
  let askedMs = Number.NEGATIVE_INFINITY;
  let answer: Promise<Value> | null = null;
  return () => {
    if (answer === null || clock.nowMs() - askedMs >= keptMs) {
      askedMs = clock.nowMs();
      answer = ask();
    }
    return answer;
  };
}

/** Space left for this user on the disk that holds `folder`. @throws the file system's error. */
export async function freeByteCount(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/**
 * Files and folders may come and go meanwhile; one that is gone counts as empty. Node's recursive `readdir` rejects if any
 * folder below is gone, and the others would not count either.
 */
async function byteCountOf(folders: readonly string[]): Promise<number> {
  let byteCount = 0;
  const left = [...folders];
  for (let folder = left.pop(); folder !== undefined; folder = left.pop()) {
    for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) left.push(path);
      else if (entry.isFile()) byteCount += (await lstat(path).catch(() => null))?.size ?? 0;
    }
  }
  return byteCount;
}
