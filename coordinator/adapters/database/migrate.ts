import type { Kysely } from "kysely";
import { type Migration, Migrator } from "kysely/migration";
import { messageOf } from "../system-errors.ts";

/**
 * Names of the migrations that `db` still lacks, in order. @throws Error if `db` is newer than this program.
 */
export async function pendingMigrations<Schema>(
  db: Kysely<Schema>,
  migrations: Readonly<Record<string, Migration>>,
): Promise<readonly string[]> {
  const all = await migratorOf(db, migrations).getMigrations();
  return all.filter((migration) => migration.executedAt === undefined).map((migration) => migration.name);
}

/**
 * Migrates `db` forward to the newest schema, in one transaction.
 *
 * @returns Whether it had a schema before.
 * @throws Error that says what to do if the database was made by a newer program or a statement fails.
 */
export async function migrate<Schema>(
  db: Kysely<Schema>,
  migrations: Readonly<Record<string, Migration>>,
): Promise<{ readonly wasMade: boolean }> {
  const wasMade = (await pendingMigrations(db, migrations)).length < Object.keys(migrations).length;
  const { error, results } = await migratorOf(db, migrations).migrateToLatest();
  if (error === undefined) return { wasMade };
  const failed = results?.find((result) => result.status === "Error");
  const reason = messageOf(error);
  if (failed !== undefined) {
    throw new Error(
      `The database could not be brought to ${failed.migrationName}: ${reason}. Nothing was changed.`,
      { cause: error },
    );
  }
  // Kysely has no error class for these.
  if (/corrupted migrations/.test(reason)) {
    throw new Error(
      `The database does not match this program (${reason}). It was made by a newer version: start that one, or restore an older copy of the database.`,
      { cause: error },
    );
  }
  throw error;
}

function migratorOf<Schema>(db: Kysely<Schema>, migrations: Readonly<Record<string, Migration>>): Migrator {
  return new Migrator({ db, provider: { getMigrations: async () => ({ ...migrations }) } });
}
