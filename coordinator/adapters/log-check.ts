import type { ResourceLimits } from "node:worker_threads";
import { checkLog } from "#coordinator/core/audit/check-log.ts";
import type { LogCheck } from "#coordinator/core/ports/public-log.ts";
import { primitives } from "#shared/node/system.ts";
import type { TileError } from "#shared/tlog/tiled-tree.ts";
import type { TreeHead } from "#shared/tlog/tree.ts";
import { openJobWorker } from "./job-worker.ts";
import { openLogFiles } from "./log-files.ts";

export interface LogCheckJob {
  /** Of the log. */
  readonly folder: string;
  readonly head: TreeHead;
}

/** A shorter log is checked in the calling thread, file by file: that takes less than a thread needs to start. */
const SHORT_SIZE = 16_384;
/** Of a log of any length, the check holds 64 bundles at once: 20 MB at most if leaves are those of rounds. */
const LIMITS: ResourceLimits = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 512, stackSizeMb: 2 };
/** The worker beats every 64 files. A disk that needs longer for that has stalled. */
const PATIENCE_MS = 60_000;

/** Checks the log in a folder. A long one has a thread of its own: a million leaves take two seconds of CPU. Rule O50. */
export function openLogCheck(folder: string): LogCheck {
  const files = openLogFiles(folder);
  const worker = openJobWorker<LogCheckJob, TileError | null>(
    new URL("./log-check.worker.ts", import.meta.url),
    { name: "the thread that checks the log", patienceMs: PATIENCE_MS, limits: LIMITS },
  );
  return {
    run: (head) =>
      head.size <= SHORT_SIZE ? checkLog({ primitives, files }, head) : worker.ask({ folder, head }, []),
    close: () => worker.close(),
  };
}
