import { rmSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { wallClock } from "#shared/node/system.ts";
import { cleanOnSignals, databaseUrlFault, environment, runCommand } from "./command.ts";
import { lossSentence } from "./restore/decide-restore.ts";
import { restoreBackup } from "./restore/restore-backup.ts";

const HELP = `npm run restore -- --from BACKUP --data DIR [options]

Restores a backup made by npm run backup. It is checked as a whole first; if anything is missing or damaged, nothing
changes. Stop the coordinator before: a folder that one has is refused.

  --from BACKUP     the folder that npm run backup made
  --data DIR        where the coordinator's state goes; or CHORUS_DATA
  --replace         if there is state already, move that folder aside (it is never deleted)
  --newest-log      the backup's public log is the newest: nothing was signed after it. Without this, and unless the log at
                    the place is as new, the coordinator signs nothing until npm run log -- trust
  --older           with --replace: also if that state is newer than the backup
  --database-url URL
                    for a backup of PostgreSQL: an empty database, filled by pg_restore; or DATABASE_URL
  --help

A coordinator that is restored to an older state forgets rounds that its devices remember. They refuse to open a model
twice, so a run may make no progress for some rounds, or end. Its page says why.

Exit code 0: restored. 1: not restored; the last line says why. 2: bad options.`;

process.exitCode = await runCommand(HELP, readOptions, restore);

interface Options {
  readonly from: string;
  readonly dataDir: string;
  readonly databaseUrl: string | undefined;
  readonly replace: boolean;
  readonly older: boolean;
  readonly newestLog: boolean;
}

async function restore(given: Options): Promise<number> {
  // A link to a folder on another disk stays, and so does the state on that disk.
  const options = { ...given, dataDir: await realpath(given.dataDir).catch(() => given.dataDir) };
  const staging = `${options.dataDir}.${process.pid}.partial`;
  const clean = () => rmSync(staging, { recursive: true, force: true, maxRetries: 3 });
  cleanOnSignals(clean);
  try {
    const report = (line: string) => console.error(line);
    const request = { ...options, nowUnixMs: wallClock.nowUnixMs(), report };
    const { manifest, lost, aside } = await restoreBackup(request, staging);
    console.log(`Restored ${options.dataDir} as it was at ${manifest.madeAt} (${manifest.position} events).`);
    if (aside !== null)
      console.log(`What was there is now in ${aside}. Delete it when you no longer need it.`);
    const loss = lossSentence(lost);
    if (loss !== null) console.log(loss);
    for (const path of manifest.damaged)
      console.error(`MISSING: ${path} was already damaged or missing when the backup was made.`);
    console.log(
      "Start the coordinator with npm run coordinator. Rounds that were open are repeated or given up.",
    );
    return 0;
  } finally {
    clean();
  }
}

function readOptions(): Options | string {
  const text = { type: "string" } as const;
  const flag = { type: "boolean", default: false } as const;
  const { values } = parseArgs({
    options: {
      from: text,
      data: text,
      "database-url": text,
      replace: flag,
      older: flag,
      "newest-log": flag,
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help === true) return "help";
  const { replace, older } = values;
  // An empty path would be this folder.
  const from = values.from || undefined;
  // No default, because a restore to the wrong place does harm.
  const data = values.data || environment("CHORUS_DATA");
  if (from === undefined) return "Name the backup with --from.";
  if (data === undefined) return "Name the folder to restore to with --data.";
  if (older && !replace) return "--older goes with --replace.";
  const databaseUrl = values["database-url"] || environment("DATABASE_URL");
  const fault = databaseUrlFault(databaseUrl);
  const newestLog = values["newest-log"];
  return fault ?? { from: resolve(from), dataDir: resolve(data), databaseUrl, replace, older, newestLog };
}
