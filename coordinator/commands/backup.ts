import { existsSync, rmSync, statSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { wallClock } from "#shared/node/system.ts";
import { backupName } from "./backup/backup-name.ts";
import { takeBackup } from "./backup/take-backup.ts";
import { cleanOnSignals, databaseUrlFault, runCommand, stateOptions } from "./command.ts";

const HELP = `npm run backup -- --to DIR [options]

Copies a coordinator's state, whether or not the coordinator runs: the database as it is at one moment, keys, models,
held-out rows. Uploads of open rounds are not part of it; after a restore their rounds are repeated or given up. The
backup is as secret as the data folder.

  --to DIR          a folder that does not exist yet; in a folder that exists, a new one named by the time
  --data DIR        the coordinator's state; default .chorus, or CHORUS_DATA
  --database-url URL
                    its PostgreSQL database, copied by pg_dump; or DATABASE_URL
  --help

Exit code 0: the backup is complete. 1: there is none; the last line says why. 2: bad options. 3: it was made, but
models or held-out rows that are damaged or missing in the data folder are missing from it.`;

process.exitCode = await runCommand(HELP, readOptions, backUp);

interface Options {
  readonly dataDir: string;
  readonly databaseUrl: string | undefined;
  readonly to: string;
}

async function backUp({ dataDir, databaseUrl, to }: Options): Promise<number> {
  const nowUnixMs = wallClock.nowUnixMs();
  const target =
    statSync(to, { throwIfNoEntry: false })?.isDirectory() === true ? join(to, backupName(nowUnixMs)) : to;
  const staging = `${target}.${process.pid}.partial`;
  const report = (line: string) => console.error(line);
  cleanOnSignals(() => rmSync(staging, { recursive: true, force: true, maxRetries: 3 }));
  try {
    const { files, position, damaged } = await takeBackup(
      { dataDir, databaseUrl, target, nowUnixMs, report },
      staging,
    );
    const byteCount = files.reduce((sum, file) => sum + file.byteCount, 0);
    console.log(
      `Backup: ${target} (${files.length} files, ${(byteCount / 1e6).toFixed(1)} MB, ${position} events).`,
    );
    for (const path of damaged)
      console.error(
        `MISSING: ${path} is damaged or not there. Check the disk; an earlier backup may have it.`,
      );
    return damaged.length === 0 ? 0 : 3;
  } finally {
    if (existsSync(staging)) await rm(staging, { recursive: true, force: true });
  }
}

function readOptions(): Options | string {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    options: { to: text, data: text, "database-url": text, help: { type: "boolean", short: "h" } },
  });
  if (values.help === true) return "help";
  if (values.to === undefined || values.to === "") return "Name a folder for the backup with --to.";
  const state = stateOptions(values);
  return databaseUrlFault(state.databaseUrl) ?? { ...state, to: resolve(values.to) };
}
