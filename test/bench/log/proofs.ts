import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { LOG_FOLDER, openLogFiles } from "#coordinator/adapters/log-files.ts";
import { Sequencer } from "#coordinator/core/audit/sequencer.ts";
import type { LogFiles } from "#coordinator/core/ports/public-log.ts";
import { present } from "#shared/kernel/assert.ts";
import { after, monotonicClock, primitives, randomBytes } from "#shared/node/system.ts";
import { openFolderLog } from "../../kit/worlds/long-log.ts";

interface Times {
  readonly proofMs: readonly number[];
  /** The same files read, and as many bytes hashed. */
  readonly floorMs: readonly number[];
}

interface Proofs {
  readonly warm: Times;
  /** Null if the system's cache of files cannot be emptied. */
  readonly cold: Times | null;
  /** Read for one proof. */
  readonly byteCount: readonly number[];
}

/**
 * Of a log that is filled. A proof as a round asks for one: that a leaf is in the tree, which goes on from another one. Each is made under a checkpoint
 * that nothing was proved of before, so nothing of its tiles is in memory.
 */
export async function measureProofs(dataDir: string, count: number): Promise<Proofs> {
  const { store, log: filled } = await openFolderLog(dataDir);
  const folder = join(dataDir, LOG_FOLDER);
  const { size } = present(await store.logHead(), "the log is filled");
  const quiet = { info: () => {}, warn: () => {}, error: () => {} };
  const check = { run: async () => null, close: async () => {} };
  const ports = {
    store,
    check,
    key: filled.key,
    signers: [],
    primitives,
    random: randomBytes,
    witnesses: [],
    settleKey: async () => {},
  };
  const prove = async (leaf: number, from: number, isCold: boolean) => {
    const files = watchedReads(openLogFiles(folder));
    const log = new Sequencer({ ...ports, files: files.files, clock: monotonicClock, after, log: quiet });
    await log.open();
    if (isCold) forget(pathsOf(leaf, from));
    files.paths.clear();
    const beganMs = performance.now();
    const proof = await log.proof({ from, leaves: [leaf] });
    const tookMs = performance.now() - beganMs;
    if (!proof.ok || proof.value.consistency.length === 0) throw new Error("nothing was proved");
    return { tookMs, paths: [...files.paths].map((path) => join(folder, path)) };
  };
  const known = new Map<string, readonly string[]>();
  const pathsOf = (leaf: number, from: number) => known.get(`${leaf} ${from}`) ?? [];
  const [warm, cold] = [emptyTimes(), emptyTimes()];
  const byteCount: number[] = [];
  try {
    const canForget = forget([join(folder, "tile/0/000")]);
    for (let index = -1; index < count; index++) {
      const [leaf, from] = [spread(2 * index + 2, size - 1), 1 + spread(2 * index + 3, size - 1)];
      const learned = await prove(leaf, from, false);
      known.set(`${leaf} ${from}`, learned.paths);
      const isCounted = index >= 0;
      if (canForget) {
        const made = await prove(leaf, from, true);
        forget(learned.paths);
        const floor = await readAndHash(learned.paths);
        if (isCounted) cold.proofMs.push(made.tookMs);
        if (isCounted) cold.floorMs.push(floor.tookMs);
      }
      const made = await prove(leaf, from, false);
      const floor = await readAndHash(learned.paths);
      if (!isCounted) continue;
      warm.proofMs.push(made.tookMs);
      warm.floorMs.push(floor.tookMs);
      byteCount.push(floor.byteCount);
    }
    return { warm, cold: canForget ? cold : null, byteCount };
  } finally {
    await store.close();
  }
}

function emptyTimes() {
  return { proofMs: [] as number[], floorMs: [] as number[] };
}

/** Numbers below `size` that lie all over it, and are the same in each run. */
function spread(index: number, size: number): number {
  return Math.floor(((index * 0.618_033_988_75 + 0.37) % 1) * size);
}

function watchedReads(files: LogFiles) {
  const paths = new Set<string>();
  const watched: LogFiles = {
    ...files,
    read: (path) => {
      paths.add(path);
      return files.read(path);
    },
  };
  return { files: watched, paths };
}

async function readAndHash(
  paths: readonly string[],
): Promise<{ readonly tookMs: number; readonly byteCount: number }> {
  const beganMs = performance.now();
  const read = await Promise.all(paths.map((path) => readFile(path)));
  for (const bytes of read) createHash("sha256").update(bytes).digest();
  const tookMs = performance.now() - beganMs;
  return { tookMs, byteCount: read.reduce((sum, bytes) => sum + bytes.length, 0) };
}

/** Takes files out of the system's cache. @returns False if one is still in it. */
function forget(paths: readonly string[]): boolean {
  for (const path of paths)
    if (spawnSync("dd", [`if=${path}`, "iflag=nocache", "count=0", "status=none"]).status !== 0) return false;
  const [first] = paths;
  if (first === undefined) return true;
  const cached = spawnSync("fincore", ["--noheadings", "--output", "PAGES", first], { encoding: "utf8" });
  return cached.status === 0 && Number(cached.stdout) === 0;
}
