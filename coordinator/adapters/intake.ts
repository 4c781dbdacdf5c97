import { dirname } from "node:path";
import { assert } from "#shared/kernel/assert.ts";
import type { FoldInput } from "../core/ports/ports.ts";
import type { IntakeJob, IntakeResult } from "./intake-job.ts";
import { type JobWorkerOptions, openJobWorker } from "./job-worker.ts";

/** What a file must hold to be a certain upload. */
export interface ExpectedUpload {
  readonly byteCount: number;
  /** Merkle root over its 64-KiB chunks, hex. */
  readonly root: string;
}

export interface Added {
  readonly sum: Uint32Array<ArrayBuffer>;
  /** Indexes of the inputs left out of the sum because they are not in memory. */
  readonly missing: readonly number[];
}

/**
 * Hashes complete uploads in its own thread. It briefly keeps the latest in memory, so that uploads receipted
 * at once are added from there without being read and hashed again (R50).
 */
export interface Intake {
  /**
   * True if `file` holds the bytes that `expected` describes.
   *
   * @param keepAs  Path under which `add` will ask for it; null if it will not.
   * @throws if the file cannot be read.
   */
  verify(file: string, expected: ExpectedUpload, keepAs: string | null): Promise<boolean>;
  /**
   * Adds the inputs still in memory and drops them. If its thread ends meanwhile, all inputs are missing.
   *
   * @param sum  Transferred, even if this throws; zero if absent.
   * @throws if the thread ends and takes `sum` with it.
   */
  add(length: number, inputs: readonly FoldInput[], sum?: Uint32Array<ArrayBuffer>): Promise<Added>;
  /** Drops everything held for a session's folder, except the paths in `kept`. */
  forget(folder: string, kept: readonly string[]): void;
  close(): Promise<void>;
}

/**
 * Files that the worker has at once: one being hashed and the next. The others wait, so that additions go
 * first.
 */
const VERIFYING_MAX = 2;

/** Those two, and additions. */
const JOBS_AT_ONCE = 4;
/** The worker beats every 4 MiB. A disk that needs longer for that has stalled. */
const PATIENCE_MS = 30_000;

/** @param time  Clock and timer that measure the thread's silence; the system's by default. */
export function openIntake(time?: NonNullable<JobWorkerOptions["time"]>): Intake {
  const worker = openJobWorker<IntakeJob, IntakeResult>(new URL("./intake.worker.ts", import.meta.url), {
    name: "the thread that checks uploads",
    patienceMs: PATIENCE_MS,
    jobsAtOnce: JOBS_AT_ONCE,
    ...(time === undefined ? {} : { time }),
  });
  /** May include some that the worker has dropped. */
  const kept = new Set<string>();
  const line: (() => void)[] = [];
  let verifying = 0;

  const turn = async () => {
    if (verifying >= VERIFYING_MAX) await new Promise<void>((resolve) => line.push(resolve));
    else verifying += 1;
  };
  const endTurn = () => {
    const next = line.shift();
    if (next === undefined) verifying -= 1;
    else next();
  };

  return {
    verify: async (file, expected, keepAs) => {
      await turn();
      try {
        const result = await worker.ask({ type: "verify", file, ...expected, keepAs }, []);
        assert(result.type === "verified", "it was asked to verify");
        if (result.isGood && keepAs !== null) kept.add(keepAs);
        return result.isGood;
      } finally {
        endTurn();
      }
    },
    add: async (length, inputs, sum) => {
      const noneAdded = (): Added => ({
        sum: sum ?? new Uint32Array(length),
        missing: [...inputs.keys()],
      });
      const isAnyKept = inputs.filter(({ path }) => kept.delete(path)).length > 0;
      if (!isAnyKept) {
        return noneAdded();
      }
      const handedOver = sum === undefined ? [] : [sum.buffer];
      try {
        const result = await worker.ask({ type: "add", length, inputs, sum: sum ?? null }, handedOver);
        assert(result.type === "added", "it was asked to add");
        return { sum: result.sum, missing: result.missing };
      } catch (error) {
        if (sum !== undefined) throw error;
        return noneAdded();
      }
    },
    forget: (folder, keptPaths) => {
      const gone = [...kept].filter((path) => dirname(path) === folder && !keptPaths.includes(path));

      for (const path of gone) kept.delete(path);
      // Without a thread there is no memory to free, so none is started for it.
      if (!worker.isStarted()) return;
      worker.ask({ type: "forget", folder, kept: keptPaths }, []).catch(() => undefined);
    },
    close: () => worker.close(),
  };
}
