import { createHash } from "node:crypto";
import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { openStore } from "#coordinator/adapters/database/open-store.ts";
import { openLogFiles } from "#coordinator/adapters/log-files.ts";
import type { LogFiles } from "#coordinator/core/ports/public-log.ts";
import type { Store } from "#coordinator/core/ports/store.ts";
import { encodeLeaf } from "#shared/tlog/leaf.ts";
import { pause } from "../../kit/worlds/coordinator-process.ts";
import { benchLeaf } from "../../kit/worlds/long-log.ts";
import { openTestLog } from "../../kit/worlds/public-log.ts";

/** Leaves of one transaction: those of some rounds that end together. */
const STAGED_AT_ONCE = 20;
const AWAITED = 40;

interface Load {
  /** Leaves a second, of each batch. */
  readonly rates: readonly number[];
  readonly floorRates: readonly number[];
  /** Of each leaf at the steady rate: from the call that stages it to the checkpoint that has it. Nobody waits for it. */
  readonly agesMs: readonly number[];
  /** The same of single leaves, each of which is waited for as a round does. */
  readonly awaitedMs: readonly number[];
}

export async function measureLoad(
  folder: string,
  {
    batches,
    perBatch,
    loadS,
    rate,
  }: { readonly batches: number; readonly perBatch: number; readonly loadS: number; readonly rate: number },
): Promise<Load> {
  await mkdir(folder, { recursive: true });
  const store = await openStore({ dataDir: folder });
  const watched = watchedFiles(openLogFiles(join(folder, "log")));
  const log = openTestLog(store, { files: watched.files });
  try {
    const rates: number[] = [];
    const floorRates: number[] = [];
    let next = 0;
    // One more, which is not counted: it makes the first folders.
    for (let batch = 0; batch <= batches; batch++) {
      watched.written.length = 0;
      const beganMs = performance.now();
      let last = 0;
      for (let done = 0; done < perBatch; done += STAGED_AT_ONCE)
        last = await stage(store, next + done, Math.min(STAGED_AT_ONCE, perBatch - done));
      if (!(await log.covers(last - 1))) throw new Error("the log signs no more");
      const tookMs = performance.now() - beganMs;
      const floorMs = writeFloor(join(folder, "floor"), next, perBatch, watched.written);
      next += perBatch;
      if (batch === 0) continue;
      rates.push((perBatch / tookMs) * 1e3);
      floorRates.push((perBatch / floorMs) * 1e3);
    }
    const agesMs = await agesAtRate(store, watched, { rate, loadS, first: next });
    const awaitedMs: number[] = [];
    for (let index = 0; index < AWAITED; index++) {
      const beganMs = performance.now();
      const last = await stage(store, 2 ** 40 + index, 1);
      if (!(await log.covers(last - 1))) throw new Error("the log signs no more");
      awaitedMs.push(performance.now() - beganMs);
    }
    return { rates, floorRates, agesMs, awaitedMs };
  } finally {
    await log.stop();
    await store.close();
  }
}

/** @returns The sequence of the last. */
function stage(store: Store, first: number, count: number): Promise<number> {
  return store.stageLeaves(
    Array.from({ length: count }, (_, index) => benchLeaf(first + index)),
    Date.now(),
  );
}

/** Leaves arrive by the clock, whether or not earlier ones are durable. */
async function agesAtRate(
  store: Store,
  watched: ReturnType<typeof watchedFiles>,
  { rate, loadS, first }: { readonly rate: number; readonly loadS: number; readonly first: number },
): Promise<number[]> {
  const stagedAtMs = new Map<number, number>();
  const staging: Promise<void>[] = [];
  const beganMs = performance.now();
  watched.published.length = 0;
  for (let sent = 0; sent < rate * loadS; sent += STAGED_AT_ONCE) {
    await pause(Math.max(0, beganMs + (sent / rate) * 1e3 - performance.now()));
    const atMs = performance.now();
    staging.push(
      stage(store, first + sent, STAGED_AT_ONCE).then((last) => {
        for (let count = 0; count < STAGED_AT_ONCE; count++) stagedAtMs.set(last - count, atMs);
      }),
    );
  }
  await Promise.all(staging);
  const last = Math.max(...stagedAtMs.keys());
  while ((watched.published.at(-1)?.size ?? 0) < last) await pause(10);
  return [...stagedAtMs].map(([sequence, atMs]) => {
    const covering = watched.published.find(({ size }) => size >= sequence);
    if (covering === undefined) throw new Error(`leaf ${sequence} was not published`);
    return covering.atMs - atMs;
  });
}

/** What a sequencer writes, and when it has published. */
function watchedFiles(files: LogFiles) {
  /** Bytes of each checkpoint's files. */
  const written: number[] = [];
  const published: { readonly size: number; readonly atMs: number }[] = [];
  const watched: LogFiles = {
    ...files,
    write: async (all) => {
      written.push(all.reduce((sum, { bytes }) => sum + bytes.length, 0));
      await files.write(all);
    },
    publish: async (note) => {
      await files.publish(note);
      published.push({ size: Number(note.split("\n")[1]), atMs: performance.now() });
    },
  };
  return { files: watched, written, published };
}

/**
 * The least that could be done: every leaf and every node hashed once, as many bytes written to one open file, which is synced
 * once for each transaction that stages and once for each checkpoint.
 *
 * @returns Milliseconds.
 */
function writeFloor(path: string, first: number, count: number, checkpoints: readonly number[]): number {
  const leaves = Array.from({ length: count }, (_, index) => {
    const { kind, body } = benchLeaf(first + index);
    return encodeLeaf(kind, 1, body);
  });
  const node = new Uint8Array(65);
  const beganMs = performance.now();
  const file = openSync(path, "w");
  for (let done = 0; done < count; done += STAGED_AT_ONCE) {
    for (const leaf of leaves.slice(done, done + STAGED_AT_ONCE)) {
      writeSync(file, leaf);
      createHash("sha256").update(leaf).digest();
      createHash("sha256").update(node).digest();
    }
    fsyncSync(file);
  }
  for (const byteCount of checkpoints) {
    writeSync(file, new Uint8Array(byteCount));
    fsyncSync(file);
  }
  closeSync(file);
  return performance.now() - beganMs;
}
