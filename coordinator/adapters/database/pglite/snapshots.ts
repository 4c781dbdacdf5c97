import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Log } from "#coordinator/core/ports.ts";
import { messageOf } from "../../system-errors.ts";
import type { RemotePglite } from "./remote.ts";

const SNAPSHOTS_KEPT = 3;

/**
 * Copies of the database to go back to after a power cut, which PGlite does not survive (it never fsyncs).
 * Each is a gzipped tar of the database folder; `tar xzf` is all that a restore takes.
 */
export interface Snapshots {
  /** Takes one if anything was written since the last. Trouble is logged, not thrown: the database itself goes on. */
  take(options?: { readonly evenUnchanged: boolean }): Promise<void>;
}

export function snapshotsIn(folder: string, database: RemotePglite, log: Log | undefined): Snapshots {
  let writesSaved = database.writeCount;
  let previous: Promise<void> = Promise.resolve();

  async function takeNow(evenUnchanged: boolean): Promise<void> {
    const { writeCount } = database;
    if (writeCount === writesSaved && !evenUnchanged) return;
    try {
      await mkdir(folder, { recursive: true });
      // Numbered, not dated: a clock that steps back must not make an old one the newest.
      const numbers = await snapshotNumbers(folder);
      const next = (numbers.at(-1) ?? 0) + 1;
      await database.dump(snapshotPath(folder, next));
      writesSaved = writeCount;
      const old = [...numbers, next].slice(0, -SNAPSHOTS_KEPT);
      for (const number of old) await rm(snapshotPath(folder, number), { force: true });
    } catch (error) {
      log?.warn({ error: messageOf(error) }, "no snapshot of the database could be taken");
    }
  }

  return {
    take: (options) => {
      // One after the other: the last, before the close, thereby waits for one that is under way.
      previous = previous.then(() => takeNow(options?.evenUnchanged ?? false));
      return previous;
    },
  };
}

/** Path of the newest, or null. */
export async function newestSnapshot(folder: string): Promise<string | null> {
  const number = (await snapshotNumbers(folder)).at(-1);
  return number === undefined ? null : snapshotPath(folder, number);
}

function snapshotPath(folder: string, number: number): string {
  return join(folder, `${String(number).padStart(8, "0")}.tar.gz`);
}

/** Ascending. */
async function snapshotNumbers(folder: string): Promise<number[]> {
  const names = await readdir(folder).catch(() => []);
  const numbers = names.flatMap((name) => {
    const digits = /^(\d{8})\.tar\.gz$/.exec(name)?.[1];
    return digits === undefined ? [] : [Number(digits)];
  });
  return numbers.sort((left, right) => left - right);
}
