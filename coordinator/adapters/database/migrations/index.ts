import { sql } from "kysely";
import type { Migration } from "kysely/migration";
import { spine } from "./0001-spine.ts";
import { transcripts } from "./0002-transcripts.ts";
import { reading } from "./0003-reading.ts";
import { evidence } from "./0004-evidence.ts";
import { openRounds } from "./0005-open-rounds.ts";
import { streams } from "./0006-streams.ts";
import { taskSettings } from "./0007-task-settings.ts";
import { type Dialect, type Statement, statementFor } from "./statement.ts";

/** In the order of their names; only ever added to. */
const STATEMENTS: Readonly<Record<string, readonly Statement[]>> = {
  "0001-spine": spine,
  "0002-transcripts": transcripts,
  "0003-reading": reading,
  "0004-evidence": evidence,
  "0005-open-rounds": openRounds,
  "0006-streams": streams,
  "0007-task-settings": taskSettings,
};

/** The same tables for both dialects. */
export function migrationsFor(dialect: Dialect): Readonly<Record<string, Migration>> {
  return Object.fromEntries(
    Object.entries(STATEMENTS).map(([name, statements]) => [name, migrationOf(statements, dialect)]),
  );
}

function migrationOf(statements: readonly Statement[], dialect: Dialect): Migration {
  return {
    up: async (db) => {
      // One at a time: the extended protocol takes a single statement a query.
      for (const statement of statements) {
        const text = statementFor(statement, dialect);
        if (text !== null) await sql.raw(text).execute(db);
      }
    },
  };
}
