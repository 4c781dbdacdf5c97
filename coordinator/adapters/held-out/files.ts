import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { EarlierHeldOut, HeldOutFiles, HeldOutPlace } from "#coordinator/core/ports/held-out-files.ts";
import { storeTrouble } from "#coordinator/core/ports/store-trouble.ts";
import { assert } from "#shared/kernel/assert.ts";
import { err } from "#shared/kernel/result.ts";
import { SerialQueue } from "#shared/kernel/serial-queue.ts";
import { syncFolder } from "#shared/node/durable-files.ts";
import { byteCountOf } from "#shared/node/read-files.ts";
import { taskSlugSchema } from "#shared/protocol/ids.ts";
import { type JobWorker, openJobWorker } from "../job-worker.ts";
import { Cut, receiveInto } from "../receive-body.ts";
import { findEarlier } from "./earlier.ts";
import type { CheckAnswer, CheckJob, CheckProgress } from "./jobs.ts";

/** A thread that reads a gigabyte beats many times in this time. */
const PATIENCE_MS = 120_000;
const LARGE_BYTES = 16_000_000;

/** Folder of the coordinator's own rows, by which models are judged. */
export function heldOutFolder(dataDir: string): string {
  return join(dataDir, "heldout");
}

/** File of a task's set. */
export function heldOutSetPath(dataDir: string, slug: string, hash: string): string {
  // Values come from the database, but a path must not depend on that.
  assert(taskSlugSchema.safeParse(slug).success && /^[0-9a-f]{64}$/.test(hash), "not a set");
  return join(setsOf(dataDir, slug), hash);
}

function setsOf(dataDir: string, slug: string): string {
  return join(heldOutFolder(dataDir), "sets", slug);
}

/**
 * Held-out rows on disk, in `heldout`: `sets/<slug>/<hash>` for a set in use, `incoming/<id>.partial` for an upload. What an
 * earlier process received is deleted, because nobody knows what it was for.
 */
export async function openHeldOutFiles(dataDir: string): Promise<HeldOutFiles> {
  const incoming = join(heldOutFolder(dataDir), "incoming");
  await rm(incoming, { recursive: true, force: true });
  await mkdir(incoming, { recursive: true });
  const uploadPath = (uploadId: string) => {
    assert(/^[0-9a-f]{32}$/.test(uploadId), "not an upload");
    return join(incoming, `${uploadId}.partial`);
  };
  const pathOf = (place: HeldOutPlace) =>
    "uploadId" in place ? uploadPath(place.uploadId) : heldOutSetPath(dataDir, place.slug, place.hash);
  /** Bodies under way, by upload. The newest connection of an upload is the one that its sender reads. */
  const cuts = new Map<string, { readonly cut: Cut; readonly ended: Promise<unknown> }>();
  const checks = new SerialQueue();
  const checker = new Checker();
  const closing = new AbortController();

  return {
    offset: async (uploadId) => (await byteCountOf(uploadPath(uploadId))) ?? 0,
    receive: async ({ uploadId, offset, byteCount }, body, free = () => {}) => {
      const older = cuts.get(uploadId);
      older?.cut.now();
      const cut = new Cut();
      const received = (older?.ended ?? Promise.resolve()).then(() =>
        receiveInto(uploadPath(uploadId), { offset, byteCount }, { body, free }, cut),
      );
      const turn = { cut, ended: received.catch(() => undefined) };
      // Set before the older one has ended: a third that comes meanwhile waits for this one.
      cuts.set(uploadId, turn);
      try {
        return await received;
      } catch (error) {
        if (storeTrouble(error) !== "full") throw error;
        return err({ type: "storage-full" });
      } finally {
        if (cuts.get(uploadId) === turn) cuts.delete(uploadId);
      }
    },
    check: (place, { format, layout }, task, onProgress, signal) => {
      const ended = AbortSignal.any([signal, closing.signal]);
      const reading = layout === undefined ? { format } : { format, layout };
      const job = { path: pathOf(place), reading, task };
      return inTurn(checks, () => checker.check(job, onProgress, ended), ended);
    },
    keep: async (uploadId, slug, hash) => {
      const target = heldOutSetPath(dataDir, slug, hash);
      const sets = setsOf(dataDir, slug);
      await mkdir(sets, { recursive: true });
      await rename(uploadPath(uploadId), target);
      for (const folder of [sets, join(heldOutFolder(dataDir), "sets"), heldOutFolder(dataDir)])
        await syncFolder(folder);
    },
    discard: async (uploadId) => {
      const turn = cuts.get(uploadId);
      turn?.cut.now();
      await turn?.ended;
      await rm(uploadPath(uploadId), { force: true });
    },
    has: async (slug, hash) => (await byteCountOf(heldOutSetPath(dataDir, slug, hash))) !== null,
    remove: async (slug, kept) => {
      assert(taskSlugSchema.safeParse(slug).success, "not a task");
      const sets = setsOf(dataDir, slug);
      for (const name of await readdir(sets).catch(() => []))
        if (name !== kept) await rm(join(sets, name), { force: true });
      if (kept === null) await rm(sets, { recursive: true, force: true });
    },
    earlier: (slug, version): Promise<EarlierHeldOut | null> =>
      findEarlier(join(heldOutFolder(dataDir), `${slug}-v${version}`), uploadPath),
    close: async () => {
      closing.abort(new Error("the coordinator is closing"));
      await checks.settled();
      await checker.end();
    },
  };
}

/** Work that `signal` ends while it still waits for its turn rejects at once and is never begun. */
function inTurn<Value>(queue: SerialQueue, work: () => Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(signal.reason);
    signal.addEventListener("abort", giveUp, { once: true });
    const turn = queue.run(() => {
      signal.removeEventListener("abort", giveUp);
      signal.throwIfAborted();
      return work();
    });
    turn.then(resolve, reject);
  });
}

/** The thread of the checks. It ends with a stop at once, and after a large file, whose memory is then free. */
class Checker {
  #worker: JobWorker<CheckJob, CheckAnswer> | null = null;

  async check(
    job: CheckJob,
    onProgress: (progress: CheckProgress) => void,
    signal: AbortSignal,
  ): Promise<CheckAnswer> {
    // A file that is gone is an outage of the disk rather than a fault of the thread.
    const { size } = await stat(job.path);
    this.#worker ??= openJobWorker<CheckJob, CheckAnswer>(new URL("./check.worker.ts", import.meta.url), {
      name: "the thread that checks held-out rows",
      patienceMs: PATIENCE_MS,
    });
    const worker = this.#worker;
    const stop = () => void this.end();
    signal.addEventListener("abort", stop, { once: true });
    try {
      return await worker.ask(job, [], (progress) => onProgress(progress as CheckProgress));
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener("abort", stop);
      if (size > LARGE_BYTES) await this.end();
    }
  }

  async end(): Promise<void> {
    const worker = this.#worker;
    this.#worker = null;
    await worker?.close();
  }
}
