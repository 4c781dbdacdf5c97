import { checkLog } from "#coordinator/core/audit/check-log.ts";
import type { TileError } from "#shared/tlog/tiled-tree.ts";
import { answerJobs } from "./answer-jobs.ts";
import { hashNow, primitives } from "./chunk-hashes.ts";
import type { LogCheckJob } from "./log-check.ts";
import { readLogFileSync } from "./log-files.ts";

/* Reads and hashes a whole log. Nobody else waits for this thread, so it reads without handing over to others. */

const FILES_PER_BEAT = 64;

answerJobs<LogCheckJob, TileError | null>(async ({ folder, head }, beat) => {
  let read = 0;
  const files = {
    read: async (path: string) => {
      if (++read % FILES_PER_BEAT === 0) beat();
      return readLogFileSync(folder, path);
    },
  };
  return checkLog({ primitives, files, hashNow }, head);
});
