import { sql } from "kysely";
import type { Migration } from "kysely/migration";
import { spine } from "./0001-spine.ts";
import { transcripts } from "./0002-transcripts.ts";
import { reading } from "./0003-reading.ts";
import { evidence } from "./0004-evidence.ts";
import { openRounds } from "./0005-open-rounds.ts";
import { streams } from "./0006-streams.ts";
import { taskSettings } from "./0007-task-settings.ts";
import { notes } from "./0008-notes.ts";
import { measures } from "./0009-measures.ts";
import { deviceMeasures } from "./0010-device-measures.ts";
import { access } from "./0011-access.ts";
import { archive } from "./0012-archive.ts";
import { registry } from "./0013-registry.ts";
import { tracking } from "./0014-tracking.ts";
import { publicLog } from "./0015-public-log.ts";
import { leafActors } from "./0016-leaf-actors.ts";
import { runIds } from "./0017-run-ids.ts";
import { type Dialect, type Statement, statementFor } from "./statement.ts";

/** In the order of their names. Only ever appended to. */
const STATEMENTS: Readonly<Record<string, readonly Statement[]>> = {
  "0001-spine": spine,
  "0002-transcripts": transcripts,
  "0003-reading": reading,
  "0004-evidence": evidence,
  "0005-open-rounds": openRounds,
  "0006-streams": streams,
  "0007-task-settings": taskSettings,
  "0008-notes": notes,
  "0009-measures": measures,
  "0010-device-measures": deviceMeasures,
  "0011-access": access,
  "0012-archive": archive,
  "0013-registry": registry,
  "0014-tracking": tracking,
  "0015-public-log": publicLog,
  "0016-leaf-actors": leafActors,
  "0017-run-ids": runIds,
};

/** The same tables in both dialects. */
export function migrationsFor(dialect: Dialect): Readonly<Record<string, Migration>> {
  return Object.fromEntries(
    Object.entries(STATEMENTS).map(([name, statements]) => [name, migrationOf(statements, dialect)]),
  );
}

function migrationOf(statements: readonly Statement[], dialect: Dialect): Migration {
  return {
    up: async (db) => {
      // One at a time: PostgreSQL's extended protocol takes one statement per query.
      for (const statement of statements) {
        const text = statementFor(statement, dialect);
        if (text !== null) await sql.raw(text).execute(db);
      }
    },
  };
}
