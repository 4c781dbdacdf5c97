import type { Kysely } from "kysely";
import { type Migration, Migrator } from "kysely/migration";
import { messageOf } from "../system-errors.ts";
import { MIGRATIONS } from "./migrations/index.ts";

/** Names of the migrations that `db` still lacks, in order. @throws Error where `db` is newer than this program. */
export async function pendingMigrations<Schema>(
  db: Kysely<Schema>,
  migrations: Readonly<Record<string, Migration>> = MIGRATIONS,
): Promise<readonly string[]> {
  const all = await migratorOf(db, migrations).getMigrations();
  return all.filter((migration) => migration.executedAt === undefined).map((migration) => migration.name);
}

/**
 * Brings `db` to the newest schema, all in one transaction; forward only.
 *
 * @throws Error with what to do, where the database was made by a newer program or a statement fails.
 */
export async function migrate<Schema>(
  db: Kysely<Schema>,
  migrations: Readonly<Record<string, Migration>> = MIGRATIONS,
): Promise<void> {
  const { error, results } = await migratorOf(db, migrations).migrateToLatest();
  if (error === undefined) return;
  const failed = results?.find((result) => result.status === "Error");
  const reason = messageOf(error);
  if (failed !== undefined) {
    throw new Error(
      `The database could not be brought to ${failed.migrationName}: ${reason}. Nothing was changed.`,
      {
        cause: error,
      },
    );
  }
  throw new Error(
    `The database does not fit this program (${reason}). It was made by a newer version: start that one, or restore an older copy of the database.`,
    { cause: error },
  );
}

function migratorOf<Schema>(db: Kysely<Schema>, migrations: Readonly<Record<string, Migration>>): Migrator {
  return new Migrator({ db, provider: { getMigrations: async () => ({ ...migrations }) } });
}
